"""Clients that write, commit and read through Tidepool while things break, and note what they were told."""
import random
import threading

import mysql.connector
import pymysql

from .ledger import DONE, NOT_DONE, UNKNOWN, Write

COUNTERS = 4
FAILURES = (pymysql.err.MySQLError, mysql.connector.Error, OSError)


def outcome_of(error):
    """What a client may conclude. A connection that just ends tells nothing; any other error is an answer."""
    text = str(error)
    if "(not executed)" in text:
        return NOT_DONE
    if "(outcome unknown)" in text:
        return UNKNOWN
    number = error.args[0] if error.args else 0
    return UNKNOWN if isinstance(error, OSError) or number in (0, 2006, 2013, 2055) else NOT_DONE


class Client(threading.Thread):
    """One connection at a time; `step` is what it does again and again."""

    kind = ""  # of its writes, for the ledger

    def __init__(self, door, account, ledger, seed, stopped):
        super().__init__(daemon=True)
        self.door, self.account, self.ledger, self._stopped = door, account, ledger, stopped
        self.random = random.Random(seed)
        self.connection = None
        self.reconnects = 0
        self.bug = None  # what ended the thread

    def open(self):
        return self.door.connect(self.account)

    def ask(self, statement, *arguments):
        cursor = self.connection.cursor()
        try:
            cursor.execute(statement, arguments)
            return cursor.fetchall() if cursor.description else None
        finally:
            cursor.close()

    def drop(self):
        connection, self.connection = self.connection, None
        try:
            connection.close()
        except FAILURES + (RuntimeError,):
            pass

    def run(self):
        try:
            while not self._stopped.wait(self.random.uniform(0, 0.01)):
                if self.connection is None:
                    self.connection = self.open()
                    self.reconnects += 1
                self.step()
        except Exception as error:  # the main thread looks at it
            self.bug = f"{type(self).__name__}: {error!r}"
        if self.connection:
            self.drop()

    def attempt(self, write, *steps):
        """Runs them; notes what became of the write, which only the last one can make last."""
        for number, step in enumerate(steps, 1):
            try:
                self.ask(*step)
            except FAILURES as error:
                outcome = outcome_of(error) if number == len(steps) else NOT_DONE
                self.ledger.note(write, outcome, self.kind)
                return self.drop()
        self.ledger.note(write, DONE, self.kind)
        return None


class Writer(Client):
    """Autocommit: single rows, several rows, additions."""

    def step(self):
        kind = self.random.randrange(3)
        if kind == 2:
            counter = self.random.randrange(COUNTERS)
            return self.attempt(Write(counter=counter), ("UPDATE counters SET n = n + 1 WHERE id = %s", counter))
        tokens = tuple(self.ledger.new_token() for _ in range(1 + 2 * kind))
        text = ", ".join(["(%s)"] * len(tokens))
        return self.attempt(Write(tokens), (f"INSERT INTO tokens VALUES {text}", *tokens))


class Preparer(Writer):
    """The same by prepared statements."""

    def open(self):
        return mysql.connector.connect(**self.door.arguments(self.account), autocommit=True, use_pure=True, connection_timeout=60)

    def ask(self, statement, *arguments):
        cursor = self.connection.cursor(prepared=True)
        try:
            cursor.execute(statement, arguments)
            return cursor.fetchall() if cursor.description else None
        finally:
            cursor.close()


class Committer(Client):
    """Transactions of two rows and an addition."""

    @property
    def kind(self):
        return f"transactions of {self.account.user}"

    def step(self):
        tokens, counter = (self.ledger.new_token(), self.ledger.new_token()), COUNTERS + self.random.randrange(COUNTERS)
        self.attempt(
            Write(tokens, counter),
            ("BEGIN",),
            ("INSERT INTO tokens VALUES (%s)", tokens[0]),
            ("UPDATE counters SET n = n + 1 WHERE id = %s", counter),
            ("INSERT INTO tokens VALUES (%s)", tokens[1]),
            ("COMMIT",),
        )


class Reader(Client):
    """Writes now and then, and reads that back. No read may fail, nor miss what was acknowledged or its session's state."""

    def open(self):
        self._zone = f"+0{self.random.randrange(10)}:30"
        self._token = None
        connection = super().open()
        with connection.cursor() as cursor:
            cursor.execute(f"SET time_zone = '{self._zone}'")
        return connection

    def step(self):
        if self._token is None or self.random.random() < 0.05:
            token = self.ledger.new_token()
            self.attempt(Write((token,)), ("INSERT INTO tokens VALUES (%s)", token))
            if self.connection is None:
                return
            self._token = token
        try:
            rows = self.ask("SELECT COUNT(*), @@time_zone FROM tokens WHERE n = %s", self._token)
        except FAILURES as error:
            self.ledger.note_read(f"a read failed: {error!r}")
            return self.drop()
        right = ((1, self._zone),)
        self.ledger.note_read(None if rows == right else f"read {rows} instead of {right}")
