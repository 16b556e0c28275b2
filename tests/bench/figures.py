"""CPU clocks of processes, medians with their spread, tables."""
import statistics
import time


def cpu_ns(pid):
    """User and system time of a process with all its threads: its CPU clock, exact where /proc/PID/stat has ticks."""
    return time.clock_gettime_ns((~pid << 3) | 2)


class Series:
    """One figure of every round."""

    def __init__(self, values=()):
        self.values = list(values)

    def add(self, value):
        self.values.append(value)

    @property
    def median(self):
        return statistics.median(self.values)

    def over(self, other):
        """The ratio of each round: noise of the machine that lasts longer than a round is in both and goes out."""
        return Series(mine / theirs for mine, theirs in zip(self.values, other.values) if theirs)

    def text(self, digits=2):
        """The median, and in brackets the quartiles."""
        if not self.values:
            return "-"
        if len(self.values) < 4:
            low, high = min(self.values), max(self.values)
        else:
            low, _, high = statistics.quantiles(self.values, n=4)
        return f"{self.median:.{digits}f} [{low:.{digits}f}-{high:.{digits}f}]"


def show_table(title, header, rows):
    print(f"\n{title}\n")
    cells = [header, *[[str(cell) for cell in row] for row in rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    for number, row in enumerate(cells):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print(flush=True)
