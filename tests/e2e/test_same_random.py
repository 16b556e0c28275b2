"""Random programs over many sessions answer the same, packet by packet, through the proxy as on TiDB itself.

As many statements as TIDEPOOL_SAME_STATEMENTS says; `python -m same` in this directory does the same without pytest. A difference prints the least
program that shows it; fixed ones are in same/cases.py.
"""
import itertools
import os

import pytest

from same.arena import Arena
from same.campaign import Wanted, campaign
from same.cases import CASES
from same.steps import Act, Step
from support.tidb import TidbServer

pytestmark = [pytest.mark.proxy_only, pytest.mark.slow, pytest.mark.timeout(300)]

STATEMENTS = int(os.environ.get("TIDEPOOL_SAME_STATEMENTS", "0"))


@pytest.fixture(scope="module")
def arena(tmp_path_factory, authority, tidb, door_opener):
    direct = TidbServer(tmp_path_factory.mktemp("direct"), authority.issue("localhost", "127.0.0.1"))
    try:
        made = Arena(direct.start(), tidb, door_opener)
        try:
            yield made
        finally:
            made.close()
    finally:
        direct.crash()


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("name", CASES)
def test_programs_that_differed(arena, name, size):
    steps = [Step(session, 0, Act(op), name) for session, op in CASES[name]]
    difference = arena.run(steps, size)
    assert not difference, str(difference)


@pytest.mark.skipif(not STATEMENTS, reason="TIDEPOOL_SAME_STATEMENTS says how many")
def test_random_programs(arena):
    report = campaign(arena, itertools.count(), statements=STATEMENTS)
    print(report)
    assert not report.found, str(report)


@pytest.mark.skipif(not STATEMENTS, reason="TIDEPOOL_SAME_STATEMENTS says how many")
def test_random_programs_at_once(arena):
    report = campaign(arena, itertools.count(1000), Wanted(threads=True), statements=STATEMENTS // 4)
    print(report)
    assert not report.found, str(report)
