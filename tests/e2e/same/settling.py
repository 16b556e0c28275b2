"""What came of the statements of a client that has left: not at once, and not at the same moment on both sides."""
import dataclasses
import threading
import time

PATIENCE = 20  # seconds until both tables hold the same


class Witness:
    """Looks at one server as root. Sessions of several threads may ask it."""

    def __init__(self, root):
        self._root = root
        self._turn = threading.Lock()

    def has_left(self, connection_id):
        return not self._ask("SELECT 1 FROM information_schema.processlist WHERE id = %s", connection_id)

    def wait_for(self, connection_id):
        """TiDB knows a connection a moment after it has said OK to the login."""
        deadline = time.monotonic() + PATIENCE
        while self.has_left(connection_id) and time.monotonic() < deadline:
            time.sleep(0.005)

    def rows(self, table):
        return self._ask(f"SELECT * FROM {table} ORDER BY id")

    def _ask(self, text, *values):
        with self._turn, self._root.cursor() as cursor:
            cursor.execute(text, values)
            return cursor.fetchall()


@dataclasses.dataclass(frozen=True)
class Departed:
    """A connection that its client has closed. The server is done with it when its id is gone."""

    side: object
    connection_id: int  # TiDB's, if the side is TiDB itself

    def rows(self, table):
        return self.side.witness.rows(self.side.fill(table))


def settled(direct, proxy, table):
    """None when both tables hold the same in the end; else what they hold. TiDB itself says when it is done with its client."""
    deadline = time.monotonic() + PATIENCE
    while not direct.side.witness.has_left(direct.connection_id):
        if time.monotonic() > deadline:
            return [b"still there"], [b"?"]
        time.sleep(0.01)
    expected = direct.rows(table)
    while (found := proxy.rows(table)) != expected:
        if time.monotonic() > deadline:
            return [repr(row).encode() for row in expected], [repr(row).encode() for row in found]
        time.sleep(0.01)
    return None
