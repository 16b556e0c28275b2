"""The link to TiDB breaks while a statement is on it: what the client sees, by kind of statement and place of the break."""
import contextlib
import dataclasses

import MySQLdb
import pytest
from sqlalchemy.dialects.mysql import mysqldb

import raw_protocol as raw
from support.fault_bench import NOT_EXECUTED, UNKNOWN, error_of, expect_end, expect_error, rows_of
from support.link import CLOSE, DELAY, DOWN, RESET, SILENCE, UP
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

# What gets lost on its way up is not executed; that whose answer gets lost is.
SPOTS = {"request": (UP, 0), "half of the request": (UP, 5), "answer": (DOWN, 0)}
WAYS = [("tls", RESET), ("plain", CLOSE)]
LARGE = "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i, REPEAT('x', 2000) FROM n"


@pytest.fixture(params=WAYS, ids=" ".join)
def broken(bench_of, request):
    """A bench, and what happens to its link."""
    name, what = request.param
    bench = bench_of(name)
    yield bench, what
    bench.expect_calm()


@dataclasses.dataclass
class Kind:
    statement: str
    told: str
    before: tuple = ()
    ends_client: bool = False
    rows: int = 0  # tokens, if TiDB has got it


KINDS = {
    "write": Kind("INSERT INTO tokens VALUES ({n})", UNKNOWN, rows=1),
    "many writes": Kind("INSERT INTO tokens VALUES ({n}), ({n}), ({n})", UNKNOWN, rows=3),
    "locking read": Kind("SELECT * FROM tokens FOR UPDATE", UNKNOWN),
    "assignment": Kind("SELECT @a := 1", UNKNOWN),
    "ddl": Kind("CREATE TABLE t_{n} (a INT)", UNKNOWN),
    "write in a transaction": Kind("INSERT INTO tokens VALUES ({n})", NOT_EXECUTED, ("BEGIN", "SELECT 1"), True),
    "read in a transaction": Kind("SELECT * FROM tokens", NOT_EXECUTED, ("BEGIN", "INSERT INTO tokens VALUES ({n})"), True),
    "commit": Kind("COMMIT", UNKNOWN, ("BEGIN", "INSERT INTO tokens VALUES ({n})"), True, 1),
    "ddl that commits": Kind(
        "CREATE TABLE t_{n} (a INT)", UNKNOWN, ("BEGIN", "INSERT INTO tokens VALUES ({n})"), True, 1
    ),
    "rollback": Kind("ROLLBACK", UNKNOWN, ("BEGIN", "INSERT INTO tokens VALUES ({n})"), True),
    "write without autocommit": Kind("INSERT INTO tokens VALUES ({n})", NOT_EXECUTED, ("SET autocommit = 0", "SELECT 1", "COMMIT")),
}


@pytest.mark.parametrize("spot", SPOTS)
@pytest.mark.parametrize("name", KINDS)
def test_what_may_not_be_run_again_is_told_in_its_words(broken, name, spot):
    (bench, what), kind, (side, after) = broken, KINDS[name], SPOTS[spot]
    bench.warm()
    with bench.door.connect() as client:
        rows_of(client, "SELECT 1")  # so that nothing is to be restored any more
        for statement in kind.before:
            rows_of(client, statement.format(n=bench.token))
        fault = bench.link.arm(what, side, after=after)
        expect_error(lambda: rows_of(client, kind.statement.format(n=bench.token)), kind.told)
        assert fault.struck == 1
        if kind.ends_client:
            expect_end(client)
        else:
            assert rows_of(client, "SELECT 5") == ((5,),)
    assert bench.since("unknown_outcomes") == (kind.told == UNKNOWN)
    assert bench.since("retries") == 0
    assert bench.rows() == (kind.rows if side == DOWN else 0)


HARMLESS = {
    "read": "SELECT COUNT(*), MAX(n) FROM tokens WHERE n < 0",
    "show": "SHOW TABLES LIKE 'nothing'",
    "session variable": "SET time_zone = '+05:00'",
    "database": "USE {database}",
}


@pytest.mark.parametrize("spot", SPOTS)
@pytest.mark.parametrize("name", HARMLESS)
def test_what_is_harmless_is_run_again_and_answered(broken, name, spot):
    (bench, what), (side, after) = broken, SPOTS[spot]
    statement = HARMLESS[name].format(database=bench.door.account.database)
    with bench.door.connect() as client:
        expected = rows_of(client, statement)
        rows_of(client, "SET time_zone = '+01:00'")
        bench.warm()
        fault = bench.link.arm(what, side, after=after, times=2)
        assert rows_of(client, statement) == expected
        zone = "+05:00" if "time_zone" in statement else "+01:00"
        assert rows_of(client, "SELECT @@time_zone") == ((zone,),)
    assert fault.struck == 2
    assert bench.since("unknown_outcomes") == 0


@pytest.mark.parametrize("spot", SPOTS)
def test_a_write_whose_backend_is_lost_before_it_was_sent_is_executed_once(broken, spot):
    """The session's state is restored first, and that is what breaks."""
    (bench, what), (side, after) = broken, SPOTS[spot]
    with bench.door.connect() as client:
        rows_of(client, "SET time_zone = '+03:00'")
        bench.warm()
        fault = bench.link.arm(what, side, after=after, times=2)
        rows_of(client, f"INSERT INTO tokens VALUES ({bench.token})")
    # The second may strike the ping of a backend that the loss of the first has made doubtful.
    assert fault.struck == 2 and bench.since("retries") in (1, 2)
    assert bench.since("unknown_outcomes") == 0
    assert bench.rows() == 1


