"""What one session does is never seen by another one, although all share a single backend.

Session A does something and either leaves or stays; session B then must find what a session of its own would find. Where A
stays and holds the backend (a transaction, a lock), B has a Tidepool with a second one.
"""
import random
import socket
import threading

import pymysql
import pytest

from support.waiting import wait_until

pytestmark = pytest.mark.quick

# What B looks at; the answers of a fresh session are the expectation.
OBSERVED = """SELECT DATABASE(), @@sql_mode, @@time_zone, @@autocommit, @@character_set_client, @@character_set_results,
    @@character_set_connection, @@collation_connection, @@tx_isolation, @@max_execution_time, @@group_concat_max_len,
    @@tidb_snapshot, @@foreign_key_checks, @@unique_checks, @@sql_select_limit, @@wait_timeout, @@last_insert_id,
    @x, @y, @`Odd name`, CURRENT_ROLE()"""

# Name → what A does. {t} is a table with a row (1, 0); {other} a second database of the account.
DEEDS = {
    "use": ["USE {other}"],
    "init_db": lambda a, names: a.select_db(names["other"]),
    "sql_mode": ["SET sql_mode = 'ANSI_QUOTES'"],
    "sql_mode by expression": ["SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_BACKSLASH_ESCAPES')"],
    "time_zone": ["SET @@session.time_zone = '-07:00'"],
    "names": ["SET NAMES latin1"],
    "names and collation": ["SET NAMES utf8mb4 COLLATE utf8mb4_unicode_ci"],
    "character set": ["SET CHARACTER SET latin1"],
    "autocommit": ["SET autocommit = 0"],
    "autocommit and a write": ["SET autocommit = 0", "UPDATE {t} SET v = 99"],
    "isolation": ["SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"],
    "isolation of the next transaction": ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED"],
    "several variables": ["SET max_execution_time = 1234, @x = 5, foreign_key_checks = 0, @@sql_select_limit = 1"],
    "set that fails half way": ["SET @x = 1, group_concat_max_len = 77, no_such_variable = 1"],
    "set in an executable comment": ["/*!80000 SET @x = 3, unique_checks = 0 */"],
    "set in a TiDB comment": ["/*T! SET @y = 3 */"],
    "user variables": ["SET @x = 'mine', @`Odd name` := 2"],
    "user variable in a select": ["SELECT @x := 7, @y := 'secret'"],
    "last insert id": ["INSERT INTO {t} (v) VALUES (5)"],
    "last insert id by function": ["SELECT LAST_INSERT_ID(4711)"],
    "temporary table": ["CREATE TEMPORARY TABLE only_mine (a INT)", "INSERT INTO only_mine VALUES (1)"],
    "temporary table over a real one": ["CREATE TEMPORARY TABLE {t} (id INT, v INT)", "INSERT INTO {t} VALUES (1, 66)"],
    "lock": ["SELECT GET_LOCK('leak', 1)"],
    "text prepared": ["PREPARE mine FROM 'SELECT 1'"],
    "prepared set": ["PREPARE s FROM 'SET @x = 8'", "EXECUTE s"],
    "open transaction": ["BEGIN", "UPDATE {t} SET v = 77"],
    "open pessimistic transaction": ["BEGIN PESSIMISTIC", "SELECT * FROM {t} FOR UPDATE"],
    "open transaction with a savepoint": ["START TRANSACTION", "INSERT INTO {t} (v) VALUES (1)", "SAVEPOINT s"],
    "error in a transaction": ["BEGIN", "INSERT INTO {t} (v) VALUES (1)", "INSERT INTO {t} (id, v) VALUES (1, 1)"],
    "hint": ["SELECT /*+ SET_VAR(max_execution_time=55) */ 1"],
    "warnings": ["SELECT 1 / 0, CAST('x' AS SIGNED)"],
    "session binding": ["CREATE SESSION BINDING FOR SELECT * FROM {t} USING SELECT * FROM {t}"],
    "wait timeout": ["SET wait_timeout = 1000"],
    "no role": ["SET ROLE NONE"],
    "time of the next transaction": ["SET TRANSACTION READ ONLY AS OF TIMESTAMP NOW(3)", "SELECT 1"],
    "temporary table that is dropped": ["CREATE TEMPORARY TABLE only_mine (a INT)", "DROP TABLE only_mine"],
    "lock and release": ["SELECT GET_LOCK('leak', 1)", "SELECT RELEASE_LOCK('leak')"],
}  # fmt: skip

