"""Whether passes go by compiled loops, and which: the optional extra `compiled`."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

from glmcount.errors import MissingExtraError
from glmcount.numerics import Array, Control
from glmcount.records import dataclass

__all__ = ["Loops", "address", "compiled_loops"]

# Rows from which loops save more than numba's import takes.
FROM = 4_000_000


@dataclass(frozen=True)
class Loops:
    """Compiled loops over rows: see `loops.py`.

    Parameters
    ----------
    scatter, join, look_up, gather, narrow : callable
    """

    scatter: Callable[..., None]
    join: Callable[..., Any]
    look_up: Callable[..., None]
    gather: Callable[..., None]
    narrow: Callable[..., None]


def address(column: Array) -> int:
    """Where a column of doubles begins; the column has to be held while that is used."""
    found: int = column.__array_interface__["data"][0]
    return found


def compiled_loops(control: Control, rows: int) -> Loops | None:
    """The loops where they are asked for, or pay; None for numpy.

    Raises
    ------
    MissingExtraError
        If they are asked for by name and numba is not there, or cannot be imported.
    """
    wanted = control.compiled
    if not wanted or (wanted == "auto" and rows < FROM):
        return None
    try:
        if find_spec("numba") is None:
            raise ImportError("it is not installed")
        from glmcount.design import loops
    except ImportError as error:
        # numba refuses to be imported beside a numpy newer than it knows.
        if wanted == "auto":
            return None
        raise MissingExtraError(
            f"Control(compiled=True) needs numba ({error}): pip install 'glmcount[compiled]' (or "
            "pip install numba). compiled='auto' uses it where it can be imported and the data "
            "are large."
        ) from error
    return Loops(loops.scatter, loops.join, loops.look_up, loops.gather, loops.narrow)
