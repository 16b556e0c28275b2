"""TiDB cannot be reached, or its connection breaks before a statement: no client sees it."""
import contextlib
import itertools

import MySQLdb
import pytest

from support.fault_bench import error_of, expect_end, rows_of
from support.link import CLOSE, DELAY, DOWN, RESET, SILENCE, UP
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]


def read(bench):
    with bench.door.connect() as client:
        return rows_of(client, "SELECT 7")


@contextlib.contextmanager
def new_client_that_is_served(bench):
    """After the block, during which it may have to wait."""
    with bench.later(lambda: read(bench)) as answer:
        yield answer
        assert answer.result(30) == ((7,),)


@pytest.mark.parametrize("what", [RESET, CLOSE])
def test_a_dial_that_breaks_at_any_byte_is_made_again(bench, what):
    """Greeting, TLS, login, the look at the new backend's settings, and then what the client's login and read need."""
    bench.cool()
    assert read(bench) == ((7,),)
    whole = bench.link.passed
    for side, share in itertools.product((UP, DOWN), (n / 20 for n in range(18))):
        bench.cool()
        fault = bench.link.arm(what, side, after=int(whole[side] * share), new_only=True, times=2)
        assert read(bench) == ((7,),)
        wait_until(lambda: fault.struck == 2, 20, lambda: f"both faults at {share} of {side}: {fault}")
        bench.link.disarm()


@pytest.mark.parametrize("what", [RESET, CLOSE])
def test_a_connection_that_ends_at_once_is_made_again(tls_bench, what):
    tls_bench.cool()
    fault = tls_bench.link.arm(what, new_only=True, times=3)
    assert read(tls_bench) == ((7,),)
    assert fault.struck == 3


@pytest.mark.parametrize("side, share", [(None, 0), (UP, 0), (DOWN, 0.2), (UP, 0.3)])
def test_a_dial_that_hears_no_more_is_given_up_and_made_again(tls_bench, side, share):
    tls_bench.warm(1)
    after = int(tls_bench.link.passed[side] * share) if side else 0
    tls_bench.cool()
    failed = tls_bench.failed_dials()
    fault = tls_bench.link.arm(SILENCE, side, after=after, new_only=True)
    assert read(tls_bench) == ((7,),)
    assert fault.struck == 1
    assert tls_bench.failed_dials() == failed + 1


@pytest.mark.parametrize("way", ["refuse", "ignore"])
def test_clients_wait_while_no_connect_succeeds(tls_bench, way):
    tls_bench.cool()
    failed = tls_bench.failed_dials()
    getattr(tls_bench.link, way)()
    with new_client_that_is_served(tls_bench) as answer:
        wait_until(lambda: tls_bench.failed_dials() > failed, 20, "a dial to fail")
        assert not answer.done()
        tls_bench.link.accept()


def test_a_slow_dial_is_awaited(tls_bench):
    tls_bench.cool()
    failed = tls_bench.failed_dials()
    fault = tls_bench.link.arm(DELAY, DOWN, after=100, seconds=0.2, new_only=True)
    assert read(tls_bench) == ((7,),)
    assert fault.struck == 1 and tls_bench.failed_dials() == failed


def test_a_name_that_does_not_resolve_is_told(open_door, account):
    door = open_door(account, host="tidb.invalid", timeout="1s", ready=False)
    error = error_of(door.connect)
    assert "tidb.invalid" in error.args[1] and error.args[0] != 2013, error
    with pytest.raises(MySQLdb.OperationalError) as caught:
        MySQLdb.connect(host="127.0.0.1", port=door.port, user=account.user, passwd=account.password)
    assert "tidb.invalid" in caught.value.args[1], caught.value


@pytest.mark.parametrize("what", [RESET, CLOSE])
def test_backends_that_are_lost_while_idle_are_replaced_unseen(bench, what):
    with bench.door.connect() as client:
        for _ in range(3):
            bench.warm()
            bench.cool(what)
            rows_of(client, f"INSERT INTO tokens VALUES ({bench.token})")
    assert bench.rows() == 3
    assert bench.since("unknown_outcomes") == 0


def test_a_transaction_whose_backend_is_lost_between_its_statements_ends_its_client_alone(bench):
    with bench.door.connect() as client, bench.door.connect() as bystander:
        client.begin()
        rows_of(client, f"INSERT INTO tokens VALUES ({bench.token})")
        bench.cool(RESET)
        expect_end(client)
        assert rows_of(bystander, f"SELECT * FROM tokens WHERE n = {bench.token}") == ()
    assert bench.since("unknown_outcomes") == 0
