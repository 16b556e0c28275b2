"""Many clients at once: each session of a program has a thread, and checks every answer against its own on TiDB itself.

Sessions share no table, lock or database that comes and goes, so that each one's answers do not depend on the others. There is one
exception: TiDB refuses a definition (8028, "try again later") when another one of whatever table has changed the schema meanwhile.
It does so to sessions of its own too (python -m same --threads --direct): from there on a session is not compared.
"""
import struct
import threading

from .run import Difference, Pair

PATIENCE = "60s"  # of a session that waits for a backend: the others hold them for as long as they need


SCHEMA_CHANGED = 8028


def is_refused(packets):
    """TiDB has refused it because of what others define."""
    return bool(packets) and packets[-1][4:5] == b"\xff" and struct.unpack_from("<H", packets[-1], 5)[0] == SCHEMA_CHANGED


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
                if answers and any(is_refused(packets) for packets in answers):
                    return
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
