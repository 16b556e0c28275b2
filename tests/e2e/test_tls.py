"""A TiDB that does not prove who it is gets no password, and the client and the log are told why."""
import re
import shutil

import pymysql
import pytest

from support.certificates import Authority
from support.tidb import Account, TidbServer
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

REASONS = {
    "wrong name": r"certificate is for .*tidb\.example\.com",
    "unknown authority": r"(self.signed|unable to get|unknown|issuer|verify failed)",
    "expired": r"expired",
    "no TLS": r"(TLS|SSL)",
}


@pytest.fixture(scope="module")
def foreign_authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("foreign"), "An authority that nobody knows")


@pytest.fixture(scope="module")
def impostor(tmp_path_factory, authority, foreign_authority):
    """A TiDB whose certificate is exchanged while it runs, and what it has to exchange."""
    certificates = {
        "right": authority.issue("localhost"),
        "wrong name": authority.issue("tidb.example.com"),
        "unknown authority": foreign_authority.issue("localhost"),
        "expired": authority.issue("localhost", expired=True),
    }
    shown = authority.issue("localhost")
    server = TidbServer(tmp_path_factory.mktemp("impostor"), shown)

    def show(name):
        shutil.copy(certificates[name].path, shown.path)
        shutil.copy(certificates[name].key_path, shown.key_path)
        server.execute("ALTER INSTANCE RELOAD TLS")

    try:
        server.start()
        server.account = server.new_account()
        yield server, show
    finally:
        server.crash()


@pytest.fixture(scope="module")
def plaintext_server(tmp_path_factory):
    server = TidbServer(tmp_path_factory.mktemp("plaintext"))
    try:
        server.start()
        server.account = server.new_account()
        yield server
    finally:
        server.crash()


def use(door):
    """From connect to the first answer: where a refusal shows is the proxy's choice."""
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        return cursor.fetchall()


def assert_refused(door, reason):
    with pytest.raises(pymysql.err.MySQLError) as caught:
        use(door)
    code, text = caught.value.args
    assert code != 2013, f"the connection was cut instead of answered: {text}"
    assert re.search(REASONS[reason], text, re.IGNORECASE), text
    assert re.search(REASONS[reason], door.proxy.log(), re.IGNORECASE)
    assert door.account.password not in text + door.proxy.log()
    status, body = door.proxy.http("/readyz")
    assert status == 503, body


@pytest.mark.parametrize("reason", ["wrong name", "unknown authority", "expired"])
def test_a_certificate_that_proves_nothing_is_refused_with_the_reason(open_door, impostor, reason):
    server, show = impostor
    show(reason)
    door = open_door(server.account, server=server, ready=False, timeout="3s")
    assert_refused(door, reason)
    assert server.connections_of(server.account) == []
    # The proxy goes on trying: as soon as the certificate is right, it serves.
    show("right")
    wait_until(door.proxy.is_ready, 20, "the proxy to find the right certificate")
    assert use(door) == ((1,),)


def test_a_server_without_tls_is_refused_with_the_reason(open_door, plaintext_server):
    server = plaintext_server
    door = open_door(server.account, server=server, ready=False, timeout="3s")
    assert_refused(door, "no TLS")
    assert server.connections_of(server.account) == []


@pytest.mark.parametrize(
    "mode, certificate", [("verify_ca", "wrong name"), ("required", "unknown authority"), ("required", "expired")]
)
def test_weaker_verification_that_is_asked_for_explicitly_serves(open_door, impostor, mode, certificate):
    server, show = impostor
    show(certificate)
    tls = {"mode": mode} if mode == "verify_ca" else {"mode": mode, "ca": ""}
    door = open_door(server.account, server=server, tls=tls)
    assert use(door) == ((1,),)


def test_plaintext_to_this_machine_serves_where_it_is_asked_for(open_door, plaintext_server):
    server = plaintext_server
    door = open_door(server.account, server=server, tls={"mode": "disabled", "ca": ""})
    assert use(door) == ((1,),)


def test_a_wrong_password_of_the_pool_is_named_to_the_client_and_in_the_log(open_door, tidb):
    account = tidb.new_account()
    door = open_door(Account(account.user, "not it", account.database), ready=False, timeout="3s")
    with pytest.raises(pymysql.err.MySQLError) as caught:
        use(door)
    assert caught.value.args[0] != 2013
    assert "Access denied" in caught.value.args[1]
    assert "Access denied" in door.proxy.log()
    assert "not it" not in door.proxy.log()
    assert door.proxy.http("/readyz")[0] == 503
