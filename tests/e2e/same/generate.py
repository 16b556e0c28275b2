"""Makes random programs."""
import dataclasses
import random

from .kinds import load
from .kinds.connections import connect
from .model import Model, ends_everything, query
from .not_yet import NOT_YET, pins
from .steps import EVERYTHING, Act, Holding, Step

# What the end of a program asks of every session.
FAREWELL = (
    ("query", "SELECT DATABASE(), CURRENT_USER(), @a, @b, @c, @d, @e"),
    ("query", "SELECT COLLATION(@a), CHARSET(@b), COERCIBILITY(@c), COLLATION('x')"), ("all_variables",),
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Shape:
    """How large a program is, and on what it runs."""

    sessions: int = 6
    length: int = 150
    size: int = 2  # backends a pool
    shares: bool = True


class Generator:
    def __init__(self, seed, shape, catalog, only=None):
        self._rnd = random.Random(f"{seed} {shape}")
        self._shape = shape
        self._holding = Holding(shape.size)
        self._models = [Model(n, shape.sessions, shape.shares, catalog=catalog) for n in range(shape.sessions)]
        kinds = [kind for name, kind in load().items() if name not in NOT_YET and (not only or name in only)]
        # Each program has favourites, so that rare things meet.
        self._kinds = kinds
        self._weights = [kind.weight * self._rnd.choice([0.3, 1, 1, 3]) for kind in kinds]
        self._steps = []

    def program(self):
        for model in self._models:
            self._add(model, connect(self._rnd, model), "connect")
        while len(self._steps) < self._shape.length:
            model = self._rnd.choice(self._models)
            if self._can_act(model):
                self._block(model)
        self._settle()
        return self._steps

    def _can_act(self, model):
        return self._holding.is_free(model.number, model.account)

    def _block(self, model):
        """A few operations in a row; others may come in between wherever a backend is left for them."""
        if not model.alive:
            return self._add(model, connect(self._rnd, model), "connect")
        if self._holding.reasons(model.number) and self._rnd.random() < 0.3:
            return self._run(model, self._release(model), "release")
        kind = self._rnd.choices(self._kinds, self._weights)[0]
        return self._run(model, kind.make(self._rnd, model), kind.name)

    def _run(self, model, acts, name):
        for act in acts:
            before = len(self._steps)
            self._add(model, act, name)
            if before == len(self._steps):
                return
            if self._rnd.random() < 0.3:
                self._intrude(model)
            if not self._can_act(model):
                return

    def _intrude(self, model):
        other = self._rnd.choice([one for one in self._models if one is not model])
        if not other.alive or not self._can_act(other):
            return
        kind = self._rnd.choices(self._kinds, self._weights)[0]
        for act in kind.make(self._rnd, other):
            self._add(other, act, kind.name)

    def _add(self, model, act, name):
        if not model.autocommit and act.op[0] in ("query", "execute", "connect"):
            act = Act(act.op, act.takes | pins("transaction"), act.drops)
        step = Step(model.number, model.account, act, name)
        if self._holding.may_do(step):
            self._holding.note(step)
            self._steps.append(step)
            model.note(act.op)
        elif act.drops == EVERYTHING:
            model.alive = False  # whatever it was meant to be now; it connects again some time
        elif act.op[0] == "prepare":
            model.handles.pop(act.op[1], None)  # it still is what it was before

    def _release(self, model):
        """Towards holding nothing."""
        if self._holding.reasons(model.number) == pins("transaction"):
            model.end()
            yield query(self._rnd.choice(["COMMIT", "ROLLBACK"]), drops=pins("transaction"))
            if not model.autocommit and self._rnd.random() < 0.8:
                model.autocommit = True
                yield query("SET autocommit = 1", drops=pins("transaction"))
            return
        model.begin_anew()
        yield ends_everything(*self._rnd.choice([("reset",), ("reset",), ("change_user", model.account, "{db}")]))

    def _settle(self):
        """In the end every session tells all that it knows; whoever holds a backend goes first."""
        for model in sorted(self._models, key=lambda one: not self._holding.reasons(one.number)):
            if not model.alive:
                continue
            for op in FAREWELL:
                self._add(model, Act(op), "farewell")
            self._add(model, ends_everything("reset"), "farewell")


def program(seed, shape, catalog, only=None):
    return Generator(seed, shape, catalog, only).program()
