"""Nothing lost, nothing done twice, whatever breaks: see history/. scripts/soak runs the same for longer."""
import dataclasses

import pytest

from history.history import run
from history.ledger import DONE, NOT_DONE, UNKNOWN, Ledger, Write
from support.tidb import TidbServer

pytestmark = pytest.mark.proxy_only
SECONDS, SEED = 40, 1


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_write_is_as_its_client_was_told_whatever_breaks(door_opener, tmp_path_factory, authority):
    server = TidbServer(tmp_path_factory.mktemp("history"), authority.issue("localhost"), durable=True)
    try:
        report = run(door_opener, server.start(), SECONDS, SEED)
    finally:
        server.crash()
    print(report.text())
    assert report.is_clean, report.text()
    assert report.replays["replayed"] > 0, report.text()
    assert report.reads > 100 and report.counts[DONE] > 100 and sum(report.faults.values()) > 10
    assert report.plain[DONE] > 20 and report.replayed[DONE] > 20


def ledger_of(*writes):
    ledger = Ledger()
    for write, outcome in writes:
        ledger.note(write, outcome)
    return ledger


RIGHT = ledger_of(
    (Write((1,)), DONE), (Write((2, 3), 0), UNKNOWN), (Write((4,)), NOT_DONE), (Write(counter=0), DONE)
)  # fmt: skip


@pytest.mark.parametrize("tokens, counter", [({1: 1}, 1), ({1: 1, 2: 1, 3: 1}, 2)])
def test_the_unknown_may_be_there_or_not(tokens, counter):
    assert RIGHT.judge(tokens, {0: counter}).is_clean


@pytest.mark.parametrize(
    "kind, tokens, counter",
    [
        ("duplicates", {1: 2}, 1),
        ("losses", {}, 1),
        ("ghosts", {1: 1, 4: 1}, 1),
        ("ghosts", {1: 1, 5: 1}, 1),
        ("torn", {1: 1, 3: 1}, 1),
        ("counters", {1: 1}, 0),
        ("counters", {1: 1}, 3),
    ],
)
def test_each_deviation_is_found(kind, tokens, counter):
    verdict = dataclasses.asdict(RIGHT.judge(tokens, {0: counter}))
    assert [name for name, found in verdict.items() if found] == [kind]
