"""What a source of rows is, and the one way of going over it: map partitions, fold in order.

Partitions of rows in memory are fixed by their number alone, so that no digit of a result depends
on how many threads or workers share the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, islice
from pathlib import PurePath
from typing import Any, TypeVar

from glmcount.allowed import shown
from glmcount.errors import DataChangedError, DataError
from glmcount.numerics.blas import single_threaded_blas
from glmcount.records import cached_property, dataclass, field, replace
from glmcount.sources.folds import by_threads, in_order, is_plain, processors

__all__ = [
    "STRIP_ROWS",
    "Columns",
    "Given",
    "Source",
    "open_source",
    "register_source",
    "streamed",
]

STRIP_ROWS = 65_536
# Rows from which BLAS itself would use threads, which wait for processors that are busy.
THREADED_BLAS = 8_192
UNKNOWN = -1

T = TypeVar("T")
# What a user hands over, of whatever type.
Given = Any
Columns = Mapping[str, Given]
Task = Callable[[int, int, Columns], T]
Part = tuple[int, int, Columns]


@dataclass(frozen=True)
class Source:
    """Rows of named columns, in ordered partitions, readable any number of times.

    Parameters
    ----------
    names : tuple of str
        Columns there are.
    n_rows : int
        `UNKNOWN` where it takes a pass to know.
    index : object
        Row labels of what row-wise results are given back with (a pandas Index), or None.
    read : callable
        ``(first, last, names) -> {name: values}`` for a range of rows.
    strip_rows : int or None
        Rows of a partition; None for `STRIP_ROWS` at most, all of one length.
    beside : mapping
        Columns given beside the table, one value for each of its rows.
    ends : tuple of int or None
        For each partition the row after its last, where these are not of one length.
    stream : callable or None
        Where no range of rows can be read: ``names -> {name: values} of each partition``, in the
        same order each time.
    folding : callable or None
        A fold of its own, ``(source, names, task, add)``: it may send the task anywhere, since it
        is given such as pickle. Other tasks are done here.
    coded : mapping
        By their first row columns of partitions that need not be read again.

    Examples
    --------
    >>> from glmcount.sources.base import Source
    >>> table = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
    >>> def read(first, last, names):
    ...     return {name: table[name][first:last] for name in names}
    >>> source = Source(("y", "x"), 3, None, read, strip_rows=2)
    >>> source.n_strips, source.strip(1, ["y"])
    (2, (2, {'y': [2]}))
    """

    names: tuple[str, ...]
    n_rows: int
    index: Any
    read: Callable[[int, int, Sequence[str]], Columns]
    strip_rows: int | None = None
    beside: Mapping[str, Any] = field(default_factory=dict)
    ends: tuple[int, ...] | None = None
    stream: Callable[[Sequence[str]], Iterable[Columns]] | None = None
    folding: Callable[..., Any] | None = None
    coded: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def counted(self) -> bool:
        """Whether the lengths of its partitions are known."""
        return self.n_rows != UNKNOWN

    @cached_property
    def n_strips(self) -> int:
        """Number of partitions; at least one, so that empty data are met by the checks."""
        if self.ends is not None:
            return len(self.ends)
        if self.strip_rows is None and self.n_rows <= STRIP_ROWS:
            return 1
        return max(1, -(-self.n_rows // self.rows_each))

    @cached_property
    def rows_each(self) -> int:
        """Rows of a partition, the last one aside; of one length, so that threads end together."""
        if self.strip_rows is not None:
            return self.strip_rows
        count = max(1, -(-self.n_rows // STRIP_ROWS))
        # A multiple of eight, as many bytes as a word has, unless that leaves fewer partitions.
        rows = -(-self.n_rows // (8 * count)) * 8
        return rows if rows * (count - 1) < self.n_rows else -(-self.n_rows // count)

    def span(self, number: int) -> tuple[int, int]:
        """First row of a partition, and the row after its last.

        Parameters
        ----------
        number : int
            Of the partition, counted from 0.

        Returns
        -------
        tuple of int

        Examples
        --------
        >>> from glmcount.sources.base import Source
        >>> Source((), 5, None, lambda first, last, names: {}, strip_rows=2).span(2)
        (4, 5)
        """
        if self.ends is not None:
            return (self.ends[number - 1] if number else 0), self.ends[number]
        if self.n_strips == 1:
            return 0, self.n_rows
        rows = self.rows_each
        return number * rows, min((number + 1) * rows, self.n_rows)

    def measured(self, lengths: Sequence[int]) -> Source:
        """The same, the lengths of its partitions known.

        Parameters
        ----------
        lengths : sequence of int
            Rows of each partition.

        Returns
        -------
        Source

        Examples
        --------
        >>> from glmcount.sources.base import streamed
        >>> unknown = streamed(["y"], lambda names: iter([{"y": [1, 3]}, {"y": [2]}]))
        >>> unknown.counted, unknown.measured([2, 1]).n_rows
        (False, 3)
        """
        if self.counted:
            return self
        ends = tuple(accumulate(lengths))
        return replace(self, n_rows=ends[-1], ends=ends)

    def strip(self, number: int, names: Sequence[str]) -> tuple[int, Columns]:
        """First row and columns of a partition; of a stream all before it are read too.

        Parameters
        ----------
        number : int
            Of the partition, counted from 0.
        names : sequence of str
            Columns that are wanted.

        Returns
        -------
        tuple of int and mapping
            The number of its first row; by their names columns, with a value for each of its rows.

        Examples
        --------
        >>> from glmcount.sources.base import streamed
        >>> streamed(["y"], lambda names: iter([{"y": [1, 3]}, {"y": [2]}])).strip(1, ["y"])
        (2, {'y': [2]})
        """
        if self.stream is not None:
            _, first, columns = next(islice(self._streamed(names), number, None))
            return first, columns
        first, last = self.span(number)
        return first, self.columns(first, last, names)

    def columns(self, first: int, last: int, names: Sequence[str]) -> Columns:
        """Columns of a range of rows.

        Parameters
        ----------
        first, last : int
            The first row, and the row after the last.
        names : sequence of str
            Columns that are wanted.

        Returns
        -------
        mapping of str to sequence
            Columns with ``last - first`` values each.

        Examples
        --------
        >>> from glmcount.sources.base import open_source
        >>> open_source({"y": [1, 3, 2]}).columns(0, 2, ["y"])["y"].tolist()
        [1, 3]
        """
        if not self.beside and not self.coded:
            return self.read(first, last, names)
        known = self._known(first, last, names)
        own = [name for name in names if name not in known]
        return {**(self.read(first, last, own) if own else {}), **known}

    def _known(self, first: int, last: int, names: Sequence[str]) -> dict[str, Any]:
        """Those of the columns that need not be read."""
        coded = self.coded.get(first, {})
        known = {n: self.beside[n][first:last] for n in names if n in self.beside}
        for name in names:
            if name in coded and len(coded[name]) == last - first:
                known[name] = coded[name]
        return known

    def _streamed(self, names: Sequence[str]) -> Iterator[Part]:
        """Number, first row and columns of each partition, as they come."""
        assert self.stream is not None
        own = [name for name in names if name not in self.beside]
        if not own and self.ends is not None:
            for number in range(len(self.ends)):
                first, last = self.span(number)
                yield number, first, self._known(first, last, names)
            return
        first, number = 0, -1
        for number, found in enumerate(self.stream(own)):
            last = first + len(next(iter(found.values())))
            if self.ends is not None and last not in self.ends[number : number + 1]:
                raise _moved(number)
            yield number, first, {**found, **self._known(first, last, names)}
            first = last
        if self.ends is not None and number + 1 < len(self.ends):
            raise _moved(number + 1)

    def with_columns(self, columns: Mapping[str, Any]) -> Source:
        """The same rows with more columns.

        Parameters
        ----------
        columns : mapping of str to array
            One value for each row of the data.

        Returns
        -------
        Source
            Whose columns of those names are these.

        Examples
        --------
        >>> from glmcount.sources.base import open_source
        >>> open_source({"y": [1, 3, 2]}).with_columns({"z": [4, 5, 6]}).columns(1, 3, ["z"])["z"]
        [5, 6]
        """
        names = tuple(dict.fromkeys((*self.names, *columns)))
        return replace(self, names=names, beside={**self.beside, **columns})

    def fold(
        self,
        names: Sequence[str],
        task: Task[T],
        add: Callable[[T, T], T],
        threads: int | None = None,
    ) -> T:
        """Fold ``task(number, first row, columns)`` over all partitions, in their order.

        Parameters
        ----------
        names : sequence of str
            Columns that are handed over.
        task : callable
            What a partition comes to; a frozen record of plain data, where a source sends it away.
        add : callable
            Two of these -> one.
        threads : int, optional
            That share the work; by itself as many as pay. No digit depends on it.

        Returns
        -------
        object
            What all partitions come to.

        Raises
        ------
        DataChangedError
            If a stream comes in other partitions than before.

        Examples
        --------
        >>> from glmcount.sources.base import open_source
        >>> source = open_source({"y": [1, 3, 2]})
        >>> def largest(number, first, columns):
        ...     return int(max(columns["y"]))
        >>> source.fold(["y"], largest, max)
        3
        """
        if self.folding is not None and is_plain(task):
            found: T = self.folding(self, tuple(names), task, add)
            return found
        if self.stream is not None:
            workers = threads or processors()
            with single_threaded_blas():
                return in_order(by_threads(task, self._streamed(names), workers), add)

        count = self.n_strips
        if count == 1 and self.n_rows < THREADED_BLAS:
            return task(0, *self.strip(0, names))

        def one(number: int) -> T:
            return task(number, *self.strip(number, names))

        # Two or three strips are over before a pool of threads has paid for itself.
        workers = min(threads or min(processors(), max(1, count // 2)), count)
        with single_threaded_blas():
            return in_order(by_threads(one, ((k,) for k in range(count)), workers), add)


def streamed(names: Sequence[str], stream: Callable[[Sequence[str]], Iterable[Columns]]) -> Source:
    """A source of partitions that come one after the other, their lengths unknown until then."""
    return Source(tuple(names), UNKNOWN, None, _unreachable, stream=stream)


def _unreachable(first: int, last: int, names: Sequence[str]) -> Columns:
    raise NotImplementedError("A stream is read from its beginning.")


def _moved(number: int) -> DataChangedError:
    return DataChangedError(
        f"The data are not those that were fitted: partition {number} (counted from 0) has another "
        "length than when it was read first, or there are more or fewer. Give the same rows in the "
        "same partitions each time they are read."
    )


Opener = Callable[[Any], Source | None]
_openers: list[Opener] = []


def register_source(opener: Opener) -> Opener:
    """Add a kind of data: a function that opens it, or returns None for what isn't its own."""
    _openers.append(opener)
    return opener


def _instead(data: Any) -> str:
    """What to do with data that are no table."""
    if isinstance(data, str) and "~" in data:
        return " The formula comes first: fit('y ~ x', data)."
    if isinstance(data, PurePath) or (isinstance(data, str) and "." in data):
        return f" Read it first, as by data = pandas.read_csv({str(data)!r})."
    if isinstance(data, list | tuple) and data and all(isinstance(row, Mapping) for row in data):
        return " Make a table of these rows: pandas.DataFrame(data)."
    if hasattr(data, "ndim"):
        return " Arrays are fitted by glmcount.fit_arrays(y, X); a table names its columns."
    return ""


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
        f"data must be a table: a pandas or polars DataFrame, a pyarrow Table, or a dict of "
        f"equally long columns; got {shown(data)}.{_instead(data)}",
        kind="data_type",
    )
