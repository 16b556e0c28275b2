"""What the generator knows of one session: enough to make statements that mean something."""
import dataclasses

from . import not_yet
from .steps import EVERYTHING, Act


@dataclasses.dataclass
class Model:
    number: int
    sessions: int
    shares: bool  # whether sessions may touch each other's scratch databases and locks
    account: int = 0
    alive: bool = False
    flags: int = 0
    autocommit: bool = True
    in_transaction: bool = False
    handles: dict = dataclasses.field(default_factory=dict)  # binary: handle → parameters, each a kind of value
    effects: dict = dataclasses.field(default_factory=dict)  # binary: handle → what its execution may pin
    names: dict = dataclasses.field(default_factory=dict)  # text: name → number of parameters
    variables: list = dataclasses.field(default_factory=list)  # system variables that were set
    catalog: object = None

    @property
    def table(self):
        return f"{{db}}.t{self.number}"

    @property
    def extra(self):
        """Of which DDL is made."""
        return f"{{db}}.e{self.number}"

    def scratch(self, rnd):
        """The name of a database that comes and goes."""
        return f"{{db}}x{rnd.randrange(3) if self.shares else self.number}"

    def begin_anew(self):
        self.autocommit, self.in_transaction = True, False
        self.handles, self.effects, self.names, self.variables = {}, {}, {}, []

    def begin(self):
        self.in_transaction = True

    def end(self):
        self.in_transaction = False


def query(text, pinned=None, file=None, drops=()):
    op = ("query", text) if file is None else ("query", text, file)
    takes = not_yet.pins(pinned) if pinned else frozenset()
    return Act(op, takes, frozenset(drops))


def queries(*texts, pinned=None):
    return [query(text, pinned) for text in texts]


def command(number, argument=""):
    return Act(("command", number, argument))


def ends_everything(*op):
    return Act(op, drops=EVERYTHING)


def quoted(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
