"""SET TRANSACTION is for one transaction: the one that it would be without the proxy, and nobody else's.

A session does something between SET TRANSACTION and BEGIN, while another one uses the pool's only backend; whether its
transaction then is READ COMMITTED shows in whether it sees a row that is inserted later.
"""
import itertools

import pymysql
import pytest

pytestmark = pytest.mark.quick

READ_COMMITTED = "SET TRANSACTION ISOLATION LEVEL READ COMMITTED"
NAMES = itertools.count(1)

# Between SET TRANSACTION and the transaction.
BETWEEN = {
    "nothing": [],
    "a read": ["SELECT 1"],
    "an answer of the proxy": ["COMMIT"],
    "names": ["SET NAMES latin1"],
    "another level": ["SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"],
    "the same level": [READ_COMMITTED],
    "a refused level": ["SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"],
    "an error": ["SELECT nonsense"],
    "no SQL": ["SELEC"],
    "an error and a read": ["SELECT nonsense", "SELECT 1"],
    "an insert that exists": ["INSERT INTO {t} VALUES (0)"],
    "two errors": ["SELECT nonsense", "USE nowhere_at_all"],
    "a comment": ["/* nothing */"],
    "a transaction": ["BEGIN", "COMMIT"],
    "a list that fails": ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY"],
    "warnings": ["SHOW WARNINGS"],
    "USE": ["USE {db}"],
    "a ping": [lambda a: a.ping()],
    "init_db": [lambda a: a.select_db(a.db)],
}  # fmt: skip


def ask(connection, text):
    with connection.cursor() as cursor:
        try:
            cursor.execute(text)
            return cursor.fetchall()
        except pymysql.err.MySQLError as error:
            return error.args[0]


def run(a, tidb, account, between, intrude):
    table = f"{account.database}.next{next(NAMES)}"
    tidb.execute(f"CREATE TABLE {table} (a INT PRIMARY KEY)", f"INSERT INTO {table} VALUES (0)")

    def sees_what_comes_later(row):
        ask(a, "BEGIN")
        tidb.execute(f"INSERT INTO {table} VALUES ({row})")
        seen = ask(a, f"SELECT COUNT(*) FROM {table} WHERE a = {row}")
        ask(a, "COMMIT")
        intrude()
        return seen

    answers = [ask(a, READ_COMMITTED)]
    intrude()
    for step in between:
        answers.append(step(a) if callable(step) else ask(a, step.format(t=table, db=account.database)))
        intrude()
    return [*answers, sees_what_comes_later(1), sees_what_comes_later(2), sees_what_comes_later(3)]


@pytest.fixture(scope="module")
def single(door_opener, tidb, account):
    with door_opener(tidb, account, size=1, timeout="1s") as opened:
        yield opened


@pytest.mark.parametrize("between", BETWEEN)
def test_the_level_is_that_of_a_session_of_its_own(single, tidb, account, between):
    direct = pymysql.connect(
        host="127.0.0.1", port=tidb.port, user=account.user, password=account.password, database=account.database,
        autocommit=True,
    )  # fmt: skip
    with direct, single.connect() as a, single.connect() as intruder:

        def intrude():
            if single.proxy is None or single.proxy.metric("tidepool_backends", state="idle") >= 1:
                ask(intruder, "SELECT 'in between'")

        wanted = run(direct, tidb, account, BETWEEN[between], lambda: None)
        assert run(a, tidb, account, BETWEEN[between], intrude) == wanted


def test_a_time_to_read_from_stays_with_its_session(single, tidb, account):
    table = f"{account.database}.stale{next(NAMES)}"
    tidb.execute(f"CREATE TABLE {table} (a INT PRIMARY KEY)", "DO SLEEP(0.2)")
    with single.connect() as a:
        before = ask(a, "SELECT NOW(3)")[0][0]
        tidb.execute("DO SLEEP(0.2)", f"INSERT INTO {table} VALUES (1)")
        ask(a, f"SET TRANSACTION READ ONLY AS OF TIMESTAMP '{before}'")
        ask(a, "SELECT 1")
        if single.proxy is not None:
            assert single.proxy.metric("tidepool_pinned_sessions", reason="stale_read") == 1
        assert ask(a, f"SELECT COUNT(*) FROM {table}") == ((0,),)
        assert ask(a, f"SELECT COUNT(*) FROM {table}") == ((1,),)
        with single.connect() as b:
            assert ask(b, f"SELECT COUNT(*) FROM {table}") == ((1,),)
