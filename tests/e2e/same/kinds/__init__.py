"""All kinds of statements, each a function that makes the operations of one session."""
import dataclasses
import importlib
import pkgutil
from collections.abc import Callable

REGISTRY = {}


@dataclasses.dataclass(frozen=True)
class Kind:
    name: str
    weight: float
    make: Callable  # (random, model) → acts


def kind(name, weight=1.0):
    def register(make):
        assert name not in REGISTRY, name
        REGISTRY[name] = Kind(name, weight, make)
        return make

    return register


def load():
    """Every module of this package registers its kinds when it is imported."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return REGISTRY
