"""Every numerical knob of a fit."""

from __future__ import annotations

from collections.abc import Callable

from glmcount.records import dataclass

__all__ = ["Control"]


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
        are quantiles its distinct values, which take a mebibyte in any case.
    memory_limit : int
        Bytes that one information matrix may take; larger models are refused by name.
    progress : bool or callable
        True prints a line each iteration; a callable gets the iteration's record.

    Examples
    --------
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