CHANGE_THE_ROW = {"autocommit and a write", "open transaction"}

HOLDS_ON = {  # while A stays, B needs another backend
    "autocommit and a write", "temporary table", "temporary table over a real one", "lock", "open transaction",
    "time of the next transaction", "open pessimistic transaction", "open transaction with a savepoint", "error in a transaction",
}  # fmt: skip


@pytest.fixture(scope="module")
def other(tidb, account):
    name = f"{account.database}_other"
    tidb.execute(f"CREATE DATABASE {name}", f"GRANT ALL ON {name}.* TO '{account.user}'@'%'")
    tidb.execute(f"GRANT SUPER ON *.* TO '{account.user}'@'%'")  # bindings need it
    return name


@pytest.fixture(scope="module")
def single(door_opener, tidb, account):
    """One backend for everybody."""
    with door_opener(tidb, account, size=1) as opened:
        yield opened


@pytest.fixture
def names(tidb, account, table, other):
    name = table("id INT AUTO_INCREMENT PRIMARY KEY, v INT")
    tidb.execute(f"INSERT INTO {account.database}.{name} VALUES (1, 0)")
    return {"t": name, "other": other}


def rows_of(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def error_of(connection, query):
    with pytest.raises(pymysql.err.MySQLError) as caught:
        rows_of(connection, query)
    return caught.value.args[0]


def do(connection, name, names):
    deed = DEEDS[name]
    if callable(deed):
        deed(connection, names)
        return
    for statement in deed:
        try:
            rows_of(connection, statement.format(**names))
        except pymysql.err.MySQLError as error:
            assert error.args[0] in (1062, 1193), error


def leave(connection, how):
    """Politely, or as a process that is killed: with a reset, so that the proxy gets an error instead of an end."""
    if how == "politely":
        connection.close()
        return
    linger_zero = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    connection._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger_zero)
    connection._force_close()


def assert_fresh(connection, names, expected, a_stays=False):
    """A look at everything that the deeds could have left behind."""
    assert rows_of(connection, "SHOW WARNINGS") == ()
    assert rows_of(connection, OBSERVED) == expected
    assert rows_of(connection, f"SELECT v FROM {names['t']} WHERE id = 1") == ((0,),)
    assert error_of(connection, "SELECT * FROM only_mine") == 1146
    assert error_of(connection, "EXECUTE mine") == 8111
    assert error_of(connection, "EXECUTE s") == 8111
    assert rows_of(connection, "SHOW SESSION BINDINGS") == ()
    assert rows_of(connection, 'SELECT "a\\\\b"') == (("a\\b",),)
    if not a_stays:
        assert rows_of(connection, "SELECT GET_LOCK('leak', 5), RELEASE_LOCK('leak')") == ((1, 1),)
        # Nothing of A holds a row lock, and nothing of it was committed.
        rows_of(connection, "SET innodb_lock_wait_timeout = 5")
        rows_of(connection, f"UPDATE {names['t']} SET v = 0 WHERE id = 1")
        rows_of(connection, "SET innodb_lock_wait_timeout = DEFAULT")
    assert rows_of(connection, OBSERVED) == expected


@pytest.fixture(scope="module")
def expected(tidb, account):
    """What a session of TiDB's own shows that has done nothing."""
    connection = pymysql.connect(
        host="127.0.0.1", port=tidb.port, user=account.user, password=account.password, database=account.database,
        autocommit=True,
    )  # fmt: skip
    with connection:
        return rows_of(connection, OBSERVED)


@pytest.mark.parametrize("how", ["politely", "abruptly"])
@pytest.mark.parametrize("deed", DEEDS)
def test_nothing_is_left_when_a_session_has_gone(single, names, expected, deed, how):
    a = single.connect()
    do(a, deed, names)
    leave(a, how)
    with single.connect() as b:
        assert_fresh(b, names, expected)


@pytest.mark.parametrize("deed", [name for name in DEEDS if name not in HOLDS_ON])
def test_a_session_that_stays_is_not_seen_by_one_that_was_there_before(door, names, expected, deed):
    with door.connect() as b, door.connect() as a:
        assert rows_of(b, OBSERVED) == expected
        do(a, deed, names)
        assert_fresh(b, names, expected, a_stays=True)


