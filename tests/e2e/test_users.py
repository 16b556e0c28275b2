"""The ways of users to log in, each with the drivers that people use: docs/users.md."""
import contextlib
import dataclasses
import getpass
import os
import pathlib
import ssl
import subprocess

import mysql.connector
import MySQLdb
import pymysql
import pytest
import yaml

from support.certificates import Authority
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

ROOT = pathlib.Path(__file__).resolve().parents[2]
WRONG = "no password of anybody"


@dataclasses.dataclass
class Client:
    """What a login needs, in words that each driver's arguments are made of."""

    door: object
    user: str
    password: str = ""
    authority: pathlib.Path | None = None  # TLS
    certificate: object = None
    clear: bool = False

    @property
    def place(self):
        return {"host": "localhost" if self.authority else "127.0.0.1", "port": self.door.port}


def pymysql_of(client):
    tls = {}
    if client.authority:
        tls["ssl"] = ssl.create_default_context(cafile=client.authority)
        if client.certificate:
            tls["ssl"].load_cert_chain(client.certificate.path, client.certificate.key_path)
    return pymysql.connect(**client.place, user=client.user, password=client.password, connect_timeout=30, **tls)


def mysqlclient_of(client):
    tls = {}
    if client.authority:
        tls["ssl"] = {"ca": str(client.authority)}
        if client.certificate:
            tls["ssl"] |= {"cert": str(client.certificate.path), "key": str(client.certificate.key_path)}
    return MySQLdb.connect(**client.place | {"host": "127.0.0.1"}, user=client.user, passwd=client.password, **tls)


def connector_of(pure):
    def connect(client):
        tls = {"ssl_disabled": True}
        if client.authority:
            tls = {"ssl_ca": str(client.authority), "ssl_verify_cert": True}
            if client.certificate:
                tls |= {"ssl_cert": str(client.certificate.path), "ssl_key": str(client.certificate.key_path)}
        if client.clear:
            tls["auth_plugin"] = "mysql_clear_password"
        return mysql.connector.connect(
            **client.place | {"host": "127.0.0.1"}, user=client.user, password=client.password, use_pure=pure, **tls
        )

    return connect


PYTHON = {
    "PyMySQL": pymysql_of,
    "mysqlclient": mysqlclient_of,
    "mysql-connector in Python": connector_of(True),
    "mysql-connector in C": connector_of(False),
}


def logs_in(connect, client):
    """Whether it is let in; whoever is not gets 1045 and nothing else."""
    try:
        with contextlib.closing(connect(client)) as connection, contextlib.closing(connection.cursor()) as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchall() in [((1,),), [(1,)]]
        return True
    except (pymysql.err.OperationalError, MySQLdb.OperationalError, mysql.connector.Error) as error:
        assert error.args[0] == 1045, error
        return False


def go_logs_in(client):
    program = ROOT / "build" / "e2e" / "go-client"
    assert program.exists(), "scripts/test builds it"
    environment = {
        "DB_HOST": "127.0.0.1", "DB_PORT": str(client.door.port), "DB_USER": client.user,
        "DB_PASSWORD": client.password, "DB_NAME": client.door.account.database,
        "DB_CLEAR_PASSWORD": "1" if client.clear else "", "DB_TLS_CA": str(client.authority or ""),
    }  # fmt: skip
    if client.certificate:
        environment |= {"DB_TLS_CERTIFICATE": str(client.certificate.path), "DB_TLS_KEY": str(client.certificate.key_path)}
    answer = subprocess.run([program], env=os.environ | environment, capture_output=True, text=True, timeout=60)
    return answer.stdout == "ok\n"


def mariadb_logs_in(client, *options):
    """The command line, whose library is that of many drivers."""
    command = ["mariadb", "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", client.door.port]
    command += ["-u", client.user, "--batch", "--skip-column-names", "-e", "SELECT 'in'", *options]
    command += [f"--ssl-ca={client.authority}"] if client.authority else ["--skip-ssl"]
    if client.certificate:
        command += [f"--ssl-cert={client.certificate.path}", f"--ssl-key={client.certificate.key_path}"]
    environment = os.environ | {"MYSQL_PWD": client.password}
    answer = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, timeout=60)
    return answer.stdout == "in\n"


