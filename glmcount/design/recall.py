"""Plans of formulas, kept from fit to fit: all of a design that does not depend on its rows.

A formula's text and the data's column names give its terms; these and the kind, width, levels
and coding of each variable give the coded columns. Both are plain frozen records and never hold
data, nor what a transform has learnt from them, nor functions of the user's.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from functools import lru_cache
from typing import Generic, TypeVar

from glmcount.design.formula import ParsedFormula, build_parts, parse_model, parse_part
from glmcount.design.layout import layout_of
from glmcount.design.spec import DesignSpec, Part, Variable
from glmcount.engine.layout import Layout
from glmcount.language.node import Functions
from glmcount.records import replace

__all__ = ["planned_layout", "planned_model", "planned_part", "planned_parts"]

T = TypeVar("T")
KEPT = 128
LONGEST = 10_000
WIDEST = 1_000


@lru_cache(maxsize=KEPT)
def _model(formula: str, columns: tuple[str, ...]) -> ParsedFormula:
    return parse_model(formula, columns)


@lru_cache(maxsize=KEPT)
def _part(text: str, what: str, columns: tuple[str, ...]) -> ParsedFormula:
    return parse_part(text, what, columns)


def _may_keep(text: object, columns: tuple[str, ...], functions: Functions) -> bool:
    # A function of the user's may hold data of the user's: it is not kept.
    short = isinstance(text, str) and len(text) <= LONGEST and len(columns) <= WIDEST
    return short and not functions


def planned_model(formula: str, columns: tuple[str, ...], functions: Functions) -> ParsedFormula:
    """As `parse_model`, read once for each text and set of columns."""
    if _may_keep(formula, columns, functions):
        return _model(formula, columns)
    return parse_model(formula, columns, functions)


def planned_part(
    text: str, what: str, columns: tuple[str, ...], functions: Functions
) -> ParsedFormula:
    """As `parse_part`, read once for each text and set of columns."""
    if _may_keep(text, columns, functions):
        return _part(text, what, columns)
    return parse_part(text, what, columns, functions)


def _shape(code: str, variable: Variable) -> tuple[Hashable, ...]:
    """All that the columns of a variable depend on.

    In text: 1, 1.0 and True are equal, but name different columns.
    """
    levels, contrast = variable.levels or (), variable.contrast
    if set(map(type, levels)) != {str}:
        levels = tuple(map(repr, levels))
    coding = None if contrast is None else (contrast.name, repr(contrast.settings))
    return code, variable.kind, variable.width, levels, coding


def planned_parts(
    terms: tuple[tuple[str, ...], ...], variables: Mapping[str, Variable], memory_limit: int
) -> tuple[Part, ...]:
    """As `build_parts`, built once for each kind of variables."""
    codes = dict.fromkeys(code for term in terms for code in term)
    sizes = [len(variables[code].levels or ()) + variables[code].width for code in codes]
    if sum(sizes) > WIDEST or len(terms) > WIDEST:
        return build_parts(terms, variables, memory_limit)
    key = (terms, memory_limit, *(_shape(code, variables[code]) for code in codes))
    return _parts.get(key, lambda: _shared(build_parts(terms, variables, memory_limit), key))


def _shared(parts: tuple[Part, ...], key: Hashable) -> tuple[Part, ...]:
    for part in parts:
        for shared in (part.table, part.order):
            if shared is not None:
                shared.flags.writeable = False
    return tuple(replace(part, plan=(key, number)) for number, part in enumerate(parts))


def planned_layout(spec: DesignSpec) -> Layout:
    """As `layout_of`, made once for parts of the same plans."""
    parts = [part for equation in spec.equations for part in equation.parts]
    wide = sum([len(part.names) for part in parts]) > WIDEST
    if wide or any(part.plan is None for part in parts):
        return layout_of(spec)
    plans = tuple([tuple([part.plan for part in e.parts]) for e in spec.equations])
    codes = dict.fromkeys([code for part in parts for code in part.numeric])
    key = (plans, *[spec.variables[code].width for code in codes])
    return _layouts.get(key, lambda: layout_of(spec))


class _Kept(Generic[T]):
    """The values made last, by key."""

    def __init__(self) -> None:
        self.held: OrderedDict[Hashable, T] = OrderedDict()
        self.lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made where it is not there."""
        with self.lock:
            if key in self.held:
                self.held.move_to_end(key)
                return self.held[key]
        value = make()
        with self.lock:
            value = self.held.setdefault(key, value)
            while len(self.held) > KEPT:
                self.held.popitem(last=False)
        return value


_parts: _Kept[tuple[Part, ...]] = _Kept()
_layouts: _Kept[Layout] = _Kept()
