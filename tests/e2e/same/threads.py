"""Many clients at once: each session of a program has a thread, and checks every answer against its own on TiDB itself.

Sessions share no table, lock or database that comes and goes, so that each one's answers do not depend on the others.
"""
import threading

from .run import Difference, Pair


def run_at_once(steps, sides):
    """The first difference of each session that has one."""
    differences = []
    start = threading.Barrier(len({step.session for step in steps}))

    def one(session):
        pair = Pair(sides)
        try:
            start.wait(30)
            for at, step in enumerate(steps):
                if step.session != session:
                    continue
                answers = pair.run(step.act.op)
                if answers:
                    differences.append(Difference(at, step, *answers))
                    return
        finally:
            pair.close()

    threads = [threading.Thread(target=one, args=(session,)) for session in sorted({step.session for step in steps})]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return differences
