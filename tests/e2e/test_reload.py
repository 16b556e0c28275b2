"""The configuration changes while clients work."""
import contextlib
import copy
import os
import re
import signal
import threading

import pymysql
import pytest
import yaml
from cryptography import x509

from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]


class Settings:
    """The proxy's file; each change replaces it by renaming, as editors do."""

    def __init__(self, proxy):
        self.proxy = proxy
        self.value = copy.deepcopy(proxy.config)

    def counted(self, result):
        return self.proxy.metric("tidepool_config_reloads_total", result=result)

    def replace(self, text):
        new = self.proxy.file.with_suffix(".new")
        new.touch(mode=0o600)
        new.write_text(text)
        os.replace(new, self.proxy.file)

    def write(self, result="ok"):
        """Returns once the proxy has noticed by itself."""
        before = self.counted(result)
        self.replace(yaml.safe_dump(self.value, sort_keys=False))
        wait_until(lambda: self.counted(result) > before, 20, lambda: f"a reload:\n{self.proxy.log()[-2000:]}")

    def hang_up(self, result="ok"):
        before = self.counted(result)
        os.kill(self.proxy.pid, signal.SIGHUP)
        wait_until(lambda: self.counted(result) > before, 20, lambda: f"a reload:\n{self.proxy.log()[-2000:]}")


def one(connection, query):
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()[0]


@contextlib.contextmanager
def working(door, count):
    """Clients that write and read all the time; any error is one of the test, and each must have done something."""
    ends, errors, turns = threading.Event(), [], [0] * count

    def work(number):
        try:
            with door.connect() as connection:
                with connection.cursor() as cursor:
                    cursor.execute("SET @mine = %s", (number,))
                while not ends.is_set():
                    connection.begin()
                    with connection.cursor() as cursor:
                        cursor.execute("INSERT INTO counted (client) VALUES (%s)", (number,))
                    connection.commit()
                    assert one(connection, "SELECT @mine") == number
                    with door.connect() as other:
                        assert one(other, "SELECT SLEEP(0.01)") == 0
                    turns[number] += 1
        except Exception as error:  # kept for the test, in whose thread it counts
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield turns
    finally:
        ends.set()
        for thread in threads:
            thread.join(60)
    assert not errors, errors
    assert all(turns)


def test_clients_notice_nothing_of_many_reloads(open_door, tidb):
    account, late = tidb.new_account("reloaded"), tidb.new_account("late")
    door = open_door(account, size=3, config={"workers": 2})
    with door.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TABLE counted (id INT AUTO_INCREMENT PRIMARY KEY, client INT)")
    settings = Settings(door.proxy)
    pool = settings.value["pools"][0]
    more = copy.deepcopy(pool) | {"name": "late", "user": late.user, "password": late.password, "database": late.database}
    user = {"name": late.user, "password": late.password, "pool": "late"}
    with working(door, 4) as turns:
        for number in range(12):
            pool["size"] = 2 + number % 3
            pool["tls"]["min_version"] = "1.3" if number % 4 == 1 else "1.2"  # every backend anew
            settings.value["log"]["level"] = ("debug", "info")[number % 2]
            settings.value["pools"] = [pool, more] if number % 3 == 1 else [pool]
            users = [one for one in settings.value["users"] if one["name"] != late.user]
            settings.value["users"] = [*users, user] if number % 3 == 1 else users
            settings.write()
            if number % 3 == 1:
                with door.connect(late) as connection:
                    assert one(connection, "SELECT 1") == 1
            settings.hang_up()
            before = list(turns)
            wait_until(lambda before=before: all(a > b for a, b in zip(turns, before)), 30, "everybody to go on")
    with door.connect() as connection:
        assert one(connection, "SELECT COUNT(*) FROM counted") == sum(turns)
    assert settings.counted("failed") == 0


