"""Makes a program that differs small: leaves out whatever is not needed for the difference (delta debugging)."""
from .steps import is_possible


def shrink(steps, size, differs, budget=120):
    """`differs(steps)`: whether the last step of them still differs. At most `budget` programs are run."""
    last, kept = steps[-1:], list(steps[:-1])
    runs = 0

    def still(part):
        nonlocal runs
        candidate = part + last
        if runs >= budget or not is_possible(candidate, size):
            return False
        runs += 1
        return differs(candidate)

    for session in sorted({step.session for step in kept} - {last[0].session}):
        part = [step for step in kept if step.session != session]
        if len(part) < len(kept) and still(part):
            kept = part
    chunk = max(1, len(kept) // 2)
    while kept:
        kept = without_chunks(kept, chunk, still)
        if chunk == 1:
            smaller = without_chunks(kept, 1, still)
            if len(smaller) == len(kept) or runs >= budget:
                break
            kept = smaller
        chunk = max(1, chunk // 2)
    return kept + last


def without_chunks(kept, chunk, still):
    """From the end to the beginning: what comes late is needed least often."""
    end = len(kept)
    while end > 0:
        start = max(0, end - chunk)
        part = kept[:start] + kept[end:]
        if still(part):
            kept = part
        end = start
    return kept
