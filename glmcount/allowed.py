"""What a value that a user hands over may be: checks that refuse it by name.

Scalars of numpy, and arrays without a dimension, count as the values that they hold.
"""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Iterable
from functools import partial
from typing import Any, NoReturn

import numpy as np

from glmcount.errors import UsageError, some
from glmcount.spellings.lookup import instead
from glmcount.spellings.options import VALUES

__all__ = [
    "choice",
    "counted",
    "finite",
    "plain",
    "proportion",
    "real",
    "refuse",
    "refuse_nameless",
    "shown",
    "takes",
    "texts",
    "truth",
    "whole",
]

# Counts beyond have no number of their own in double precision.
MOST = 2**53
# Of a value that is long in print this much is quoted.
QUOTED, LARGE = 60, 10**40


def plain(value: Any) -> Any:
    """A scalar of numpy as Python's own; all else as it is.

    Examples
    --------
    >>> plain(np.int64(3)), plain(np.array(0.5)), plain("a")
    (3, 0.5, 'a')
    """
    scalar = isinstance(value, np.generic) or (isinstance(value, np.ndarray) and value.ndim == 0)
    return value.item() if scalar else value


def counted(value: float) -> float:
    """An int where a number is whole, else the number.

    Examples
    --------
    >>> counted(40.0), counted(40.5)
    (40, 40.5)
    """
    return int(value) if value == math.floor(value) else value


def shown(value: Any) -> str:
    """A value as messages quote it: short, and of a table its kind and shape.

    Examples
    --------
    >>> shown("a"), shown(np.ones((2, 3))), shown(10**50)
    ("'a'", 'an array of shape (2, 3)', 'a whole number of 167 bits')
    """
    shape = getattr(value, "shape", None)
    kind = type(value).__name__
    if isinstance(shape, tuple) and shape:
        return f"{'an array' if kind == 'ndarray' else f'a {kind}'} of shape {shape}"
    value = plain(value)
    if isinstance(value, int) and abs(value) >= LARGE:
        return f"a whole number of {value.bit_length()} bits"
    if isinstance(value, type) or inspect.isroutine(value):
        return f"the {'class' if isinstance(value, type) else 'function'} {value.__name__}"
    try:
        raw = repr(value)
        text = " ".join(raw.split())
    except ValueError:
        # Python writes no whole number of more than some thousand digits.
        return f"a {type(value).__name__} too long to show"
    if "\n" in raw and isinstance(value, list | tuple | dict):
        return f"a {kind} of length {len(value)}"
    if text.startswith("<") or "\n" in raw:
        return f"an object of type {kind}"
    return text if len(text) <= QUOTED else f"{text[:QUOTED]} ..."


def refuse(name: str, value: Any, allowed: str, kind: str, advice: str = "") -> NoReturn:
    """Say which option was given what, what it may be, and what to do.

    Raises
    ------
    UsageError
    """
    told = f" {advice}" if advice else ""
    raise UsageError(f"{name} must be {allowed}; got {shown(value)}.{told}", kind=kind)


def whole(name: str, value: Any, least: int, kind: str, advice: str = "", most: int = MOST) -> int:
    """A whole number from `least` on.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> whole("threads", np.int64(2), 1, "control")
    2
    """
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number <= most:
        large = isinstance(number, int) and number > most
        allowed = f"from {least} to {most:,}" if large else f"of {least} or more"
        refuse(name, value, f"a whole number {allowed}", kind, advice)
    return number


def real(
    name: str, value: Any, allowed: str, kind: str, *, above: float = -math.inf, advice: str = ""
) -> float:
    """A number greater than `above`, finite or not; `allowed` says so in words.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> real("tol", np.float32(0.5), "a number above 0", "control", above=0.0)
    0.5
    """
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not number > above:
        refuse(name, value, allowed, kind, advice)
    if isinstance(number, int) and abs(number) >= LARGE:
        # It need not have a place among the doubles, with which it would be compared.
        refuse(name, value, allowed, kind, advice)
    return number


def finite(name: str, value: Any, advice: str = "", *, above: float = -math.inf) -> float:
    """A finite number greater than `above`, by which a family is made.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> finite("power", np.float64(1.5))
    1.5
    """
    allowed = "a finite number" if above == -math.inf else f"a finite number above {above:g}"
    number = real(name, value, allowed, "family_parameter", above=above, advice=advice)
    if not math.isfinite(number) or abs(number) > sys.float_info.max:
        refuse(name, value, allowed, "family_parameter", advice)
    return float(number)