def test_a_wrong_file_changes_nothing_and_the_log_says_where(open_door, tidb):
    account = tidb.new_account("wrong")
    door = open_door(account)
    settings = Settings(door.proxy)
    good = copy.deepcopy(settings.value)
    with door.connect() as connection:
        settings.value["max_clients"] = 1  # right, but in a wrong file
        settings.value["pools"][0]["sise"] = 7
        settings.write("failed")
        assert one(connection, "SELECT 1") == 1
        with door.connect() as second:
            assert one(second, "SELECT 2") == 2
        assert re.search(r"configuration not reloaded.*tidepool\.yaml:\d+:\d+: .*sise", door.proxy.log())
        assert door.proxy.metric("tidepool_config_last_reload_successful") == 0
        settings.value = good
        settings.value["max_clients"] = 123
        settings.value["workers"] = 7
        settings.write()
        assert door.proxy.metric("tidepool_clients_max") == 123
        assert door.proxy.metric("tidepool_workers") == 1
        assert re.search("needs a restart.*workers", door.proxy.log())
        assert door.proxy.metric("tidepool_config_last_reload_successful") == 1
        assert one(connection, "SELECT 3") == 3


def test_a_session_whose_user_is_gone_ends_after_its_transaction(open_door, tidb):
    account, other = tidb.new_account("gone"), tidb.new_account("stays")
    door = open_door(account, other)
    settings = Settings(door.proxy)
    with door.connect() as idle, door.connect() as busy, door.connect(other) as unconcerned:
        assert one(idle, "SELECT 1") == 1
        busy.begin()
        assert one(busy, "SELECT 1") == 1
        del settings.value["pools"][0], settings.value["users"][0]
        settings.write()
        with pytest.raises(pymysql.err.OperationalError):
            one(idle, "SELECT 1")
        assert one(busy, "SELECT 2") == 2
        busy.commit()
        with pytest.raises(pymysql.err.OperationalError):
            one(busy, "SELECT 3")
        assert one(unconcerned, "SELECT 4") == 4
        with pytest.raises(pymysql.err.OperationalError) as refused:
            door.connect()
        assert refused.value.args[0] == 1045
    count = f"SELECT COUNT(*) FROM information_schema.processlist WHERE user = '{account.user}'"
    wait_until(lambda: tidb.execute(count) == ((0,),) or tidb.execute(count) == [(0,)], 20, "its backends to go")


def test_the_metric_of_a_certificates_end_follows_its_file(open_door, account, authority):
    old, new = authority.issue("localhost", expired=True), authority.issue("localhost")
    shown = authority.issue("localhost", expired=True)

    def show(certificate):
        for source, target in ((certificate.key_path, shown.key_path), (certificate.path, shown.path)):
            target.write_bytes(source.read_bytes())

    def end_of(certificate):
        return x509.load_pem_x509_certificate(certificate.path.read_bytes()).not_valid_after_utc.timestamp()

    show(old)
    tls = {"mode": "optional", "certificate": str(shown.path), "key": str(shown.key_path)}
    proxy = open_door(account, config={"listener": {"tls": tls}}).proxy
    metric = "tidepool_certificate_expiry_timestamp_seconds"
    assert proxy.metric(metric, key="tls.certificate", listener=f"127.0.0.1:{proxy.port}") == end_of(old)
    show(new)
    wait_until(lambda: proxy.metric(metric, key="tls.certificate") == end_of(new), 20, "the new certificate")


def test_the_metric_of_an_authoritys_end_follows_its_file(open_door, account, authority, tmp_path):
    """That of the last one in the file: what counts is when none of them is good any more."""
    certificate, expired = authority.issue("localhost"), authority.issue("localhost", expired=True)
    end, shown_end, old_end = (
        x509.load_pem_x509_certificate(one.path.read_bytes()).not_valid_after_utc.timestamp()
        for one in (authority, certificate, expired)
    )
    clients, servers = tmp_path / "clients.pem", tmp_path / "servers.pem"
    clients.write_bytes(expired.path.read_bytes())
    servers.write_bytes(expired.path.read_bytes() + authority.path.read_bytes())
    tls = {"mode": "optional", "certificate": str(certificate.path), "key": str(certificate.key_path)}
    tls |= {"client_ca": str(clients), "verify_client": "optional"}
    proxy = open_door(account, tls={"ca": str(servers)}, config={"listener": {"tls": tls}}).proxy
    metric = "tidepool_certificate_expiry_timestamp_seconds"
    assert proxy.counts(metric, "key") == {"tls.certificate": shown_end, "tls.client_ca": old_end, "tls.ca": end}
    assert proxy.metric(metric, pool=account.user) == end
    servers.write_bytes(expired.path.read_bytes())
    wait_until(lambda: proxy.metric(metric, key="tls.ca") == old_end, 20, "the file of the pool's authorities")
