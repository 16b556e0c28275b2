"""The cases whose work is counted. A turn is what the figures are of; each client waits for its answers, so that the
proxy does the same things in the same order every time."""
import struct

import raw_protocol as raw

POINT_SELECT = "SELECT c FROM sbtest1 WHERE id=5021"
PREPARED_SELECT = "SELECT c FROM sbtest1 WHERE id=?"
# Of an execute, behind the statement's number: no cursor, one iteration, no NULL, types follow, an INT that is 5021.
PARAMETERS = b"\0" + struct.pack("<I", 1) + b"\0" + b"\1" + b"\3\0" + struct.pack("<i", 5021)


def ask(client, command, argument):
    answer = client.command(command, argument)
    assert not answer.error, f"{argument!r}: {answer.error}"
    return answer


class Texts:
    """Two clients, in turns on one backend, each with its state."""

    def __init__(self, name, turns, texts, states=("", "")):
        self.name, self.turns = name, turns
        self._texts = [text.encode() for text in texts]
        self._states = states

    def start(self, connect):
        self._clients = [connect(), connect()]
        for client, state in zip(self._clients, self._states):
            if state:
                client.query(state)

    def run(self, turns):
        for number in range(turns):
            for text in self._texts:
                ask(self._clients[number % 2], raw.QUERY, text)

    def stop(self):
        for client in self._clients:
            client.close()


class Executes:
    """Two clients, in turns on one backend, execute what both have prepared."""

    def __init__(self, name, turns, text):
        self.name, self.turns, self._text = name, turns, text.encode()

    def start(self, connect):
        self._clients = [connect(), connect()]
        self._arguments = [ask(client, raw.PREPARE, self._text).packets[0][5:9] + PARAMETERS for client in self._clients]

    def run(self, turns):
        for number in range(turns):
            ask(self._clients[number % 2], raw.EXECUTE, self._arguments[number % 2])

    def stop(self):
        for client in self._clients:
            client.close()


class Connects:
    """A new client every time, from its connect until the proxy has closed."""

    def __init__(self, name, turns, text):
        self.name, self.turns, self._text = name, turns, text.encode()

    def start(self, connect):
        self._connect = connect

    def run(self, turns):
        for _ in range(turns):
            client = self._connect()
            ask(client, raw.QUERY, self._text)
            client.begin(raw.QUIT)
            assert client.socket.recv(1) == b""
            client.close()

    def stop(self):
        pass


CASES = (
    Texts("point select, text", 1000, [POINT_SELECT]),
    Executes("point select, prepared", 1000, PREPARED_SELECT),
    Texts("transaction", 500, ["BEGIN", POINT_SELECT, "UPDATE sbtest1 SET k=k+1 WHERE id=5021", "COMMIT"]),
    Texts("session variable differs", 1000, [POINT_SELECT], ["SET time_zone = '+01:00'", "SET time_zone = '+02:00'"]),
    Texts("user variable differs", 1000, [POINT_SELECT], ["SET @v = 1", "SET @v = 2"]),
    Connects("connect to close", 500, "SELECT 1"),
)
