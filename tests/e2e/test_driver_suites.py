"""The test suites that aiomysql and mysqlclient ship: each test has the same outcome through the proxy as on TiDB.

Many of them fail on TiDB, which is not MySQL (procedures, XA, SAVEPOINT names …): through the proxy they fail with the
same message.
"""
import collections
import concurrent.futures
import re

import pytest

from support import driver_suites
from support.tidb import Account, TidbServer

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

SUITES = {"aiomysql": driver_suites.run_aiomysql, "mysqlclient": driver_suites.run_mysqlclient}

# Tests whose outcome depends on the machine, on TiDB itself too, and why.
UNSTEADY = {
    "test_connection_concurrent_use_raises": "wants two threads of the client to be run within 0.1 s",
    "test_result_concurrent_use_raises": "wants a second thread of the client to be run while the first one reads",
}

# Tests of what is decided otherwise, and how.
DECIDED = {
    "test_auth_plugin_renegotiation": "a client that offers mysql_clear_password over TLS is taken at its word; TiDB changes its plugin",
}

# aiomysql's suite takes a server of version 8.0 for MySQL and creates users with sha256_password, which TiDB does not have.
VERSION = "8.5.0-TiDB"
# Addresses of objects, random names, ports, times: what differs between any two runs.
CHANGING = re.compile(r"0x[0-9a-f]+|[0-9a-f]{16,}|\d+(\.\d+)?")


@pytest.fixture(scope="module")
def servers(tmp_path_factory, authority):
    """One for each side, so that both run at once: the suites are root there and drop databases."""
    made = [
        TidbServer(tmp_path_factory.mktemp("tidb"), authority.issue("localhost", "127.0.0.1"), version=VERSION)
        for _ in range(2)
    ]
    try:
        for server in made:
            server.start().execute(f"CREATE DATABASE {driver_suites.DATABASE}")
        yield made
    finally:
        for server in made:
            server.crash()


@pytest.fixture(scope="module")
def door(door_opener, servers, authority):
    certificate = authority.issue("localhost", "127.0.0.1")
    listener = {"tls": {"mode": "optional", "certificate": str(certificate.path), "key": str(certificate.key_path)}}
    with door_opener(servers[1], Account("root", "", ""), config={"listener": listener}) as opened:
        yield opened


def comparable(outcome):
    name, message = outcome
    return name, CHANGING.sub("N", message)


def name_of(test):
    """Without module and parameters."""
    return test.rsplit("::", 1)[1].split("[")[0]


def differences(direct, proxied):
    for test in sorted(direct.keys() | proxied.keys()):
        expected, got = direct.get(test, ("missing", "")), proxied.get(test, ("missing", ""))
        if comparable(expected) != comparable(got) and name_of(test) not in UNSTEADY | DECIDED:
            yield f"{test}\n  on TiDB: {': '.join(expected)}\n  through the proxy: {': '.join(got)}"


def counts_of(outcomes):
    counts = collections.Counter(outcome for outcome, _ in outcomes.values())
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))


@pytest.mark.timeout(2000)
@pytest.mark.parametrize("suite", SUITES)
def test_a_drivers_own_suite_has_the_same_outcomes_as_on_tidb(servers, door, suite, tmp_path, capsys):
    places = {"on TiDB": servers[0].port, "through the proxy": door.port}
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        jobs = {}
        for number, (side, port) in enumerate(places.items()):
            (scratch := tmp_path / str(number)).mkdir()
            jobs[side] = threads.submit(SUITES[suite], port, scratch)
    direct, proxied = (job.result() for job in jobs.values())
    with capsys.disabled():
        print(f"\n{suite} on TiDB: {counts_of(direct)}; through the proxy: {counts_of(proxied)}")
    assert not (found := list(differences(direct, proxied))), "\n".join(found)
    assert sum(outcome == "passed" for outcome, _ in direct.values()) > 100
