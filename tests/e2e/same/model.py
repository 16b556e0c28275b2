"""What the generator knows of one session: enough to make statements that mean something."""
import dataclasses
import re

from . import not_yet
from .steps import EVERYTHING, Act

# Also what is executed by name may do so.
CHANGES_CHARSET = re.compile(r"\bNAMES\b|SET CHAR|character_set_\w+`? *:?=|collation_\w+`? *:?=|EXECUTE", re.IGNORECASE)


@dataclasses.dataclass
class Model:
    number: int
    sessions: int
    shares: bool  # whether sessions may touch each other's scratch databases and locks
    account: int = 0
    denied: int = 0  # changes of the user with a wrong password, of which the proxy takes two
    alive: bool = False
    flags: int = 0
    autocommit: bool = True
    in_transaction: bool = False
    handles: dict = dataclasses.field(default_factory=dict)  # binary: handle → parameters, each a kind of value
    effects: dict = dataclasses.field(default_factory=dict)  # binary: handle → what its execution may pin
    texts: dict = dataclasses.field(default_factory=dict)  # binary: handle → its text
    executed: set = dataclasses.field(default_factory=set)  # binary: handles
    names: dict = dataclasses.field(default_factory=dict)  # text: name → number of parameters
    variables: list = dataclasses.field(default_factory=list)  # system variables that were set
    is_strange: bool = False  # logged in with a collation that no SET NAMES gives
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
        self.handles, self.effects, self.texts, self.executed, self.names, self.variables = {}, {}, {}, set(), {}, []

    def begin(self):
        self.in_transaction = True

    def end(self):
        self.in_transaction = False

    def note(self, op):
        """Executes no statement again after a change of character sets: its columns have those of its first execute, which is one
        of the differences of docs/known-differences.md."""
        if op[0] == "prepare":
            self.texts[op[1]] = op[2]
            self.executed.discard(op[1])
        elif op[0] == "execute":
            self.executed.add(op[1])
        text = op[1] if op[0] == "query" else self.texts.get(op[1], "") if op[0] == "execute" else ""
        if CHANGES_CHARSET.search(text):
            for handle in self.executed:
                self.handles.pop(handle, None)
            self.executed.clear()


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
