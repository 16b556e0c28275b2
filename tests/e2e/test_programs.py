"""The test programs in C++ that need a real TiDB: ctest has none for them."""
import os
import subprocess

import pytest

from support.tidepool import binary

pytestmark = pytest.mark.proxy_only


@pytest.mark.parametrize("program", ["e2e/backend_tidb_test", "oracle/restore_tidb_test"])
def test_a_program_passes_and_skips_nothing(program, tidb, authority):
    path = binary().parent / "tests" / program
    environment = os.environ | {"TIDEPOOL_TIDB_PORT": str(tidb.port), "TIDEPOOL_TIDB_CA": str(authority.path)}
    ended = subprocess.run([path], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout[-8000:]
    assert "[  SKIPPED ]" not in ended.stdout and "[  PASSED  ]" in ended.stdout, ended.stdout[-8000:]
