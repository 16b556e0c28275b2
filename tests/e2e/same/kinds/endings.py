"""COMMIT, ROLLBACK, savepoints and BEGIN in every form that TiDB's grammar has, and in some that it refuses.

In ASCII: how wide SHOW WARNINGS is after a syntax error in other characters, the proxy does not know in every character set of results
(docs/known-differences.md).
"""
import raw_protocol as raw

from . import kind
from ..model import command, query, quoted
from ..not_yet import pins
from ..steps import Act
from .tables import WRITES, filled

GAPS = (" ",) * 12 + ("  ", "\n", "\t", "/**/", " /* c */ ", " -- c\n", " #c\n", " /*! */ ", "")
LAST = ("",) * 8 + (";", " ;", ";;", " -- c", " #", "/* e */", "/*! */", "/*! foo */", "\0", ";\0", " \0\0")
JUNK = ("foo", "1", "''", ")", "@a", ",", "WORK", "x.y", "?", "CHAIN", "`a`")
NAMES = ("a", "b", "A", "`a`", "`a b`", "x", "none", "'a'", '"a"', "1", "@a", "work", "a.b")
COMPLETIONS = (
    "", "", "", "WORK", "AND CHAIN", "AND NO CHAIN", "AND CHAIN NO RELEASE", "AND NO CHAIN RELEASE", "AND NO CHAIN NO RELEASE", "RELEASE", "NO RELEASE",
    "WORK AND CHAIN", "WORK RELEASE", "AND CHAIN RELEASE", "AND RELEASE", "NO CHAIN", "CHAIN", "RELEASE AND CHAIN",
)  # fmt: skip
OPENINGS = (
    "BEGIN", "BEGIN WORK", "BEGIN PESSIMISTIC", "BEGIN OPTIMISTIC", "BEGIN PESSIMISTIC WORK", "START TRANSACTION", "START TRANSACTION READ ONLY",
    "START TRANSACTION READ WRITE", "START TRANSACTION WITH CONSISTENT SNAPSHOT", "START TRANSACTION WITH CAUSAL CONSISTENCY ONLY",
    "START TRANSACTION READ WRITE , READ ONLY", "START TRANSACTION WITH CONSISTENT SNAPSHOT , READ ONLY", "START", "START TRANSACTION PESSIMISTIC",
)  # fmt: skip
ASKED = (
    "SHOW WARNINGS", "SHOW ERRORS", "SHOW COUNT ( * ) WARNINGS", "SHOW COUNT ( * ) WARNINGSX", "SHOW COUNT ( 1 ) ERRORS", "SHOW SESSION WARNINGS", "SHOW WARNING",
    "SHOW WARNINGS LIMIT 1", "SHOW WARNINGS LIMIT 0 , 1", "SHOW COUNT ( * ) ERRORS LIMIT 1", "SELECT ROW_COUNT ( )", "SELECT ROW_COUNT ( ) , 1", "SELECT ROW_COUNT",
    "SELECT FOUND_ROWS ( )", "SELECT LAST_INSERT_ID ( )", "SELECT LAST_INSERT_ID ( ) x", "SELECT @@warning_count", "SELECT @@warning_count x", "USE {db}", "USE",
    "SET NAMES utf8mb4", "SET autocommit = @@autocommit", "SELECT @@autocommit", "SELECT DATABASE ( )",
)  # fmt: skip


def spelt(rnd, text):
    """As somebody would write it who has never seen the usual form; sometimes wrong."""
    words = text.split()
    if rnd.random() < 0.2:
        words.insert(rnd.randint(1, len(words)), rnd.choice(JUNK))
    if rnd.random() < 0.07 and len(words) > 1:
        del words[rnd.randrange(1, len(words))]
    change = rnd.choice([str, str, str.lower, str.title])
    words = [word if "{" in word else change(word) for word in words]
    written = words[0]
    for word in words[1:]:
        gap = rnd.choice(GAPS)
        written += (gap if gap or not (written[-1].isalnum() and word[0].isalnum()) else " ") + word
    return written + rnd.choice(LAST)


def ending(rnd):
    word = rnd.choice(["COMMIT", "ROLLBACK"])
    if rnd.random() < 0.25:
        return f"ROLLBACK {rnd.choice(['', 'WORK '])}{rnd.choice(['TO', 'TO SAVEPOINT'])} {rnd.choice(NAMES)}"
    if rnd.random() < 0.2:
        return f"{rnd.choice(['SAVEPOINT', 'SAVEPOINT', 'RELEASE SAVEPOINT', 'RELEASE'])} {rnd.choice(NAMES)}"
    return f"{word} {rnd.choice(COMPLETIONS)}"


def sent(rnd, model, text, takes):
    """As a query, among several, or prepared."""
    form = rnd.random()
    if form < 0.75 or "\0" in text:
        yield Act(("query", text), takes)
    elif form < 0.85:
        yield Act(("query", rnd.choice(["SELECT 1; {}", "{}; SELECT 1", "{}; {}"]).replace("{}", text)), takes)
    elif form < 0.93:
        yield Act(("prepare", "ending", text))
        yield Act(("execute", "ending"), takes)
        yield Act(("close_statement", "ending"))
    else:
        yield query(f"PREPARE ending FROM {quoted(text)}")
        yield Act(("query", "EXECUTE ending"), takes)


@kind("end of a transaction in other words", 2.5)
def other_words(rnd, model):
    """Inside a transaction or outside of one: which, the generator does not know for certain from the first step on."""
    held = pins("transaction")
    if rnd.random() < 0.6:
        model.begin()
        yield from sent(rnd, model, spelt(rnd, rnd.choice(OPENINGS)), held)
    for _ in range(rnd.randint(1, 4)):
        if rnd.random() < 0.5:
            yield Act(query(filled(rnd, model, rnd.choice(WRITES))).op, held)
        yield from sent(rnd, model, spelt(rnd, ending(rnd)), held)
        yield Act(rnd.choice([command(raw.PING), query("SHOW WARNINGS"), query("SELECT ROW_COUNT()"), query(f"SELECT COUNT(*) FROM {model.table}")]).op, held)
    model.end()
    yield query("ROLLBACK", drops=held if model.autocommit else ())
    yield query(f"SELECT COUNT(*), SUM(v) FROM {model.table}")


@kind("question in other words", 1.5)
def question(rnd, model):
    if rnd.random() < 0.5:
        yield query(filled(rnd, model, rnd.choice(WRITES)))
    yield query(spelt(rnd, rnd.choice(ASKED)))
    yield query(rnd.choice(["SHOW WARNINGS", "SELECT ROW_COUNT()"]))
