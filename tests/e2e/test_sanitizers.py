"""A sanitizer's report fails the test whose program wrote it, whatever becomes of the program."""
import pytest

from support.processes import Program
from support.sanitizers import REPORTS, Reports

pytestmark = pytest.mark.quick

WRITTEN = (
    "==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x1", "==7==ERROR: LeakSanitizer: detected memory leaks",
    "WARNING: ThreadSanitizer: data race (pid=7)", "src/x.cc:1:2: runtime error: signed integer overflow",
)  # fmt: skip


@pytest.mark.parametrize("line", WRITTEN)
def test_a_report_is_found_once(tmp_path, line):
    output = tmp_path / "log"
    reports = Reports()
    reports.watch(output)
    output.write_text("2026 info  listening\n")
    assert not reports.new()
    with open(output, "a") as file:
        file.write(f"{line}\n    #0 somewhere")
    (found,) = reports.new()
    assert found.splitlines()[0] in line
    assert not reports.new()


def test_every_program_is_watched(tmp_path):
    program = Program(["bash", "-c", f"echo '{WRITTEN[0]}' >&2; kill -KILL $$"], tmp_path / "log")
    assert program.wait(10) == -9
    (found,) = REPORTS.new()
    assert found.startswith("ERROR: AddressSanitizer")
