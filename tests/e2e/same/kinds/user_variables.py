"""User variables of every type and collation."""
from . import kind
from ..model import query

NAMES = ("@a", "@b", "@c", "@d", "@e", "@`a`", "@'b'", "@A")
LITERALS = (
    "1", "-5", "0", "007", "1.50", "-0.001", "1e3", "18446744073709551615", "-9223372036854775808", "TRUE", "FALSE", "NULL", "''", "'x'",
    "'ä'", "'it''s'", "'a\\\\b'", "\"q\"", "0x41", "X'4142'", "b'101'", "123456789012345678901234567890.5", "'12'", "1.", ".5", "+3", "- 3",
)  # fmt: skip
# A string that a subquery took from a column is overwritten by later statements of its session (TiDB 8.5 keeps a reference
# to memory that it uses again), so there is CONCAT around it.
COMPUTED = (
    "1 + 1", "CONCAT('a', @b)", "(SELECT COUNT(*) FROM {db}.fixed)", "@b", "@a + 1", "CAST('2020-01-02' AS DATE)", "N'n'", "_latin1'x'",
    "_utf8mb4'x' COLLATE utf8mb4_general_ci", "'x' COLLATE utf8mb4_bin", "CAST(1.5 AS DECIMAL(10, 3))", "CAST(2 AS JSON)", "1/0", "1 = 1",
    "(SELECT d FROM {db}.fixed WHERE id = 1)", "CONCAT((SELECT j FROM {db}.fixed WHERE id = 1))", "CONCAT((SELECT s FROM {db}.fixed WHERE id = 2))",
    "CONCAT((SELECT e FROM {db}.fixed WHERE id = 1))", "CONCAT((SELECT b FROM {db}.fixed WHERE id = 1))", "(SELECT nonsense)", "REPEAT('y', 5)",
    "CAST(-1 AS UNSIGNED)", "TIMESTAMP('2020-01-02 03:04:05.678')", "TIME('01:02:03')", "UNHEX('FF00')", "DATE_ADD('2020-01-01', INTERVAL 1 DAY)",
    "@@sql_mode", "@@autocommit", "DATABASE()", "JSON_OBJECT('a', 1)", "CAST('x' AS BINARY)", "NULL + 1", "YEAR('2020-01-01')", "PI()",
    "CONCAT((SELECT l FROM {db}.fixed WHERE id = 1))", "CONVERT('x' USING latin1)", "GREATEST(1, 2.5)", "-1.0e-5 * 3", "(SELECT y FROM {db}.fixed WHERE id = 1)",
)  # fmt: skip
ASKS = (
    "SELECT @a, @b, @c, @d, @e", "SELECT COLLATION(@a), CHARSET(@b), COERCIBILITY(@c)", "SELECT @a + 0, CONCAT(@b, 'x'), HEX(@c)",
    "SELECT @a = @b, @c IS NULL, @never", "SELECT LENGTH(@a), @b AS `b`, -@c", "SELECT @d = 'X', @e < 'b', @d LIKE 'x%'",
    "SELECT id FROM {db}.fixed WHERE s = @a OR id = @b ORDER BY id", "SELECT JSON_ARRAY(@a, @b, @c)",
)  # fmt: skip


@kind("user variable", 4)
def literal(rnd, model):
    count = rnd.choice([1, 1, 2, 3])
    parts = [f"{rnd.choice(NAMES)} {rnd.choice(['=', ':='])} {rnd.choice(LITERALS)}" for _ in range(count)]
    text = "SET " + ", ".join(parts)
    yield query(text, None if text.isascii() else "computed user variable")
    if rnd.random() < 0.5:
        yield query(rnd.choice(ASKS))


@kind("user variables asked", 2)
def asked(rnd, model):
    yield query(rnd.choice(ASKS))


@kind("computed user variable", 2.5)
def computed(rnd, model):
    yield query(f"SET {rnd.choice(NAMES)} = {rnd.choice(COMPUTED)}", "computed user variable")
    if rnd.random() < 0.5:
        yield query(rnd.choice(ASKS))


@kind("user variable assigned in a statement", 1)
def assigned(rnd, model):
    texts = (
        "SELECT @a := 1, @b := @a + 1", "SELECT @c := s FROM {db}.fixed ORDER BY id", "SELECT @d := @d + 1 FROM {db}.fixed",
        "UPDATE {t} SET v = (@e := v + 1) WHERE id = 1", "DO @a := 'done'", "SELECT @a := nonsense", "INSERT INTO {t}(v) VALUES (@b := 4)",
        "SELECT (@a := 2) + (@a := 3)", "SELECT @b := NULL", "EXPLAIN SELECT @never := 1",
    )  # fmt: skip
    yield query(rnd.choice(texts).replace("{t}", model.table), "computed user variable")
    yield query(rnd.choice(ASKS))