@pytest.mark.parametrize("spot", SPOTS)
def test_prepared_statements_are_run_again_or_told_like_others(broken, spot):
    (bench, what), (side, after) = broken, SPOTS[spot]
    account = bench.door.account
    client = raw.RawClient(("127.0.0.1", bench.door.port), account.user, account.password, account.database)
    bench.warm()
    fault = bench.link.arm(what, side, after=after)
    read = client.command(raw.PREPARE, b"SELECT COUNT(*) FROM tokens WHERE n < 0")
    write = client.command(raw.PREPARE, f"INSERT INTO tokens VALUES ({bench.token})".encode())
    assert not read.error and not write.error and fault.struck == 1
    read, write = [answer.packets[0][5:9] + b"\0\1\0\0\0" for answer in (read, write)]
    bench.warm()
    fault = bench.link.arm(what, side, after=after)
    assert not client.command(raw.EXECUTE, read).error and fault.struck == 1
    assert not client.command(raw.EXECUTE, write).error
    assert bench.rows() == 1 and bench.since("unknown_outcomes") == 0
    bench.warm()
    assert not client.command(raw.EXECUTE, write).error
    fault = bench.link.arm(what, side, after=after)
    number, text = client.command(raw.EXECUTE, write).error
    assert number == 2013 and UNKNOWN in text and fault.struck == 1
    assert bench.rows() == (3 if side == DOWN else 2) and bench.since("unknown_outcomes") == 1
    assert not client.command(raw.EXECUTE, read).error
    client.close()


def test_mysqlclient_reads_of_a_lost_connection_what_others_read(broken):
    """It is built on MariaDB Connector/C, which hides a server's 2013 and its text behind 2027, "malformed packet"."""
    (bench, what), account = broken, broken[0].door.account
    bench.warm()
    where = {"host": "127.0.0.1", "port": bench.door.port, "database": account.database}
    with contextlib.closing(MySQLdb.connect(user=account.user, passwd=account.password, autocommit=True, **where)) as client:
        client.query("SELECT 1")  # so that nothing is to be restored any more
        client.store_result()
        fault = bench.link.arm(what, DOWN)
        with pytest.raises(MySQLdb.OperationalError) as caught:
            client.query(f"INSERT INTO tokens VALUES ({bench.token})")
    number, text = caught.value.args
    assert UNKNOWN in text and fault.struck == 1
    assert is_disconnect_for_sqlalchemy(caught.value)
    assert "libmariadb" not in client_library() or number == 4031
    assert bench.rows() == 1


def is_disconnect_for_sqlalchemy(error):
    return mysqldb.dialect(dbapi=MySQLdb).is_disconnect(error, None, None)


def client_library():
    """The library that MySQLdb is linked with."""
    return " ".join(line.split()[-1] for line in open("/proc/self/maps") if "libmariadb" in line or "libmysqlclient" in line)


def test_half_an_answer_ends_the_clients_connection(broken):
    """Nothing else can tell it: what it has got cannot be taken back."""
    bench, what = broken
    bench.warm()
    with bench.door.connect() as client:
        assert len(rows_of(client, LARGE)) == 1000
        fault = bench.link.arm(what, DOWN, after=1_000_000)
        error = error_of(lambda: rows_of(client, LARGE))
        assert error.args[0] == 2013 and "query (" not in error.args[1], error
        expect_end(client)
    assert fault.struck == 1 and bench.since("retries") == 0 and bench.since("unknown_outcomes") == 0


# Silence: TiDB is gone and nothing tells it.


def test_a_client_that_gives_up_on_a_silent_link_leaves_nothing(tls_bench):
    tls_bench.warm(1)
    with tls_bench.door.connect(read_timeout=1) as client:
        rows_of(client, "SELECT 1")
        fault = tls_bench.link.arm(SILENCE, DOWN)
        error = error_of(lambda: rows_of(client, f"INSERT INTO tokens VALUES ({tls_bench.token})"))
        assert error.args[0] == 2013 and "timed out" in error.args[1]
    assert fault.struck == 1 and tls_bench.rows() == 1


def test_what_a_silence_swallows_is_treated_as_lost_when_it_ends(bench):
    with bench.door.connect() as client:
        for side in (UP, DOWN):
            bench.warm()
            fault = bench.link.arm(SILENCE, side, seconds=0.2)
            assert rows_of(client, "SELECT 1") == ((1,),)
            assert fault.struck == 1
        bench.warm()
        rows_of(client, "SELECT 1")
        fault = bench.link.arm(SILENCE, DOWN, seconds=0.2)
        expect_error(lambda: rows_of(client, f"INSERT INTO tokens VALUES ({bench.token})"), UNKNOWN)
        assert rows_of(client, "SELECT 1") == ((1,),)
    assert bench.rows() == 1 and bench.since("unknown_outcomes") == 1


def test_a_link_that_is_only_slow_changes_nothing(bench):
    with bench.door.connect() as client:
        for side in (UP, DOWN):
            bench.warm()
            fault = bench.link.arm(DELAY, side, after=7, seconds=0.2)
            rows_of(client, f"INSERT INTO tokens VALUES ({bench.token})")
            assert fault.struck == 1
    assert bench.rows() == 2 and bench.since("retries") == 0 and bench.since("unknown_outcomes") == 0


def test_the_places_of_silent_backends_are_free_again_when_their_clients_have_left(tls_bench):
    tls_bench.warm()
    tls_bench.link.strike(SILENCE)
    for _ in range(2):
        with tls_bench.door.connect(read_timeout=1) as client:
            error_of(lambda: rows_of(client, "SELECT 1"))
    wait_until(lambda: tls_bench.link.silent == 0, 30, "the silent backends to be closed")
