"""The benchmark still works: every figure is there. What they are is for people, not for a test."""
import os
import pathlib
import subprocess

import pytest

from support.tidepool import binary

pytestmark = [pytest.mark.slow, pytest.mark.proxy_only]

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.mark.timeout(300)
def test_the_benchmark_prints_all_of_its_tables():
    answer = subprocess.run(
        [ROOT / "scripts" / "bench", "--smoke"], env=os.environ | {"TIDEPOOL_BINARY": str(binary())},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stdout[-5000:]
    rows = [line for line in answer.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) == 3 + 8 + 3 + 4, answer.stdout
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert all(cells), row
