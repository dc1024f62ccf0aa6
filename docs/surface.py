"""What is public: the names of `glmcount`, what calls on them return, and the contracts.

The names are those of every ``__all__`` from `glmcount` downwards. From their annotations follows
what a user comes to hold: classes that functions, methods and attributes give, and the classes that
these hold in turn. Those that belong to a contract, which a user's own code may fill, are kept
apart; those of `INSIDE` are met on the way and are nobody's to use.
"""

from __future__ import annotations

import functools
import inspect
import re
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import glmcount
from glmcount.covariances import Estimator
from glmcount.design.rows import Rows
from glmcount.families import Family, Link
from glmcount.inference.covariance.draws import Draws
from glmcount.results.result import Results
from glmcount.sources.base import Source

CONTRACTS = (Family, Link, Estimator, Source, Rows)

# What no annotation tells: a class by the attribute that holds it.
UNSAID = {"Covariance.draws": Draws}

# Parts of the house that an attribute of something public leads to, and why a user needs none.
INSIDE = {
    "Fitted": "what a result is made of; a result says all of it",
    "Fit": "what the solver came to; `Results` has its figures",
    "Estimates": "parameters as they are estimated; `Results.params` has them as they are reported",
    "DesignSpec": "the learnt design; `Results.design_matrix` gives its columns",
    "Plan": "which rows of each strip are used; `Rows.numbers` tells them",
    "Cache": "encoded rows that are kept between passes",
    "Cells": "weighted cells that were fitted in the place of rows; `Results.n_cells` counts them",
    "BlockRows": "encoded columns of a strip; `Setting.fold` and the families see numbers",
    "Small": "the columns of a small problem side by side, for speed alone",
}


@dataclass(frozen=True)
class Public:
    """Something public.

    Parameters
    ----------
    name : str
        As a user writes it after ``glmcount.``, or the plain name of a class without such a name.
    value : object
    via : tuple of str
        What gives it, where it has no name of its own: ``("Results.certificate",)``.
    """

    name: str
    value: object
    via: tuple[str, ...] = ()

    @property
    def own(self) -> str:
        """The last part of the name."""
        return self.name.rpartition(".")[2]


def named(holder: types.ModuleType = glmcount, prefix: str = "") -> Iterator[Public]:
    """Everything with a name: of each module its own, then modules, before what they hold."""
    found = [Public(prefix + name, getattr(holder, name)) for name in holder.__all__]
    inner = [each for each in found if isinstance(each.value, types.ModuleType)]
    yield from (each for each in found if each not in inner)
    for each in inner:
        yield each
        assert isinstance(each.value, types.ModuleType)
        yield from named(each.value, f"{each.name}.")


def members(kind: type) -> dict[str, object]:
    """Public methods and attributes that `kind`, or a base in the package, defines, by name."""
    bases = [base for base in kind.__mro__ if base.__module__.startswith("glmcount")]
    every = {key: value for base in reversed(bases) for key, value in vars(base).items()}
    fields = getattr(kind, "__dataclass_fields__", {})
    kinds = types.FunctionType, property, functools.cached_property, classmethod, staticmethod
    return {
        key: getattr(value, "__func__", value)
        for key, value in sorted(every.items())
        if not key.startswith("_") and key not in fields and isinstance(value, kinds)
    }


def call_of(member: object) -> typing.Any:
    """The function behind a method or an attribute."""
    found = getattr(member, "fget", None) or getattr(member, "func", member)
    return inspect.unwrap(found)


def kind_of(member: object) -> str:
    """What an attribute is, from its annotation: ``" (Series)"``."""
    told = inspect.signature(call_of(member)).return_annotation
    told = told if isinstance(told, str) else getattr(told, "__name__", str(told))
    plain = re.sub(r"\b(?:[a-z_]+\.)+", "", told).replace("Array", "ndarray")
    return f" ({re.sub(r'NDArray.*', 'ndarray', plain)})"


def returned() -> list[Public]:
    """Classes that a user comes to hold, contracts and what has a name left out."""
    parts = "families.", "covariances."
    return _without_names(_walk(each.value for each in named() if not each.name.startswith(parts)))


def contracts() -> list[Public]:
    """Classes of the contracts and what those hand over, what has a name left out."""
    known = {each.own for each in returned()}
    roots = [Public(kind.__name__, kind) for kind in CONTRACTS]
    found = _walk([*CONTRACTS, *(each.value for each in named())])
    return _without_names([*roots, *(each for each in found if each.own not in known)])


def met_inside() -> set[str]:
    """Names of `INSIDE` that something public leads to."""
    found: set[str] = set()
    _walk([*CONTRACTS, *(each.value for each in named())], found)
    return found


def _without_names(found: Iterable[Public]) -> list[Public]:
    names = {id(each.value) for each in named()}
    return [each for each in found if id(each.value) not in names]


def _walk(seeds: Iterable[object], inside: set[str] | None = None) -> list[Public]:
    """Classes that the seeds lead to, nearest first, by the annotations of what they have."""
    ways: dict[type, list[str]] = {}
    waiting = list(seeds)
    seen = set(map(id, waiting))
    for value in waiting:
        for via, kind in _leads(value):
            if kind.__name__ in INSIDE:
                if inside is not None:
                    inside.add(kind.__name__)
                continue
            ways.setdefault(kind, []).append(via)
            if id(kind) not in seen and kind not in CONTRACTS:
                seen.add(id(kind))
                waiting.append(kind)
    return [
        Public(kind.__name__, kind, tuple(dict.fromkeys(via)))
        for kind, via in ways.items()
        if kind not in CONTRACTS
    ]


def _leads(value: object) -> Iterator[tuple[str, type]]:
    """Pairs of what gives a class and the class, of all that `value` has or returns."""
    if isinstance(value, type):
        name = value.__name__
        for key, hint in typing.get_type_hints(value).items():
            if not key.startswith("_"):
                yield from ((f"{name}.{key}", kind) for kind in _classes(hint))
        for key, member in members(value).items():
            yield from ((f"{name}.{key}", kind) for kind in _returns(call_of(member)))
        held = (pair for pair in UNSAID.items() if pair[0].startswith(f"{name}."))
        yield from held
    elif inspect.isroutine(inspect.unwrap(value)):  # type: ignore[arg-type]
        call = call_of(value)
        yield from ((call.__name__, kind) for kind in _returns(call))


def _returns(call: typing.Any) -> Iterator[type]:
    return _classes(typing.get_type_hints(call).get("return"))


def _classes(hint: typing.Any) -> Iterator[type]:
    """The classes of the package that an annotation names."""
    if typing.get_origin(hint) is typing.Literal:
        return
    if isinstance(hint, list | tuple):
        for each in hint:
            yield from _classes(each)
    elif isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        if hint.__module__.startswith("glmcount.") and not issubclass(hint, Results):
            yield hint
    else:
        yield from _classes(typing.get_args(hint))
