"""Runs clients and faults for a time, then compares what TiDB has with what the clients were told."""
import dataclasses
import threading
import time

from support.link import Link
from support.waiting import wait_until

from .clients import COUNTERS, Committer, Preparer, Reader, Writer
from .faults import Faults
from .ledger import DONE, NOT_DONE, UNKNOWN, Ledger

POOL = {
    "size": 4, "max_overflow": 2, "timeout": "90s", "retry_budget": "90s", "recycle": "3s", "connect_timeout": "5s",
    "backoff": {"initial": "10ms", "max": "200ms"},
}  # fmt: skip


def told(counts):
    return ", ".join(f"{counts[outcome]} {outcome}" for outcome in (DONE, NOT_DONE, UNKNOWN))


@dataclasses.dataclass
class Report:
    seconds: float
    counts: dict
    faults: dict
    reads: int
    reconnects: int
    problems: list
    verdict: object
    retries: float
    replays: dict  # by result, of the transactions of those who have them replayed
    plain: dict  # transactions by outcome, of those who have not
    replayed: dict  # and of those who have
    most: int  # connections to TiDB at once

    @property
    def is_clean(self):
        return self.verdict.is_clean and not self.problems and self.most <= POOL["size"] + POOL["max_overflow"]

    def text(self):
        verdict = self.verdict
        lines = [
            f"operations {self.reads + sum(self.counts.values())} in {self.seconds:.0f} s: {self.reads} reads, "
            f"{self.counts[DONE]} writes acknowledged, {self.counts[NOT_DONE]} not executed, {self.counts[UNKNOWN]} unknown",
            f"faults {sum(self.faults.values())}: " + ", ".join(f"{n} × {name}" for name, n in sorted(self.faults.items())),
            f"run again {self.retries:.0f}, clients reconnected {self.reconnects}, at most {self.most} connections to TiDB",
            f"transactions without replay: {told(self.plain)}; with replay: {told(self.replayed)}; replays: "
            + ", ".join(f"{n:.0f} {result}" for result, n in self.replays.items()),
            f"duplicates {len(verdict.duplicates)}, losses {len(verdict.losses)}, executed in spite of an error "
            f"{len(verdict.ghosts)}, torn {len(verdict.torn)}, wrong sums {len(verdict.counters)}, "
            f"reads failed or wrong {len(self.problems)}",
        ]
        if not self.is_clean:
            lines += [f"{verdict}"[:2000], *self.problems[:10]]
        return "\n".join(lines)


def make_tables(tidb, account):
    """No key makes tokens unique, so that a second one shows."""
    database = account.database
    tidb.execute(
        f"CREATE TABLE {database}.tokens (n BIGINT NOT NULL, KEY (n))",
        f"CREATE TABLE {database}.counters (id INT PRIMARY KEY, n BIGINT NOT NULL)",
        f"INSERT INTO {database}.counters VALUES " + ", ".join(f"({n}, 0)" for n in range(2 * COUNTERS)),
    )


def judge(tidb, account, ledger):
    wait_until(lambda: not tidb.connections_of(account), 60, "TiDB to be done with the last statements")
    tokens = dict(tidb.execute(f"SELECT n, COUNT(*) FROM {account.database}.tokens GROUP BY n"))
    return ledger.judge(tokens, dict(tidb.execute(f"SELECT id, n FROM {account.database}.counters")))


def run(open_door, tidb, seconds, seed, clients=2, progress=lambda text: None):
    """On a durable TiDB of its own; `clients` of each kind with replay of transactions, as many without. Returns a Report."""
    account = tidb.new_account("history")
    replaying = dataclasses.replace(account, user="replaying")
    users = [
        {"name": each.user, "password": account.password, "database": account.database, "replay": each is replaying}
        for each in (account, replaying)
    ]
    make_tables(tidb, account)
    ledger, stopped, still = Ledger(), threading.Event(), threading.Event()
    began = time.monotonic()
    with Link(tidb.port) as link:
        with open_door(tidb, account, port=link.port, config={"log": {"level": "info"}, "users": users}, **POOL) as door:
            kinds = (Writer, Preparer, Committer, Reader)
            crowd = [
                kind(door, each, ledger, f"{seed} {kind} {each.user} {n}", stopped)
                for n in range(clients) for kind in kinds for each in (account, replaying)
            ]  # fmt: skip
            faults = Faults(link, tidb, account, seed, still)
            for client in crowd:
                client.start()
            while time.monotonic() < began + seconds:
                faults.inject()
                assert not any(client.bug for client in crowd), [client.bug for client in crowd if client.bug]
                progress(f"{sum(faults.counts.values())} faults, {ledger.reads} reads, {dict(ledger.counts())}")
            stopped.set()
            for client in crowd:
                client.join(100)
            assert not any(client.is_alive() for client in crowd), "a client waits for ever"
            bugs = [client.bug for client in crowd if client.bug]
            assert not bugs, bugs
            retries = door.proxy.metric("tidepool_retries_total")
            replays = door.proxy.counts("tidepool_replays_total", "result")
        most = link.most
    return Report(
        time.monotonic() - began, ledger.counts(), faults.counts, ledger.reads,
        sum(client.reconnects - 1 for client in crowd), ledger.problems, judge(tidb, account, ledger), retries, replays,
        *(ledger.counts_of(f"transactions of {each.user}") for each in (account, replaying)), most,
    )  # fmt: skip
