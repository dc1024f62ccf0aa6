"""Every numerical knob of a fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from glmcount.allowed import plain, real, refuse, refuse_nameless, whole
from glmcount.front import fronted
from glmcount.records import dataclass

__all__ = ["USUAL", "Control"]


@fronted
@dataclass(frozen=True)
class Control:
    """Every numerical knob of a fit, once.

    Parameters
    ----------
    tol : float
        A full Newton step is final when no row's linear predictor moves by more.
    maxiter : int, optional
        Most iterations; None takes the method's own: 100 for newton and irls (400 for
        models of several equations), 2,000 for lbfgs, 100,000 for gradient.
    threads : int, optional
        Worker threads over strips of rows; None takes the number of processors, at most 8.
        The digits do not depend on it.
    block_rows : int
        Rows that dense work takes at a time, chosen to stay in the processor's cache.
    memory : int
        Bytes that may hold evaluated expressions between passes, and for each spline whose knots
        are quantiles its distinct values, which take a mebibyte in any case; twice as many may
        hold rows that wait to be added up by cluster.
    memory_limit : int
        Bytes that one information matrix may take; larger models are refused by name.
    progress : bool or callable
        True prints a line each iteration; a callable gets the iteration's record.

    Raises
    ------
    UsageError
        Of kind "control", for a value of another type or range.

    Examples
    --------
    >>> from glmcount import Control
    >>> Control(maxiter=20).tol
    1e-06
    """

    tol: float = 1e-6
    maxiter: int | None = None
    threads: int | None = None
    block_rows: int = 32_768
    memory: int = 32 * 2**20
    memory_limit: int = 2 * 2**30
    progress: bool | Callable[..., None] = False

    def __post_init__(self) -> None:
        held = self.__dict__
        for name, check in _CHECKS.items():
            value = held[name]
            if value is not _USUAL[name]:
                held[name] = check(name, value)

    def __getstate__(self) -> dict[str, Any]:
        if callable(self.progress):
            refuse_nameless("progress= of Control", self.progress)
        return self.__dict__


def _tolerance(name: str, value: Any) -> float:
    found = real(name, value, TOLERANCE, KIND, above=0.0)
    if not math.isfinite(found):
        refuse(name, value, TOLERANCE, KIND)
    return found


def _count(name: str, value: Any) -> int:
    return whole(name, value, 1, KIND)


def _count_or_none(name: str, value: Any) -> int | None:
    return None if value is None else whole(name, value, 1, KIND, "None takes the usual one.")


def _bytes(name: str, value: Any) -> float:
    found = real(name, value, BYTES, KIND)
    if found < 0:
        refuse(name, value, BYTES, KIND)
    return found


def _progress(name: str, value: Any) -> Any:
    found = plain(value)
    if not (isinstance(found, bool) or callable(found)):
        refuse(name, value, "True, False or a function, which is called with each iteration", KIND)
    return found


KIND = "control"
TOLERANCE = "a finite number above 0, such as 1e-6"
BYTES = "a number of bytes, 0 or more"
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "tol": _tolerance,
    "maxiter": _count_or_none,
    "threads": _count_or_none,
    "block_rows": _count,
    "memory": _bytes,
    "memory_limit": _bytes,
    "progress": _progress,
}
_USUAL = {name: getattr(Control, name) for name in _CHECKS}
USUAL = Control()
