"""What sanitizers report in the output of the programs that the tests start, however these end."""
import re

REPORT = re.compile(rb"(ERROR: (Address|Leak|Thread)Sanitizer|WARNING: ThreadSanitizer|runtime error:).*")


class Reports:
    """Reads each output once, from where it ended the last time."""

    def __init__(self):
        self._read = {}  # output → bytes

    def watch(self, output):
        self._read.setdefault(output, output.stat().st_size if output.exists() else 0)

    def new(self):
        """What was reported since, with the file that has it."""
        found = []
        for output, start in list(self._read.items()):
            if not output.exists():
                del self._read[output]
                continue
            with open(output, "rb") as file:
                file.seek(start)
                written = file.read()
            whole = written.rfind(b"\n") + 1  # a line that is being written is read the next time
            self._read[output] = start + whole
            found += [f"{report.group(0).decode(errors='replace')}\nin {output}" for report in REPORT.finditer(written[:whole])]
        return found


REPORTS = Reports()