@pytest.mark.parametrize("deed", sorted(HOLDS_ON))
def test_a_session_that_holds_something_keeps_it_to_itself(door, names, expected, deed):
    with door.connect() as b, door.connect() as a:
        do(a, deed, names)
        assert_fresh(b, names, expected, a_stays=True)
    with door.connect() as c:
        assert_fresh(c, names, expected)


def test_many_sessions_keep_their_own_settings_in_turns(door):
    """Twelve sessions, each set differently, asked in a random order."""
    order = random.Random(6033)
    sessions = []
    for number in range(12):
        connection = door.connect()
        rows_of(connection, f"SET time_zone = '+{number:02}:00', group_concat_max_len = {1000 + number}")
        sessions.append((number, connection))
    for _ in range(10):
        order.shuffle(sessions)
        for number, connection in sessions:
            answer = rows_of(connection, "SELECT @@time_zone, @@group_concat_max_len")
            assert answer == ((f"+{number:02}:00", 1000 + number),)
    for _, connection in sessions:
        connection.close()


def test_sessions_keep_their_own_user_variables_in_turns(door):
    """As many sessions as backends: each may keep one."""
    sessions = [door.connect() for _ in range(3)]
    for number, connection in enumerate(sessions):
        rows_of(connection, f"SET @x = {number}, @y = @x * 2")
    for number, connection in list(enumerate(sessions)) * 5:
        assert rows_of(connection, "SELECT @x, @y") == ((number, number * 2),)
    for connection in sessions:
        connection.close()


def test_orders_of_deeds_leave_nothing_behind(single, names, expected):
    """Sixty sessions, each with three deeds in an order that a seed gives, on one backend."""
    order = random.Random(4000)
    for _ in range(60):
        deeds = order.sample(sorted(DEEDS), 3)
        # The next BEGIN commits what is open: a change of the row comes last, or not at all.
        changing = [deed for deed in deeds if deed in CHANGE_THE_ROW]
        deeds = [deed for deed in deeds if deed not in changing] + changing[:1]
        a = single.connect()
        for deed in deeds:
            try:
                do(a, deed, names)
            except (AssertionError, pymysql.err.MySQLError):
                pass  # one may forbid another: USE and then a table of the first database
        leave(a, order.choice(["politely", "abruptly"]))
        with single.connect() as b:
            try:
                assert_fresh(b, names, expected)
            except AssertionError as error:
                raise AssertionError(f"after {deeds}: {error}") from error


def test_a_client_that_vanishes_in_the_middle_of_an_answer_leaves_nothing(single, names, expected):
    for _ in range(5):
        a = single.connect()
        cursor = a.cursor(pymysql.cursors.SSCursor)
        cursor.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
            "SELECT a.i, REPEAT('x', 1000) FROM n a JOIN n b WHERE b.i <= 20"
        )
        assert cursor.fetchone()
        leave(a, "abruptly")
        cursor._result.unbuffered_active = False  # or its end would try to read the rest
        with single.connect() as b:
            assert_fresh(b, names, expected)


def test_a_client_that_vanishes_while_its_statement_waits_leaves_nothing(door, names, expected):
    """Its statement waits for a row lock; what it would have done must not happen later either."""
    with door.connect() as holder:
        rows_of(holder, "BEGIN PESSIMISTIC")
        rows_of(holder, f"SELECT * FROM {names['t']} WHERE id = 1 FOR UPDATE")
        a = door.connect()
        rows_of(a, "BEGIN PESSIMISTIC")
        waiting = threading.Thread(target=lambda: swallow(a, f"UPDATE {names['t']} SET v = 55 WHERE id = 1"))
        waiting.start()
        pattern = f"UPDATE {names['t']} SET v = 55%"
        query = f"SELECT id FROM information_schema.processlist WHERE info LIKE '{pattern}'"
        wait_until(lambda: door.tidb.execute(query), 10, "the update to run")
        a._sock.shutdown(socket.SHUT_RDWR)
        waiting.join(20)
        assert not waiting.is_alive()
        rows_of(holder, "ROLLBACK")
    with door.connect() as b:
        assert_fresh(b, names, expected)


def swallow(connection, statement):
    try:
        rows_of(connection, statement)
    except Exception:
        pass  # whatever a broken connection raises