def proportion(name: str, value: Any, kind: str = "alpha") -> float:
    """A number between 0 and 1, neither of them.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> proportion("alpha", 0.05)
    0.05
    """
    number = plain(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0.0 < number < 1.0:
        refuse(
            name,
            value,
            "a number between 0 and 1",
            kind,
            "level=0.95 gives intervals of 95 %."
            if name == "level"
            else "Intervals have level 1 - alpha: alpha=0.05 gives those of 95 %.",
        )
    return float(number)


def truth(name: str, value: Any) -> bool:
    """True or False.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> truth("exponentiate", np.bool_(True))
    True
    """
    found = plain(value)
    if not isinstance(found, bool):
        refuse(name, value, "True or False", name)
    return found


def texts(name: str, value: Any, allowed: str, kind: str) -> list[str]:
    """A text as a list of one; a list, tuple, array or index of texts; `allowed` says so in words.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> texts("keep", "x", "a name, or a list of names", "keep")
    ['x']
    """
    several = [value] if isinstance(value, str) else value
    if getattr(several, "ndim", 0) == 1 and hasattr(several, "tolist"):
        several = several.tolist()
    if not isinstance(several, list | tuple) or not all(isinstance(one, str) for one in several):
        refuse(name, value, allowed, kind)
    return list(several)


def choice(name: str, value: Any, allowed: Iterable[Any], kind: str) -> Any:
    """One of the texts, and of True, False and None, that are allowed.

    Raises
    ------
    UsageError

    Examples
    --------
    >>> choice("missing", "drop", ("drop", "raise"), "unknown_missing")
    'drop'
    """
    found, known = plain(value), list(allowed)
    for one in known:
        # 1 equals True, and an array equals whatever one of its numbers does.
        if type(one) is bool or one is None:
            if found is one:
                return one
        elif isinstance(found, str) and found == one:
            return one
    hint = ""
    if isinstance(found, str):
        texts = [one for one in known if isinstance(one, str)]
        hint = instead(VALUES.get(name, {}), found, texts)
    elif found is None:
        hint = instead(VALUES.get(name, {}), "none")
    listed = some(map(repr, known), 20)
    raise UsageError(f"{name}={shown(value)} is not among {listed}.{hint}", kind=kind)


def takes(what: str, function: Any, count: int, kind: str) -> None:
    """Refuse what is no function of so many arguments.

    Raises
    ------
    UsageError
    """
    allowed = f"a function of {count} argument{'s' if count > 1 else ''}"
    if not callable(function):
        refuse(what, function, allowed, kind)
    try:
        # A record that is called has the signature of its class.
        plain = hasattr(function, "__name__") or isinstance(function, partial)
        found = inspect.signature(function if plain else function.__call__)
    except (TypeError, ValueError):
        # Functions written in C need not say what they take.
        return
    try:
        found.bind(*range(count))
    except TypeError as error:
        raise UsageError(
            f"{what} must be {allowed}; that given takes {found}.", kind=kind
        ) from error


def refuse_nameless(what: str, function: Any) -> None:
    """Refuse a function that no other process can find.

    Raises
    ------
    UsageError
    """
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__qualname__", "")
    if "<" in name:
        raise UsageError(
            f"{what} is {name!r}, a function that another process cannot find by a name. Define "
            "it with def at the top of a module that both import.",
            kind="not_picklable",
        )


def generator(rng: Any) -> np.random.Generator:
    """A generator of random numbers from what a user passes as ``rng=``.

    Raises
    ------
    UsageError
        If numpy makes none of it.
    """
    if isinstance(rng, np.random.Generator):
        return rng
    wrong = isinstance(rng, bool | np.bool_ | str | float)
    try:
        made = None if wrong else np.random.default_rng(rng)
    except (TypeError, ValueError):
        made = None
    if made is None:
        raise UsageError(
            f"rng={shown(rng)} is no source of random numbers: pass a whole number of 0 or more "
            "as a seed, a numpy.random.Generator, or None for another draw each time.",
            kind="rng",
        )
    return made
