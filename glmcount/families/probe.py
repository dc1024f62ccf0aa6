"""Functions of a user's own, asked at a harmless point for what a fit will ask of them.

A function that gives another shape, no number, or a derivative that is not one, would show much
later, as a fit that does not converge or as standard errors that are silently other ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import numpy as np

from glmcount.allowed import refuse, shown, takes
from glmcount.errors import UsageError
from glmcount.numerics import Array
from glmcount.numerics.jets import Jet

__all__ = ["STEP", "called", "is_slope", "probe_family", "rows_given"]

ROWS = 3
STEP = 1e-5
# Differences of so wide a step agree with a derivative to eight digits; wrong ones to none.
CLOSE = 1e-4
RAISED = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NameError,
    RuntimeError,
    TypeError,
    ValueError,
)
Call = Callable[..., Any]


def called(what: str, function: Any, *given: Any) -> Any:
    """What a function gives.

    Raises
    ------
    UsageError
        If it raises, or cannot be called so.
    """
    takes(what, function, len(given), "own_function")
    try:
        with np.errstate(all="ignore"):
            return function(*given)
    except RAISED as error:
        raise UsageError(
            f"{what} raised {type(error).__name__} ({error}) when it was called with "
            f"{_told(given)}.",
            kind="own_function",
        ) from error


def _told(given: Sequence[Any]) -> str:
    out = []
    for value in given:
        some = isinstance(value, tuple) and all(isinstance(each, np.ndarray) for each in value)
        out.append(", ".join(str(each.tolist()) for each in value) if some else _short(value))
    return "; ".join(out)


def _short(value: Any) -> str:
    return str(value.tolist()) if isinstance(value, np.ndarray) else shown(value)


def _refuse(what: str, allowed: str, found: Any, given: Sequence[Any]) -> NoReturn:
    raise UsageError(
        f"{what} must give {allowed}; it gave {_short(found)} for {_told(given)}.",
        kind="own_function",
    )


def rows_given(
    what: str, found: Any, given: Sequence[Any], *, alike: bool = False, finite: bool = True
) -> Array:
    """One number for each row; `alike` allows one for all of them."""
    shapes = ((ROWS,), (1,)) if alike else ((ROWS,),)
    good = isinstance(found, np.ndarray) and found.dtype.kind in "biuf" and found.shape in shapes
    if not good or (not np.isfinite(found).all() if finite else np.isnan(found).any()):
        _refuse(what, f"an array of {ROWS} numbers, one for each row", found, given)
    numbers: Array = found
    return numbers


def is_slope(what: str, slope: Array | None, before: Array, after: Array, given: Any) -> None:
    """Refuse what is not the derivative of a function, of which two values are known."""
    wanted = (after - before) / (2.0 * STEP)
    found = np.zeros(1) if slope is None else slope
    size = np.abs(wanted) + np.maximum(np.abs(before), 1.0)
    if (np.abs(found - wanted) > CLOSE * size).any():
        told = np.round(np.broadcast_to(wanted, (ROWS,)), 6)
        _refuse(what, f"the derivative, which differences say is {told.tolist()}", found, given)


def _jet(what: str, found: Any, q: int, given: Sequence[Any], alike: bool = False) -> Jet:
    """A jet in q predictors, all of it numbers."""
    if not isinstance(found, Jet):
        _refuse(what, "a Jet", found, given)
    sizes = [len(found.d1), len(found.d2), *map(len, found.d2)]
    if set(sizes) != {q}:
        told = f"a Jet with {q} first and {q} x {q} second derivatives"
        _refuse(what, told, f"d1 of {sizes[0]}, d2 of {sizes[1:]}", given)
    rows_given(f"{what}, in value,", found.value, given, alike=alike)
    for j, slope in enumerate(found.d1):
        for name, entry in ((f"d1[{j}]", slope), *_bends(found, j)):
            if entry is not None:
                rows_given(f"{what}, in {name},", entry, given, alike=True)
    return found


def _bends(found: Jet, j: int) -> list[tuple[str, Array | None]]:
    return [(f"d2[{j}][{k}]", bend) for k, bend in enumerate(found.d2[j])]


def _moved(etas: tuple[Array, ...], j: int, step: float) -> tuple[Array, ...]:
    return tuple(eta + step if k == j else eta for k, eta in enumerate(etas))


def _slope(jet: Jet, k: int) -> Array:
    slope = jet.d1[k]
    return np.zeros(1) if slope is None else slope


def _jets(what: str, jets_of: Callable[..., tuple[Jet, ...]], etas: tuple[Array, ...]) -> None:
    """Refuse jets whose derivatives are not those of their values."""
    here = jets_of(etas)
    for j in range(len(etas)):
        sides = [jets_of(_moved(etas, j, step)) for step in (-STEP, STEP)]
        for jet, before, after in zip(here, *sides, strict=True):
            is_slope(f"d1[{j}] of {what}", jet.d1[j], before.value, after.value, (etas,))
            for k in range(len(etas)):
                low, high = (_slope(side, k) for side in (before, after))
                is_slope(f"d2[{k}][{j}] of {what}", jet.d2[k][j], low, high, (etas,))


def probe_family(family: Any, sums_of: Callable[[Array], Any]) -> None:
    """Refuse a family whose functions cannot be used, before any data are looked at.

    Raises
    ------
    UsageError
        That names the function, what it gave, and for what.
    """
    _described(family)
    q, whose = len(family.equations), f"of the family {family.name!r}"
    count = np.minimum(max(family.support[0], 0.0) + np.arange(ROWS), family.support[1])
    y = np.stack([count, *(np.full(ROWS, 10.0 + count[-1]) for _ in family.columns)])
    ranges = [*family.typical, *((0.0, 0.0),) * q][:q]
    middles = [0.5 * (low + high) for low, high in ranges]
    spread = 0.1 * (ranges[0][1] - ranges[0][0]) * np.linspace(-1.0, 1.0, ROWS)
    etas = (middles[0] + spread, *(np.array([middle]) for middle in middles[1:]))
    wide = tuple(np.broadcast_to(eta, (ROWS,)).copy() for eta in etas)

    def terms(at: tuple[Array, ...]) -> tuple[Jet, ...]:
        what = f"terms {whose}"
        return (_jet(what, called(what, family.terms, y, at), q, (y, at)),)

    def moments(at: tuple[Array, ...]) -> tuple[Jet, ...]:
        what = f"moments {whose}"
        found = called(what, family.moments, at)
        if not (isinstance(found, tuple) and len(found) == 2):
            _refuse(what, "a tuple of two Jets, mean and variance", found, (at,))
        mean, variance = (_jet(what, each, q, (at,), alike=True) for each in found)
        if (variance.value < 0).any():
            _refuse(what, "a variance that is not negative", variance.value, (at,))
        return mean, variance

    _jets(f"terms {whose}", terms, etas)
    _jets(f"moments {whose}", moments, etas)
    rows_given(f"constant {whose}", called(f"constant {whose}", family.constant, y), (y,))
    _probe_draws(family, whose, wide)
    _probe_start(family, whose, sums_of(count), q)
    for name in ("deviance", "mass"):
        if getattr(family, name) is not None:
            what = f"{name} {whose}"
            rows_given(what, called(what, getattr(family, name), y, wide), (y, wide))


def _described(family: Any) -> None:
    """Refuse what is not the text, or the number of things, that it should be."""
    _field("name of a family", family.name, _is_text(family.name), "a text")
    typical, equations = family.typical, family.equations
    for what, good, allowed in (
        ("label", _is_text(family.label), "a text"),
        ("equations", _all(_is_equation, equations), "a tuple of Equation, the mean's first"),
        ("typical", _all(_is_pair, typical), "a tuple of pairs of numbers, one a predictor"),
        ("support", _is_pair(family.support), "a tuple of the smallest and the largest count"),
        ("aliases", _are_texts(family.aliases), "a tuple of texts, () for none"),
        ("columns", _are_texts(family.columns), "a tuple of texts, () for none"),
        ("concave_links", _are_texts(family.concave_links), "a tuple of texts, () for none"),
    ):
        _field(f"{what} of the family {family.name!r}", getattr(family, what), good, allowed)


def _field(what: str, value: Any, good: bool, allowed: str) -> None:
    if not good:
        refuse(what, value, allowed, "own_family")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def _are_texts(value: Any) -> bool:
    return value == () or _all(_is_text, value)


def _all(good: Callable[[Any], bool], value: Any) -> bool:
    return isinstance(value, tuple) and len(value) > 0 and all(map(good, value))


def _is_equation(value: Any) -> bool:
    return isinstance(getattr(value, "name", None), str) and hasattr(value, "natural")


def _is_pair(value: Any) -> bool:
    numbers = isinstance(value, tuple) and all(isinstance(each, int | float) for each in value)
    return numbers and len(value) == 2 and value[0] <= value[1]


def _probe_draws(family: Any, whose: str, etas: tuple[Array, ...]) -> None:
    what = f"sample {whose}"
    rng = np.random.default_rng(0)
    drawn = rows_given(what, called(what, family.sample, rng, etas), (etas,))
    if (drawn < 0).any() or (drawn != np.floor(drawn)).any():
        _refuse(what, "counts", drawn, (etas,))


def _probe_start(family: Any, whose: str, sums: Any, q: int) -> None:
    what = f"start {whose}"
    found = called(what, family.start, sums)
    good = isinstance(found, tuple | list) and len(found) == q
    if not good or not all(isinstance(each, int | float | np.floating) for each in found):
        _refuse(what, f"{q} numbers, one for each predictor", found, (sums,))
    if not np.isfinite(np.array(found, dtype=np.float64)).all():
        _refuse(what, "finite numbers", found, (sums,))