def stored(tidb, plugin, password):
    """A hash as TiDB keeps it, in hex as MySQL prints it where it must."""
    tidb.execute(f"CREATE USER stored_form IDENTIFIED WITH '{plugin}' BY '{password}'")
    ((text, digits),) = tidb.execute(
        "SELECT authentication_string, HEX(authentication_string) FROM mysql.user WHERE user = 'stored_form'"
    )
    tidb.execute("DROP USER stored_form")
    return text if plugin == "mysql_native_password" else "0x" + digits


@pytest.fixture
def account(tidb):
    return tidb.new_account("users")


@pytest.fixture
def open_users(open_door, account, authority):
    """A door with TLS whose users have those keys, besides name and pool."""
    certificate = authority.issue("localhost", "127.0.0.1")
    tls = {"mode": "optional", "certificate": str(certificate.path), "key": str(certificate.key_path)}

    def open_it(users, tls_keys=(), **listener):
        all_users = [{"name": name, "pool": account.user, "database": account.database} | keys for name, keys in users.items()]
        return open_door(account, config={"listener": {"tls": tls | dict(tls_keys)} | listener, "users": all_users})

    return open_it


def logins(door, **labels):
    return door.proxy.metric("tidepool_logins_total", **labels)


# --- Two passwords


@pytest.mark.parametrize("encrypted", [True, False], ids=["TLS", "TCP"])
def test_two_passwords_in_each_form_let_every_driver_in(open_users, tidb, authority, encrypted):
    native = lambda password: stored(tidb, "mysql_native_password", password)  # noqa: E731
    sha2 = lambda password: stored(tidb, "caching_sha2_password", password)  # noqa: E731
    users = {
        "texts": {"password": "new", "secondary_password": "old"},
        "old_native": {"password_hash": sha2("new"), "secondary_password_hash": native("old")},
        "new_native": {"password_hash": native("new"), "secondary_password_hash": sha2("old")},
        "both_sha2": {"password_hash": sha2("new"), "secondary_password_hash": sha2("old")},
        "mixed": {"password": "new", "secondary_password_hash": sha2("old")},
    }
    door = open_users(users)
    ca = authority.path if encrypted else None
    for user in users:
        for connect in PYTHON.values():
            for password in ("new", "old"):
                for _ in range(2):  # the second time by the fast path
                    assert logs_in(connect, Client(door, user, password, ca)), (user, password, connect)
        assert go_logs_in(Client(door, user, "new", ca)) and go_logs_in(Client(door, user, "old", ca)), user
        for plugin in ("mysql_native_password", "caching_sha2_password"):
            for password in ("new", "old"):
                assert mariadb_logs_in(Client(door, user, password, ca), f"--default-auth={plugin}"), (user, plugin)
        assert not logs_in(pymysql_of, Client(door, user, WRONG, ca))
        assert logins(door, user=user, proof="primary") >= 8 and logins(door, user=user, proof="secondary") >= 8


def test_a_password_is_changed_while_clients_work(open_users, account):
    door = open_users({"app": {"password": "old"}})

    def change(**keys):
        reloads = door.proxy.metric("tidepool_config_reloads_total", result="ok")
        config = yaml.safe_load(door.proxy.file.read_text())
        config["users"] = [{"name": "app", "pool": account.user} | keys]
        new = door.proxy.file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(yaml.safe_dump(config))
        os.replace(new, door.proxy.file)
        wait_until(lambda: door.proxy.metric("tidepool_config_reloads_total", result="ok") > reloads, 20, "a reload")

    old, new = Client(door, "app", "old"), Client(door, "app", "new")
    assert logs_in(pymysql_of, old)
    with contextlib.closing(pymysql_of(old)) as stays:
        change(password="new", secondary_password="old")
        assert logs_in(pymysql_of, old) and logs_in(pymysql_of, new)
        assert (logins(door, proof="primary"), logins(door, proof="secondary")) == (3, 1)
        change(password="new")
        assert not logs_in(pymysql_of, old) and logs_in(pymysql_of, new)
        with stays.cursor() as cursor:
            assert cursor.execute("SELECT 1") == 1


# --- The password itself


@pytest.mark.parametrize("form", ["text", "mysql_native_password", "caching_sha2_password"])
def test_a_password_in_the_clear_is_asked_for_over_tls(open_users, tidb, authority, form):
    stored_form = {"password": "new"} if form == "text" else {"password_hash": stored(tidb, form, "new")}
    door = open_users({"app": stored_form | {"secondary_password": "old"}}, clear_password=True)
    for password, right in (("new", True), ("old", True), (WRONG, False)):
        client = Client(door, "app", password, authority.path, clear=True)
        assert logs_in(pymysql_of, client) == right
        assert logs_in(connector_of(True), client) == right
        assert go_logs_in(client) == right
        assert mariadb_logs_in(client) == right
    careful = Client(door, "app", "new", authority.path)
    assert not go_logs_in(careful), "Go's driver sends it only where it may"
    assert go_logs_in(Client(door, "app", "new")), "over plain TCP nothing has changed"


