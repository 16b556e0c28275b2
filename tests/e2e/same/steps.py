"""A program is a list of steps: which session does what, and what the proxy may pin because of it."""
import dataclasses

EVERYTHING = frozenset({"everything"})  # what ends every reason to hold a backend


@dataclasses.dataclass(frozen=True)
class Act:
    """One operation of a session. `op` names a method of the client and its arguments."""

    op: tuple
    takes: frozenset = frozenset()  # reasons for which the session may hold its backend from now on
    drops: frozenset = frozenset()  # reasons that surely ended


@dataclasses.dataclass(frozen=True)
class Step:
    session: int
    account: int  # whose pool it uses afterwards
    act: Act
    kind: str

    def __str__(self):
        text = repr(self.act.op)
        return f"({self.session}, {text if len(text) < 400 else text[:400] + '…'}),"


class Holding:
    """Which sessions may hold a backend. If all of a pool are held, nobody else can use it."""

    def __init__(self, size):
        self._size = size
        self._reasons = {}
        self._accounts = {}

    def reasons(self, session):
        return self._reasons.get(session, frozenset())

    def is_free(self, session, account):
        """Whether that session can get a backend of that account, or has one."""
        if self.reasons(session) and self._accounts[session] == account:
            return True
        held = sum(1 for one, reasons in self._reasons.items() if reasons and self._accounts[one] == account)
        return held < self._size

    def may_do(self, step):
        here = self._accounts.get(step.session, step.account)
        return self.is_free(step.session, here) and self.is_free(step.session, step.account)

    def note(self, step):
        before = frozenset() if step.act.drops == EVERYTHING else self.reasons(step.session) - step.act.drops
        self._reasons[step.session] = before | step.act.takes
        self._accounts[step.session] = step.account


def is_possible(steps, size):
    """Whether no step needs a backend while others hold all."""
    holding = Holding(size)
    for step in steps:
        if not holding.may_do(step):
            return False
        holding.note(step)
    return True


def listing(steps):
    return "\n".join(f"    {step}" for step in steps)
