"""Waiting for a condition instead of for a time."""
import time


def wait_until(condition, seconds, what):
    """Returns the condition's first true value; fails with what was awaited after that many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        time.sleep(0.02)
