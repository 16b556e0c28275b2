"""Character sets and collations of the connection."""
from . import kind
from ..model import query

CHARSETS = ("utf8mb4", "utf8mb4", "utf8", "latin1", "ascii", "binary", "gbk", "gb18030", "nonsense", "DEFAULT", "'utf8mb4'")
COLLATIONS = (
    "utf8mb4_bin", "utf8mb4_general_ci", "utf8mb4_unicode_ci", "utf8mb4_0900_ai_ci", "utf8_general_ci", "latin1_bin",
    "latin1_swedish_ci", "ascii_bin", "binary", "gbk_chinese_ci", "gbk_bin", "nonsense_ci", "DEFAULT",
)  # fmt: skip
VARIABLES = ("character_set_client", "character_set_connection", "character_set_results")
ASKS = (
    "SELECT @@character_set_client, @@character_set_connection, @@character_set_results, @@collation_connection",
    "SELECT 'ä', HEX('ä'), LENGTH('ä'), CHARSET('ä'), COLLATION('ä')", "SELECT 'a' = 'A', 'ä' = 'a', 'a' = 'a '",
    "SELECT s, l FROM {db}.fixed ORDER BY id", "SELECT _utf8mb4'ä', _latin1'x', N'n', X'41', 0x42",
    "SELECT s FROM {db}.fixed WHERE s = 'A'", "SELECT CONCAT(l, 'x'), CAST(1 AS CHAR) FROM {db}.fixed LIMIT 1",
)  # fmt: skip


@kind("SET NAMES", 2)
def set_names(rnd, model):
    text = f"SET NAMES {rnd.choice(CHARSETS)}"
    if rnd.random() < 0.35:
        text += f" COLLATE {rnd.choice(COLLATIONS)}"
    yield query(text)
    if rnd.random() < 0.6:
        yield query(rnd.choice(ASKS))


@kind("SET CHARACTER SET", 1)
def set_character_set(rnd, model):
    word = rnd.choice(["CHARACTER SET", "CHARSET", "CHAR SET"])
    yield query(f"SET {word} {rnd.choice(CHARSETS)}")
    yield query(rnd.choice(ASKS))


@kind("character set variable", 1)
def variable(rnd, model):
    name = rnd.choice(VARIABLES + ("collation_connection",))
    value = rnd.choice(COLLATIONS if name == "collation_connection" else CHARSETS + ("NULL", "''"))
    pinned = "computed session variable" if value == "DEFAULT" else None
    yield query(f"SET {rnd.choice(['', 'SESSION ', '@@', '@@session.'])}{name} = {value}", pinned)
    yield query(rnd.choice(ASKS))


@kind("server's character set variable", 0.2)
def server_variable(rnd, model):
    name = rnd.choice(["character_set_server", "character_set_database", "collation_server", "collation_database"])
    value = rnd.choice(["utf8mb4", "latin1"] if "char" in name else ["utf8mb4_bin", "latin1_bin"])
    yield query(f"SET {name} = {value}", "computed session variable")
    yield query(f"SELECT @@{name}")


@kind("characters", 1)
def characters(rnd, model):
    yield query(rnd.choice(ASKS))
