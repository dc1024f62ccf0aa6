"""What a pass does with each partition, as a value that another process can be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from glmcount.design.encode import Piece, encode
from glmcount.design.marks import Marks, refuse_changed
from glmcount.design.spec import DesignSpec, Plan
from glmcount.engine.strip import Strip
from glmcount.records import dataclass
from glmcount.sources.base import Columns

__all__ = ["Task"]

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Task(Generic[T]):
    """Encode a partition and work on its strip.

    Parameters
    ----------
    spec : DesignSpec
    plan : Plan
    response : bool
        Whether response and weights are read.
    work : callable
        From a strip; plain data or a function known by name, where it is to be sent away.
    marks : tuple of Marks or None
        Of the columns of every partition, where they are looked at.
    """

    spec: DesignSpec
    plan: Plan
    response: bool
    work: Callable[[Strip], T]
    marks: tuple[Marks, ...] | None = None

    def __call__(self, number: int, first: int, columns: Columns) -> T:
        """What the partition comes to."""
        length = length_of(columns)
        if self.marks is not None:
            refuse_changed(self.marks[number], columns, (first, first + length))
        piece = Piece(number, first, length, self.plan.where(number, length))
        return self.work(encode(self.spec, piece, columns, self.response))


def length_of(columns: Columns) -> int:
    """Rows of a partition that has columns."""
    return len(next(iter(columns.values())))
