"""Users whom the configuration does not list log in with accounts of TiDB, each with backends of its own."""
import contextlib
import secrets
import threading

import MySQLdb
import pymysql
import pytest
import yaml

from support.tidepool import Tidepool
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]


@pytest.fixture(scope="module")
def accounts(tidb):
    """Accounts of TiDB that no configuration knows, of both kinds of passwords."""
    made = {}
    for plugin in ("mysql_native_password", "caching_sha2_password"):
        name, password = f"p_{secrets.token_hex(6)}", secrets.token_hex(8)
        tidb.execute(f"CREATE USER '{name}' IDENTIFIED WITH {plugin} BY '{password}'",
                     f"GRANT ALL ON *.* TO '{name}'")
        made[plugin] = (name, password)
    yield made
    for name, _ in made.values():
        tidb.execute(f"DROP USER IF EXISTS '{name}'")


@pytest.fixture
def passing(tidb, authority, tmp_path):
    """A Tidepool without users of its own."""
    started = []

    def start(**keys):
        certificate = authority.issue("localhost")
        proxy = Tidepool(tmp_path / f"proxy{len(started)}", {
            "listener": {"tls": {"mode": "optional", "certificate": str(certificate.path),
                                 "key": str(certificate.key_path)}},
            "pools": [{"host": tidb.host, "port": tidb.port, "tls": {"ca": str(authority.path)}, "passthrough": True,
                       "size": 2, "max_overflow": 0} | keys],
        })
        started.append(proxy)
        return proxy.start()

    yield start
    for proxy in started:
        proxy.stop()


def log_in(proxy, account, tls=True, **options):
    name, password = account
    where = {"unix_socket": str(proxy.socket_path)} if tls is None else {"host": "127.0.0.1", "port": proxy.port}
    if tls:
        where["ssl"] = {"check_hostname": False, "verify_mode": "none"}
    return pymysql.connect(user=name, password=password, ssl_disabled=not tls, **where, **options)


def reload(proxy, **keys):
    """With other keys of the pool."""
    def reloads():
        return proxy.metric("tidepool_config_reloads_total", result="ok")

    before = reloads()
    proxy.config["pools"][0].update(keys)
    proxy.file.write_text(yaml.safe_dump(proxy.config, sort_keys=False, allow_unicode=True))
    wait_until(lambda: reloads() > before, 20, lambda: f"a reload:\n{proxy.log()[-2000:]}")


def value(connection, sql):
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


@pytest.mark.parametrize("plugin", ["mysql_native_password", "caching_sha2_password"])
@pytest.mark.parametrize("tls", [True, None], ids=["tls", "socket"])
def test_an_account_of_tidb_is_enough(passing, accounts, plugin, tls):
    proxy = passing()
    for _ in range(3):
        with log_in(proxy, accounts[plugin], tls=tls) as connection:
            assert value(connection, "SELECT CURRENT_USER()") == accounts[plugin][0] + "@%"
    assert proxy.metric("tidepool_passthrough_proofs_total", result="right") == 1
    assert proxy.metric("tidepool_passthrough_proofs_total", result="remembered") == 2
    assert proxy.metric("tidepool_passthrough_users") == 1


def test_not_where_somebody_reads_along(passing, accounts):
    proxy = passing()
    with pytest.raises(pymysql.err.OperationalError) as denied:
        log_in(proxy, accounts["mysql_native_password"], tls=False)
    assert denied.value.args[0] == 1045
    assert proxy.metric("tidepool_passthrough_proofs_total", result="right") == 0


def test_each_user_has_backends_of_its_own(passing, accounts):
    proxy = passing()
    one, two = (log_in(proxy, account) for account in accounts.values())
    with one, two:
        names = [name for name, _ in accounts.values()]
        for _ in range(5):
            assert value(one, "SELECT CURRENT_USER()") == names[0] + "@%"
            assert value(two, "SELECT CURRENT_USER()") == names[1] + "@%"
    assert proxy.metric("tidepool_passthrough_users") == 2


