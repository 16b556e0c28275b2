"""What the program that people run has against faults in memory, and what a crash leaves behind."""
import os
import re
import resource
import signal
import subprocess

import pytest
import yaml

from support.processes import free_port
from support.tidepool import binary
from support.waiting import wait_until

pytestmark = pytest.mark.proxy_only
RELEASE = "TIDEPOOL_BINARY" not in os.environ


def look(*command):
    return subprocess.run([*command, binary()], check=True, capture_output=True, text=True).stdout


@pytest.mark.skipif(not RELEASE, reason="debug builds and sanitizers have other means")
def test_the_binary_is_hardened():
    program, dynamic, symbols = look("readelf", "-lW"), look("readelf", "-dW"), look("readelf", "-W", "--dyn-syms")
    assert re.search(r"Elf file type is DYN \(Position-Independent Executable", program)
    assert "GNU_RELRO" in program and "BIND_NOW" in dynamic, "its table of addresses can be written"
    assert re.search(r"GNU_STACK .* RW ", program), "its stack can be executed"
    assert "__stack_chk_fail" in symbols, "no stack protector"
    assert re.search(r"__\w+_chk\b", symbols.replace("__stack_chk", "")), "no checks of sizes (_FORTIFY_SOURCE)"
    if "X86-64" in look("readelf", "-h"):
        assert "SHSTK" in look("readelf", "-nW"), "returns may go anywhere (-fcf-protection)"


@pytest.mark.parametrize("core_dumps", [False, True])
def test_a_crash_leaves_a_core_dump_only_where_that_is_wanted(tmp_path, core_dumps):
    """With passwords and rows in it."""
    pool = {"host": "127.0.0.1", "port": free_port(), "user": "u", "password": "x", "min_idle": 0}
    file = tmp_path / "tidepool.yaml"
    file.touch(mode=0o600)
    settings = {"listeners": [{"address": f"127.0.0.1:{free_port()}"}], "http": {"address": "off"}, "pools": [pool], "users": [{"name": "u", "password": "x"}]}
    file.write_text(yaml.safe_dump(settings | {"core_dumps": core_dumps}))
    with (tmp_path / "log").open("w") as log:
        crashing = subprocess.Popen([binary(), "--config", file], cwd=tmp_path, stdout=log, stderr=log, preexec_fn=allow_core_dumps)
    wait_until(lambda: "listening address=" in (tmp_path / "log").read_text(), 30, "the start")
    crashing.send_signal(signal.SIGSEGV)
    _, status = os.waitpid(crashing.pid, 0)
    crashing.returncode = status
    assert os.WIFSIGNALED(status)
    if core_dumps and not os.WCOREDUMP(status):
        pytest.skip("this machine writes no core dumps")
    assert os.WCOREDUMP(status) == core_dumps


def allow_core_dumps():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
