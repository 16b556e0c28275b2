"""What a session has on one backend only: locks, temporary tables, roles, bindings, sequences."""
from . import kind
from ..model import query


@kind("temporary table", 0.6)
def temporary_table(rnd, model):
    name = f"{{db}}.tmp{model.number}"
    yield query(f"CREATE TEMPORARY TABLE {rnd.choice(['', 'IF NOT EXISTS '])}{name}(a INT)", "temporary table")
    for text in rnd.sample(["INSERT INTO {} VALUES (1)", "SELECT * FROM {}", "TRUNCATE {}", "SHOW CREATE TABLE {}"], 2):
        yield query(text.format(name), "temporary table")
    if rnd.random() < 0.7:
        yield query(f"DROP {rnd.choice(['', 'TEMPORARY '])}TABLE {name}")


@kind("lock", 0.7)
def lock(rnd, model):
    name = f"'l{model.number}'"
    yield query(f"SELECT GET_LOCK({name}, 1)", "lock")
    yield query(rnd.choice([f"SELECT IS_FREE_LOCK({name})", f"SELECT IS_USED_LOCK({name}) = CONNECTION_ID()", "SELECT 1"]))
    yield query(rnd.choice([f"SELECT RELEASE_LOCK({name})", "SELECT RELEASE_ALL_LOCKS()", "DO RELEASE_ALL_LOCKS()"]))
    yield query("SELECT RELEASE_ALL_LOCKS()")


@kind("table lock", 0.3)
def table_lock(rnd, model):
    yield query(f"LOCK TABLES {model.table} {rnd.choice(['READ', 'WRITE'])}", "table lock")
    yield query("SHOW WARNINGS", "table lock")
    yield query("UNLOCK TABLES")


ROLES = ("SET ROLE r1", "SET ROLE NONE", "SET ROLE ALL", "SET ROLE DEFAULT", "SET ROLE r1, r2", "SET ROLE ALL EXCEPT r1", "SET ROLE nobody")


@kind("role", 0.7)
def role(rnd, model):
    yield query(rnd.choice(ROLES), "role")
    yield query(rnd.choice(["SELECT CURRENT_ROLE()", "SHOW GRANTS", "SELECT CURRENT_ROLE(), CURRENT_USER()"]))


@kind("role asked", 0.5)
def role_asked(rnd, model):
    yield query("SELECT CURRENT_ROLE()")


@kind("resource group", 0.4)
def resource_group(rnd, model):
    yield query(f"SET RESOURCE GROUP {rnd.choice(['rg1', 'RG1', '`default`', 'DEFAULT', 'nobody'])}")
    yield query("SELECT CURRENT_RESOURCE_GROUP()")


@kind("binding", 0.2)
def binding(rnd, model):
    yield query(f"CREATE SESSION BINDING FOR SELECT * FROM {model.table} USING SELECT * FROM {model.table} USE INDEX()", "binding")
    yield query("SHOW SESSION BINDINGS WHERE 0")
    yield query(f"DROP SESSION BINDING FOR SELECT * FROM {model.table}", "binding")


@kind("sequence", 0.3)
def sequence(rnd, model):
    name = f"{{db}}.seq{model.number}"
    yield query(f"CREATE SEQUENCE IF NOT EXISTS {name}")
    yield query(rnd.choice([f"SELECT NEXTVAL({name})", f"SELECT NEXT VALUE FOR {name}", f"SELECT SETVAL({name}, 50)"]), "sequence")
    yield query(f"SELECT LASTVAL({name})")