def test_a_client_that_offers_the_password_itself_is_taken_at_its_word(open_users, authority):
    door = open_users({"app": {"password": "new"}})
    option = "--default-auth=mysql_clear_password"
    assert mariadb_logs_in(Client(door, "app", "new", authority.path), option)
    assert not mariadb_logs_in(Client(door, "app", WRONG, authority.path), option)
    assert "by=primary" in door.proxy.log()


# --- Certificates


@pytest.fixture
def clients(tmp_path):
    """The authority of clients' certificates."""
    folder = tmp_path / "clients"
    folder.mkdir()
    return Authority(folder, "Clients of the test")


CERTIFIED = {"app": {"certificate_names": ["app.example.com"]}, "other": {"password": "pw"}}


@pytest.mark.parametrize("name", PYTHON)
def test_a_certificate_logs_a_python_driver_in(open_users, authority, clients, name):
    door = open_users(CERTIFIED, {"client_ca": str(clients.path), "verify_client": "optional"})
    connect, own = PYTHON[name], clients.issue("app.example.com")
    for password in ("", WRONG):
        assert logs_in(connect, Client(door, "app", password, authority.path, own))
        assert not logs_in(connect, Client(door, "other", password, authority.path, own))
        assert not logs_in(connect, Client(door, "app", password, authority.path))
    assert logs_in(connect, Client(door, "other", "pw", authority.path, own))
    assert logins(door, user="app", proof="certificate") == 2
    assert "by=certificate" in door.proxy.log()


def test_a_certificate_logs_go_and_the_command_line_in(open_users, authority, clients):
    door = open_users(CERTIFIED, {"client_ca": str(clients.path)})
    own = clients.issue("somebody", "app.example.com")
    assert go_logs_in(Client(door, "app", "", authority.path, own))
    for plugin in ("mysql_native_password", "caching_sha2_password"):
        for password in ("", WRONG):
            assert mariadb_logs_in(Client(door, "app", password, authority.path, own), f"--default-auth={plugin}")
    for bad in (None, clients.issue("app.example.com", expired=True), authority.issue("app.example.com")):
        assert not go_logs_in(Client(door, "app", "", authority.path, bad))
        assert not mariadb_logs_in(Client(door, "app", "", authority.path, bad))
    assert not go_logs_in(Client(door, "other", "pw")), "not without TLS either"


def test_another_authority_counts_as_soon_as_its_file_is_there(open_users, authority, clients, tmp_path):
    ca = tmp_path / "current.pem"
    ca.write_bytes(clients.path.read_bytes())
    door = open_users(CERTIFIED, {"client_ca": str(ca)})
    folder = tmp_path / "next"
    folder.mkdir()
    following = Authority(folder, "The next authority of clients")
    old, new = (each.issue("app.example.com") for each in (clients, following))
    comes_in = lambda own: mariadb_logs_in(Client(door, "app", "", authority.path, own))  # noqa: E731
    assert comes_in(old) and not comes_in(new)
    ca.write_bytes(following.path.read_bytes())
    wait_until(lambda: comes_in(new), 20, "the next authority to count")
    assert not comes_in(old)


# --- Users of this machine


def test_a_unix_user_logs_in_at_the_socket(open_users):
    door = open_users({"app": {"unix_users": [getpass.getuser()]}, "other": {"unix_users": ["daemon"], "password": "pw"}})

    def comes_in(user, password="", socket=True):
        where = {"unix_socket": str(door.socket_path)} if socket else {"host": "127.0.0.1", "port": door.port}
        return logs_in(lambda _: pymysql.connect(user=user, password=password, **where), None)

    assert comes_in("app") and comes_in("app", WRONG)
    assert not comes_in("app", socket=False)
    assert not comes_in("other") and comes_in("other", "pw")
    command = ["mariadb", "--no-defaults", "--socket", door.socket_path, "-u", "app", "--batch", "-e", "SELECT 1"]
    subprocess.run([str(word) for word in command], check=True, timeout=60)
    assert logins(door, user="app", proof="unix_user") == 3