def test_a_wrong_password_reaches_tidb_once(passing, accounts, tidb):
    proxy = passing()
    name, password = accounts["mysql_native_password"]
    for _ in range(3):
        with pytest.raises(pymysql.err.OperationalError) as denied:
            log_in(proxy, (name, "guess"))
        assert denied.value.args[0] == 1045
    assert proxy.metric("tidepool_passthrough_proofs_total", result="wrong") == 1
    assert proxy.metric("tidepool_login_failures_total", reason="password") == 3
    with log_in(proxy, (name, password)) as connection:
        assert value(connection, "SELECT 1") == 1


def test_a_changed_password_counts_at_once(passing, tidb):
    proxy = passing()
    name = f"p_{secrets.token_hex(6)}"
    tidb.execute(f"CREATE USER '{name}' IDENTIFIED BY 'old'")
    try:
        with log_in(proxy, (name, "old")) as connection:
            assert value(connection, "SELECT 1") == 1
        tidb.execute(f"ALTER USER '{name}' IDENTIFIED BY 'new'")
        with log_in(proxy, (name, "new")) as connection:
            assert value(connection, "SELECT CURRENT_USER()") == name + "@%"
    finally:
        tidb.execute(f"DROP USER '{name}'")


def test_no_more_users_than_allowed_and_places_come_back(passing, accounts):
    proxy = passing(max_passthrough_users=1, passthrough_lifetime="1s")
    first, second = accounts.values()
    with log_in(proxy, first):
        with pytest.raises(pymysql.err.OperationalError) as refused:
            log_in(proxy, second)
        assert refused.value.args[0] == 1040
        assert "max_passthrough_users" in refused.value.args[1]
    wait_until(lambda: proxy.metric("tidepool_passthrough_users") == 0, 20, lambda: "the first user to go")
    with log_in(proxy, second) as connection:  # perhaps in the very pool that the first one had
        assert value(connection, "SELECT CURRENT_USER()") == second[0] + "@%"
        assert value(connection, "SELECT @@port") is not None


def test_a_crowd_of_one_user_needs_one_proof(passing, accounts):
    proxy = passing()
    account = accounts["caching_sha2_password"]
    failures = []

    def work():
        try:
            with log_in(proxy, account) as connection:
                assert value(connection, "SELECT 1") == 1
        except Exception as error:  # told below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert proxy.metric("tidepool_passthrough_proofs_total", result="right") == 1


def test_listed_users_and_a_reload_stand_beside(passing, accounts, tidb):
    name, password = accounts["mysql_native_password"]
    own = tidb.new_account("listed")
    proxy = passing(user=own.user, password=own.password)
    with log_in(proxy, (own.user, own.password)) as listed, log_in(proxy, (name, password)) as other:
        assert value(listed, "SELECT CURRENT_USER()") == own.user + "@%"
        reload(proxy, size=3)
        assert value(other, "SELECT CURRENT_USER()") == name + "@%"
        other.ping(reconnect=False)
    reload(proxy, passthrough=False)
    with pytest.raises(pymysql.err.OperationalError) as denied:
        log_in(proxy, (name, password))
    assert denied.value.args[0] == 1045


def test_change_of_user_passes_through_too(passing, accounts):
    proxy = passing()
    (one, one_password), (two, two_password) = accounts.values()
    connection = MySQLdb.connect(host="127.0.0.1", port=proxy.port, user=one, passwd=one_password,
                                 ssl_mode="REQUIRED")
    with contextlib.closing(connection):
        assert value(connection, "SELECT CURRENT_USER()") == one + "@%"
        connection.change_user(two, two_password, "test")
        assert value(connection, "SELECT CURRENT_USER()") == two + "@%"
        with pytest.raises(MySQLdb.OperationalError) as denied:
            connection.change_user(one, "guess", "test")
        assert denied.value.args[0] == 1045
