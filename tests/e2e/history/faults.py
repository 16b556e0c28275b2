"""What goes wrong during a history: a schedule that a seed decides."""
import collections
import contextlib
import random
import signal

import pymysql

from support.link import CLOSE, DELAY, DOWN, RESET, SILENCE, UP

SMALL = 120  # bytes, about a statement or an answer with what TLS adds


class Faults:
    """Each of `inject` makes one and waits until it is over."""

    def __init__(self, link, tidb, account, seed, stopped):
        self._link, self._tidb, self._account = link, tidb, account
        self._random, self._stopped = random.Random(seed), stopped
        self.counts = collections.Counter()

    def inject(self):
        kinds = {
            self.break_all: 3, self.break_some: 6, self.break_at_a_byte: 12, self.break_dials: 3, self.be_slow: 3,
            self.be_silent: 3, self.refuse: 2, self.kill: 4, self.freeze: 2, self.crash: 1, self.shut_down: 1,
        }  # fmt: skip
        (kind,) = self._random.choices(list(kinds), kinds.values())
        self.counts[kind.__name__.replace("_", " ")] += 1
        kind()
        self._wait(0.05, 0.4)
        self._link.disarm()

    def _wait(self, least, most):
        self._stopped.wait(self._random.uniform(least, most))

    def _end(self):
        return self._random.choice((RESET, CLOSE))

    def break_all(self):
        self._link.strike(self._end())

    def break_some(self):
        self._link.strike(self._end(), most=1)

    def break_at_a_byte(self):
        side = self._random.choice((UP, DOWN))
        self._link.arm(self._end(), side, after=self._random.randrange(SMALL), times=self._random.randint(1, 3))

    def break_dials(self):
        self._link.arm(self._end(), DOWN, after=self._random.randrange(3000), new_only=True, times=2)
        self._link.strike(RESET, most=2)

    def be_slow(self):
        self._link.arm(DELAY, self._random.choice((UP, DOWN)), seconds=0.2, times=3)

    def be_silent(self):
        self._link.strike(SILENCE, seconds=self._random.uniform(0.05, 0.5))

    def refuse(self):
        self._link.refuse()
        self._link.strike(RESET)
        self._wait(0.1, 1)
        self._link.accept()

    def kill(self):
        """As somebody else at TiDB does."""
        numbers = self._tidb.connections_of(self._account)
        if numbers:
            with contextlib.suppress(pymysql.err.MySQLError):
                self._tidb.execute(f"KILL {self._random.choice(numbers)}")

    def freeze(self):
        self._tidb.send(signal.SIGSTOP)
        self._wait(0.1, 0.6)
        self._tidb.send(signal.SIGCONT)

    def crash(self):
        self._tidb.crash()
        self._tidb.start()

    def shut_down(self):
        self._tidb.terminate()
        self._tidb.wait_for_end(40)
        self._tidb.start()
