"""SET ROLE through a pool of one backend that another session uses in between: every answer is that of a direct connection."""
import pytest

from support.tidb import Account
from support.turns import ask, directly, intruder, run

pytestmark = pytest.mark.quick

PROGRAMS = {
    "one role": ["SET ROLE tide_r1", "SELECT CURRENT_ROLE()", "SELECT * FROM tide_1.t", "SELECT * FROM tide_2.t"],
    "none": ["SET ROLE ALL", "SELECT CURRENT_ROLE()", "SET ROLE NONE", "SELECT CURRENT_ROLE()", "SELECT * FROM tide_1.t"],
    "default": ["SET ROLE tide_r1", "SET ROLE DEFAULT", "SELECT CURRENT_ROLE()"],
    "all but one": ["SET ROLE ALL EXCEPT tide_r1", "SELECT CURRENT_ROLE()", "SELECT * FROM tide_2.t"],
    "several": ["SET ROLE tide_r2, tide_r1", "SELECT CURRENT_ROLE()", "SELECT * FROM tide_1.t", "SELECT * FROM tide_2.t"],
    "not granted": ["SET ROLE tide_r1", "SET ROLE tide_r1, nobody", "SHOW WARNINGS", "SELECT CURRENT_ROLE()"],
    "a database of a role that is off": [
        "SET ROLE tide_r1", "USE tide_1", "SET ROLE NONE", "SELECT DATABASE(), CURRENT_ROLE()", "SELECT * FROM t",
        "USE tide_2", "USE tide_1", "SELECT DATABASE()", "SET ROLE tide_r1", "SELECT * FROM t",
    ],
    "in a transaction": [
        "BEGIN", "SET ROLE tide_r1", "SELECT * FROM tide_1.t", "COMMIT", "SELECT * FROM tide_1.t", "BEGIN", "SET ROLE NONE",
        "ROLLBACK", "SELECT CURRENT_ROLE()",
    ],
    "a name with a quote": ["SET ROLE `tide``q`", "SELECT CURRENT_ROLE()", "SET ROLE NONE", "SELECT CURRENT_ROLE()"],
}  # fmt: skip


@pytest.fixture(scope="module")
def member(tidb):
    account = tidb.new_account("member")
    tidb.execute(
        "CREATE DATABASE tide_1", "CREATE DATABASE tide_2", "CREATE TABLE tide_1.t (a INT)", "CREATE TABLE tide_2.t (a INT)",
        "CREATE ROLE tide_r1, tide_r2, `tide``q`", "GRANT ALL ON tide_1.* TO tide_r1", "GRANT ALL ON tide_2.* TO tide_r2",
        f"GRANT tide_r1, tide_r2, `tide``q` TO '{account.user}'@'%'",
        f"SET DEFAULT ROLE tide_r2 TO '{account.user}'@'%'",
    )  # fmt: skip
    return Account(account.user, account.password, account.database)


@pytest.fixture(scope="module")
def single(door_opener, tidb, member):
    with door_opener(tidb, member, size=1, timeout="2s") as opened:
        yield opened


@pytest.mark.parametrize("name", PROGRAMS)
def test_roles_are_those_of_a_session_of_its_own(single, tidb, member, name):
    question = "SELECT CURRENT_ROLE(), DATABASE()"
    with directly(tidb, member) as alone, single.connect() as a:
        older, intrude = intruder(single, question, ask(alone, question))
        with older:
            assert run(a, PROGRAMS[name], intrude) == run(alone, PROGRAMS[name])


def test_a_role_that_is_revoked_gives_nothing_and_fails_nothing(single, tidb, member):
    with single.connect() as a, single.connect() as b:
        ask(a, "SET ROLE tide_r1")
        assert ask(a, "SELECT * FROM tide_1.t") == ()
        tidb.execute(f"REVOKE tide_r1 FROM '{member.user}'@'%'")
        try:
            ask(b, "SELECT 1")
            assert ask(a, "SELECT * FROM tide_1.t")[0] == 1142
            assert ask(a, "SELECT 1") == ((1,),)
        finally:
            tidb.execute(f"GRANT tide_r1 TO '{member.user}'@'%'")
