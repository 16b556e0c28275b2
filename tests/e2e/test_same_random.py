"""Random programs over many sessions answer the same, packet by packet, through the proxy as on TiDB itself.

A few thousand statements, one after the other and at once, or as many as TIDEPOOL_SAME_STATEMENTS says; `python -m same` in this
directory does the same without pytest, and scripts/nightly at length. A difference prints the least program that shows it; fixed ones are in same/cases.py.
"""
import contextlib
import itertools
import os

import pytest

from same.arena import Arena
from same.campaign import Wanted, campaign
from same.cases import CASES
from same.steps import Act, Step
from support.tidb import TidbServer

pytestmark = [pytest.mark.proxy_only, pytest.mark.slow, pytest.mark.timeout(300)]

FEW, FEW_AT_ONCE = 3000, 1000
ASKED = int(os.environ.get("TIDEPOOL_SAME_STATEMENTS", "0"))


@pytest.fixture(scope="module")
def arena(tmp_path_factory, authority, door_opener):
    """Both servers are fresh: what other tests left in theirs would be a difference."""
    with contextlib.ExitStack() as stack:
        servers = []
        for name in ("direct", "behind"):
            server = TidbServer(tmp_path_factory.mktemp(name), authority.issue("localhost", "127.0.0.1"))
            stack.callback(server.crash)
            servers.append(server.start())
        yield stack.enter_context(contextlib.closing(Arena(*servers, door_opener)))


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_programs_that_differed(arena, name, size):
    steps = [Step(session, 0, Act(op), name) for session, op in CASES[name]]
    difference = arena.run(steps, size)
    assert not difference, str(difference)


def test_random_programs(arena):
    report = campaign(arena, itertools.count(130300), statements=ASKED or FEW)
    print(report)
    assert not report.found, str(report)


def test_random_programs_at_once(arena):
    report = campaign(arena, itertools.count(1000), Wanted(threads=True), statements=ASKED // 4 or FEW_AT_ONCE)
    print(report)
    assert not report.found, str(report)
