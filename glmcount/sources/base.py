"""What a source of rows is, and the one way of going over it: map strips, fold in order.

Strips are a fixed partition of the rows by their number alone, so that no digit of a
result depends on how many threads or workers share the work.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from glmcount.errors import DataError
from glmcount.numerics.blas import single_threaded_blas
from glmcount.records import dataclass, field, replace

__all__ = [
    "STRIP_ROWS",
    "Columns",
    "Given",
    "Source",
    "map_fold",
    "open_source",
    "register_source",
]

STRIP_ROWS = 65_536
# Rows from which BLAS itself would use threads, which wait for processors that are busy.
THREADED_BLAS = 8_192

T = TypeVar("T")
# What a user hands over, of whatever type.
Given = Any
Columns = Mapping[str, Given]


@dataclass(frozen=True)
class Source:
    """Rows of named columns, readable any number of times.

    Parameters
    ----------
    names : tuple of str
        Columns there are.
    n_rows : int
    index : object
        Row labels of what row-wise results are given back with (a pandas Index), or None.
    read : callable
        ``(first, last, names) -> {name: values}`` for a range of rows.
    strip_rows : int or None
        Rows of a strip; None for `STRIP_ROWS`.
    beside : mapping
        Columns given beside the table, one value for each of its rows.
    """

    names: tuple[str, ...]
    n_rows: int
    index: Any
    read: Callable[[int, int, Sequence[str]], Columns]
    strip_rows: int | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_strips(self) -> int:
        """Number of strips; at least one, so that empty data are met by the checks."""
        return max(1, -(-self.n_rows // (self.strip_rows or STRIP_ROWS)))

    def span(self, number: int) -> tuple[int, int]:
        """First row of a strip, and the row after its last."""
        rows = self.strip_rows or STRIP_ROWS
        return number * rows, min((number + 1) * rows, self.n_rows)

    def strip(self, number: int, names: Sequence[str]) -> tuple[int, Columns]:
        """First row and columns of a strip."""
        first, last = self.span(number)
        return first, self.columns(first, last, names)

    def columns(self, first: int, last: int, names: Sequence[str]) -> Columns:
        """Columns of a range of rows."""
        if not self.beside:
            return self.read(first, last, names)
        own = [name for name in names if name not in self.beside]
        found = dict(self.read(first, last, own)) if own else {}
        given = {name: self.beside[name][first:last] for name in names if name in self.beside}
        return {**found, **given}

    def with_columns(self, columns: Mapping[str, Any]) -> Source:
        """The same rows with more columns."""
        names = tuple(dict.fromkeys((*self.names, *columns)))
        return replace(self, names=names, beside={**self.beside, **columns})


def map_fold(
    source: Source,
    names: Sequence[str],
    map_strip: Callable[[int, int, Columns], T],
    fold: Callable[[T, T], T],
    threads: int | None = None,
) -> T:
    """Fold ``map_strip(number, first row, columns)`` over all strips, in strip order."""

    def one(number: int) -> T:
        first, columns = source.strip(number, names)
        return map_strip(number, first, columns)

    if source.n_strips == 1 and source.n_rows < THREADED_BLAS:
        return one(0)
    # Two or three strips are over before a pool of threads has paid for itself.
    workers = min(threads or min(_processors(), max(1, source.n_strips // 2)), source.n_strips)
    with single_threaded_blas():
        if workers == 1:
            return _folded(map(one, range(source.n_strips)), fold)
        return _folded(_windowed(_pool(workers), one, source.n_strips, 2 * workers), fold)


def _folded(parts: Iterator[T], fold: Callable[[T, T], T]) -> T:
    total = next(parts)
    for part in parts:
        total = fold(total, part)
    return total


def _windowed(
    pool: ThreadPoolExecutor, work: Callable[[int], T], count: int, window: int
) -> Iterator[T]:
    # Never more than a few strips' sums wait to be folded: for wide models each is large.
    waiting = [pool.submit(work, number) for number in range(min(window, count))]
    try:
        for number in range(len(waiting), count + len(waiting)):
            done = waiting.pop(0)
            yield done.result()
            if number < count:
                waiting.append(pool.submit(work, number))
    finally:
        # After an error nobody waits for the rest.
        for left in waiting:
            left.cancel()


_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}
_lock = threading.Lock()


def _pool(workers: int) -> ThreadPoolExecutor:
    """The process's threads: they keep their buffers from pass to pass."""
    # A forked process has a copy of the pool but not of its threads, hence its number.
    key = (os.getpid(), workers)
    with _lock:
        if key not in _pools:
            _pools[key] = ThreadPoolExecutor(workers, thread_name_prefix="glmcount")
        return _pools[key]


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)


Opener = Callable[[Any], Source | None]
_openers: list[Opener] = []


def register_source(opener: Opener) -> Opener:
    """Add a kind of data: a function that opens it, or returns None for what isn't its own."""
    _openers.append(opener)
    return opener


def open_source(data: Any) -> Source:
    """The source for what a user passed as ``data``.

    Raises
    ------
    DataError
        If nothing registered can read it.
    """
    if isinstance(data, Source):
        return data
    for opener in reversed(_openers):
        source = opener(data)
        if source is not None:
            return source
    raise DataError(
        f"data of type {type(data).__name__} cannot be read. Accepted: a pandas or polars "
        "DataFrame, a pyarrow Table, or a dict of equally long columns.",
        kind="data_type",
    )
