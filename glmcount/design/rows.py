"""Rows: the data as a design sees them, strip by strip, and the only way to go over them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from glmcount.columns.column import Values
from glmcount.design.encode import Piece, encode
from glmcount.design.given import numberless
from glmcount.design.marks import Marks, changed, marks_of, refuse_changed
from glmcount.design.roles import learn_roles, role_values, with_read
from glmcount.design.spec import Account, DesignSpec, Plan
from glmcount.design.task import Task, length_of
from glmcount.design.values import coerced
from glmcount.engine.block import BlockRows
from glmcount.engine.layout import Layout
from glmcount.engine.spread import Small, spread_out, suits
from glmcount.engine.strip import Strip, one_strip
from glmcount.errors import DataChangedError
from glmcount.numerics import Array
from glmcount.numerics.blas import several, solving
from glmcount.records import cached_property, dataclass, field, replace
from glmcount.sources.base import THREADED_BLAS, Columns, Given, Source
from glmcount.sources.folds import is_plain

__all__ = ["Cache", "Rows"]

T = TypeVar("T")


@dataclass
class Cache:
    """What rows came to, kept from pass to pass under one budget.

    Parameters
    ----------
    left : int
        Bytes that may still be kept.
    strips : dict
        Encoded strips by number.
    codes : dict
        Of strips that did not fit, their joint codes, which take longest to make.
    small : Small or None
        The columns of a small problem side by side: one, whatever the response.
    """

    left: int = 0
    strips: dict[int, Strip] = field(default_factory=dict)
    codes: dict[int, dict[str, Values]] = field(default_factory=dict)
    small: Small | None = None

    def with_strips(self, strips: dict[int, Strip]) -> Cache:
        """The same, of other strips by the same codes."""
        return Cache(self.left, strips, self.codes)

    def keep(self, strip: Strip, codes: dict[str, Values]) -> None:
        """Keep a strip where there is room, else its codes where there is room for these."""
        cost = strip.own_bytes
        if cost <= self.left:
            self.left -= cost
            self.strips[strip.number] = strip
        elif strip.number not in self.codes:
            cost = sum(code.nbytes for code in codes.values())
            if cost <= self.left:
                self.left -= cost
                self.codes[strip.number] = codes


@dataclass
class Rows:
    """A source, the design by which it is read, which of its rows are used, and what is kept.

    Parameters
    ----------
    source : Source
    spec : DesignSpec
    plan : Plan
    threads : int or None
    cache : Cache
    response : bool
        Whether response and weights are read.
    behind : Rows or None
        Of cells, the rows that they stand for.
    made : (Rows, callable) or None
        Rows whose strips are turned into these.
    marks : tuple of Marks or None
        Of the columns of every strip, looked at whenever it is read; None before a fit.

    Examples
    --------
    >>> from glmcount.design.build import Roles, formula_design
    >>> from glmcount.numerics.control import Control
    >>> from glmcount.sources.base import open_source
    >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
    >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
    >>> rows.n_used, rows.names
    (3, ('y', 'x'))
    """

    source: Source
    spec: DesignSpec
    plan: Plan
    threads: int | None = None
    cache: Cache = field(default_factory=Cache)
    response: bool = True
    behind: Rows | None = None
    made: tuple[Rows, Callable[[Strip], Strip]] | None = None
    marks: tuple[Marks, ...] | None = None

    def fold(
        self, work: Callable[[Strip], T], add: Callable[[T, T], T], threads: int | None = None
    ) -> T:
        """Fold ``work(strip)`` over all strips, in order.

        Parameters
        ----------
        work : callable
            `Strip` -> what its rows come to.
        add : callable
            Two of these -> one.
        threads : int, optional
            That share the work where the user named none. No digit depends on it.

        Returns
        -------
        object
            What all rows come to.

        Raises
        ------
        DataChangedError
            If the rows are looked at for changes, and are not those that were fitted.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> float(rows.fold(lambda strip: strip.y[0].sum(), lambda a, b: a + b))
        6.0
        """

        def one(number: int, first: int, raw: Columns) -> T:
            return work(self.encoded(number, first, raw))

        held = len(self.cache.strips) == 1 == self.source.n_strips
        if held and self.source.n_rows < THREADED_BLAS:
            return work(self.encoded(0, 0, {}))
        whole = len(self.cache.strips) == self.source.n_strips
        names = () if whole else self.names
        if self.marks is not None and self.source.stream is not None:
            # What cannot be read again is looked at when it comes.
            names = self.names
        if self.source.folding is None or whole or self.made is not None:
            return self.source.fold(names, one, add, self.threads or threads)
        task = Task(self.spec, self.plan, self.response, work, self.marks)
        if not is_plain(task):
            return self.source.fold(names, one, add, self.threads or threads)
        return self.source.fold(self.names, task, add)

    def fold_beside(
        self,
        names: Sequence[str],
        work: Callable[[Strip, Piece, Columns], T],
        add: Callable[[T, T], T],
    ) -> T:
        """Fold ``work(strip, piece, columns)``: beside a strip the columns of all its rows.

        Parameters
        ----------
        names : sequence of str
            Columns of the data that are handed over besides those of the design.
        work : callable
            What a strip comes to, with a `Piece` that says which of its rows are used, and the
            columns of all of them.
        add : callable
            Two of these -> one.

        Returns
        -------
        object
            What all rows come to.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> def length(strip, piece, columns):
        ...     return len(columns["x"])
        >>> rows.fold_beside(["x"], length, max)
        3
        """

        def one(number: int, first: int, raw: Columns) -> T:
            strip = self.encoded(number, first, raw)
            length = self.source.span(number)[1] - first
            return work(strip, Piece(number, first, length, strip.where), raw)

        return self.source.fold(tuple(dict.fromkeys((*self.names, *names))), one, add, self.threads)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Columns of the source that are read."""
        if self.made is not None:
            return self.made[0].names
        spec = self.spec
        own: list[str] = [spec.response, *spec.beside] if self.response else []
        if spec.weights is not None and self.response:
            own.append(spec.weights)
        names = spec.columns((*own, *spec.predictors))
        if not spec.roles:
            return names
        return tuple(dict.fromkeys((*names, *(role.name for role in spec.roles))))

    def with_roles(
        self,
        groups: Sequence[str],
        order: Sequence[str] = (),
        given: Mapping[str, Given] | None = None,
    ) -> Rows:
        """The same rows with columns read beside them, by which rows are grouped and ordered.

        Parameters
        ----------
        groups, order : sequence of str
            Columns of the data.
        given : mapping, optional
            Those that are no columns of the data, by their names in brackets:
            ``{"<groups>": array}``.

        Returns
        -------
        Rows
            Whose strips have codes of the groups, then values of the order, in `Strip.roles`.

        Raises
        ------
        UnknownColumnError, DataError
            If there is no such column, or a used row has no value in it.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.with_roles(["x"]).strip(0).roles[0].tolist()
        [0, 1, 2]
        """
        known = {(role.name, role.what) for role in self.spec.roles}
        groups = [name for name in dict.fromkeys(groups) if (name, "group") not in known]
        order = [name for name in dict.fromkeys(order) if (name, "order") not in known]
        if not groups and not order:
            return self
        if given:
            return self._beside(given).with_roles(groups, order)
        more = learn_roles(self.source, self.plan, groups, order, self.threads)
        marks: dict[int, Marks] = {}
        strips = dict(self.cache.strips)

        def one(number: int, first: int, raw: Columns) -> None:
            held = strips.get(number)
            if self.marks is not None:
                # What the model reads too must be what was fitted.
                both = {n: mark for n, mark in self.marks[number].items() if n in raw}
                refuse_changed(both, raw, self.source.span(number))
                marks[number] = {**self.marks[number], **marks_of(raw)}
            if held is not None:
                found = role_values(more, raw, held.where, first)
                strips[number] = replace(held, roles=(*held.roles, *found))

        if strips or self.marks is not None:
            names = tuple(dict.fromkeys((*groups, *order)))
            self.source.fold(names, one, lambda a, b: None, self.threads)
        spec = replace(self.spec, roles=(*self.spec.roles, *more))
        made = self.made and (self.made[0].with_roles(groups, order), self.made[1])
        gate = None if self.marks is None else tuple(marks[k] for k in sorted(marks))
        kept = self.cache.with_strips(strips)
        kept.small = self.cache.small
        return replace(self, spec=spec, cache=kept, made=made, marks=gate)

    def _beside(self, given: Mapping[str, Given]) -> Rows:
        """The same rows with further columns beside the table."""
        made = self.made and (self.made[0]._beside(given), self.made[1])
        return replace(self, source=with_read(self.source, (), given), made=made)

    def without(self, gone: Sequence[int]) -> Rows:
        """The same rows for all equations but those; codes and encoded strips are shared.

        Parameters
        ----------
        gone : sequence of int
            Numbers of equations.

        Returns
        -------
        Rows

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> roles = Roles({}, (("inflate", "x"),))
        >>> rows = formula_design(open_source(data), "y ~ x", roles, None, Control())
        >>> len(rows.spec.equations), len(rows.without((1,)).spec.equations)
        (2, 1)
        """
        if not gone:
            return self
        kept = [k for k in range(len(self.spec.equations)) if k not in gone]
        own = [i for i, number in enumerate(self.spec.block_equations) if number in kept]
        strips = {number: strip.of(own, kept) for number, strip in self.cache.strips.items()}
        behind = None if self.behind is None else self.behind.without(gone)
        kept_here = self.cache.with_strips(strips)
        return replace(self, spec=self.spec.without(gone), cache=kept_here, behind=behind)

    def constants(self, spec: DesignSpec) -> Rows:
        """The same rows by a design of which every equation is a constant, or nothing.

        Parameters
        ----------
        spec : DesignSpec
            That design.

        Returns
        -------
        Rows
            Encoded strips keep their response, weights and offsets.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.records import replace
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.fold(lambda strip: strip.n, lambda a, b: a + b)
        3
        >>> from glmcount.design.build import CONSTANT
        >>> null = replace(rows.spec, equations=(CONSTANT,))
        >>> len(rows.constants(null).strip(0).blocks)
        1
        """
        ones = tuple(BlockRows(None, (None,)) for equation in spec.equations if equation.parts)
        count = len(spec.equations)
        strips = {
            number: replace(strip, blocks=ones, offsets=strip.offsets[:count])
            for number, strip in self.cache.strips.items()
        }
        behind = None if self.behind is None else self.behind.constants(spec)
        return replace(self, spec=spec, cache=Cache(0, strips), behind=behind)

    def turned(self, spec: DesignSpec, turn: Callable[[Strip], Strip]) -> Rows:
        """The same rows by another design, whose strips are made of these when they are read.

        Parameters
        ----------
        spec : DesignSpec
            The other design.
        turn : callable
            `Strip` -> `Strip`.

        Returns
        -------
        Rows

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> doubled = rows.turned(rows.spec, lambda strip: strip.with_response(2.0 * strip.y))
        >>> doubled.strip(0).y.tolist()
        [[2.0, 6.0, 4.0]]
        """
        strips = {number: turn(strip) for number, strip in self.cache.strips.items()}
        behind = None if self.behind is None else self.behind.turned(spec, turn)
        own = Cache(0, strips)
        return replace(self, spec=spec, cache=own, behind=behind, made=(self, turn))

    @property
    def single(self) -> Rows:
        """The rows themselves: those behind cells, else what is encoded here."""
        return self if self.behind is None else self.behind

    def strip(self, number: int) -> Strip:
        """One strip.

        Parameters
        ----------
        number : int
            Counted from 0.

        Returns
        -------
        Strip

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.strip(0).y.tolist()
        [[1.0, 3.0, 2.0]]
        """
        names = () if number in self.cache.strips else self.names
        return self.encoded(number, *self.source.strip(number, names))

    def several(self, numbers: Sequence[int]) -> Iterator[Strip]:
        """Some strips, one after the other; of a stream in one pass.

        Parameters
        ----------
        numbers : sequence of int
            Counted from 0.

        Returns
        -------
        iterator of Strip

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> [strip.n for strip in rows.several([0])]
        [3]
        """
        if self.source.stream is None:
            return map(self.strip, numbers)
        wanted = frozenset(numbers)

        def chosen(strip: Strip) -> list[Strip]:
            return [strip] if strip.number in wanted else []

        found: list[Strip] = self.fold(chosen, lambda a, b: a + b)
        return iter(found)

    def head(self, rows: int, parts: int = 1) -> Rows:
        """The first used rows of every strip, held in memory as so many strips.

        Parameters
        ----------
        rows : int
            Of each strip at most.
        parts : int
            Strips that they are laid out as.

        Returns
        -------
        Rows

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.head(2).n_used
        2
        """
        strips = self.fold(lambda strip: [strip.span(0, rows)], lambda a, b: a + b)
        whole = one_strip(strips)
        return self.holding(whole, max(-(-whole.n // parts), 1))

    def holding(self, rows: Strip, strip_rows: int | None = None) -> Rows:
        """Rows that are held in memory, whatever the source.

        Parameters
        ----------
        rows : Strip
            All of them.
        strip_rows : int, optional
            Rows of a strip.

        Returns
        -------
        Rows

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.holding(rows.strip(0), strip_rows=2).source.n_strips
        2
        """
        source = Source((), rows.n, None, lambda first, last, names: {}, strip_rows)
        plan = Plan((None,) * source.n_strips, Account(rows.n, 0, {}))
        held = {}
        for number in range(source.n_strips):
            first, last = source.span(number)
            part = rows.span(first, last)
            held[number] = replace(part, number=number, first=first, where=None)
        return replace(self, source=source, plan=plan, cache=Cache(0, held), marks=None)

    def solving(self, size: int) -> AbstractContextManager[None]:
        """For solves between passes, which BLAS need not share between threads.

        Passes over several strips hold it to one anyhow.

        Parameters
        ----------
        size : int
            Of the matrices that are solved with.

        Returns
        -------
        context manager

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> with rows.solving(2):
        ...     print(np.linalg.solve(np.eye(2), np.ones(2)).tolist())
        [1.0, 1.0]
        """
        return solving(size) if self.source.n_strips == 1 else several(size)

    @property
    def n_used(self) -> int:
        """Rows used."""
        return self.plan.account.n_rows - self.plan.account.n_dropped

    def numbers(self) -> NDArray[np.intp]:
        """The numbers of the used rows among those of the data.

        Returns
        -------
        ndarray of int, shape (rows used,)

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.keeping(np.array([True, False, True])).numbers().tolist()
        [0, 2]
        """
        out = []
        for number in range(self.source.n_strips):
            first, last = self.source.span(number)
            where = self.plan.where(number, last - first)
            out.append(first + (np.arange(last - first) if where is None else where))
        return np.concatenate(out)

    def encoded(self, number: int, first: int, raw: Columns) -> Strip:
        """A strip, from the cache or made from its columns.

        Parameters
        ----------
        number : int
            Of the strip.
        first : int
            Number of its first row.
        raw : mapping of str to sequence
            Its columns, as the source has them.

        Returns
        -------
        Strip

        Raises
        ------
        DataChangedError
            If the rows are looked at for changes, and are not those that were fitted.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.encoded(0, 0, {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}).n
        3
        """
        found = self.cache.strips.get(number)
        if found is None and self.made is None:
            raw = coerced(raw)
        if self.marks is not None:
            self._check(number, raw)
        if found is not None:
            return found
        if self.made is not None:
            origin, turn = self.made
            return turn(origin.encoded(number, first, raw))
        n = self.source.span(number)[1] - first
        piece = Piece(number, first, n, self.plan.where(number, n))
        codes = dict(self.cache.codes.get(number, ()))
        strip = encode(self.spec, piece, raw, self.response, codes)
        self.cache.keep(strip, codes)
        return strip

    def gated(self) -> Rows:
        """The same rows, whose columns are looked at from now on whenever they are read.

        Marks that were made while the design was learnt are not made again.

        Returns
        -------
        Rows
            That raise `DataChangedError` where the data are edited.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.marks is None, len(rows.gated().marks)
        (True, 1)
        """
        own, known = self.names, self.plan.marks
        if known and known[0].keys() == set(own):
            return replace(self, marks=known)
        names = [name for name in own if not known or name not in known[0]]
        more = self.source.fold(names, _marks, operator.or_, self.threads) if names else {}
        both = zip(*filter(None, (known, tuple(more.values()))), strict=True)
        marks = [{n: part[n] for part in parts for n in own if n in part} for parts in both]
        return replace(self, marks=tuple(marks))

    def check(self) -> None:
        """Look at all rows.

        Raises
        ------
        DataChangedError
            If they are not those that were fitted.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.gated().check()
        """
        self.fold(lambda strip: None, lambda a, b: None)

    def _check(self, number: int, raw: Columns) -> None:
        """Refuse a strip that is not what was fitted.

        Raises
        ------
        DataChangedError
            If a column of it is another one than it was.
        """
        assert self.marks is not None
        marks = self.marks[number]
        there = marks.keys() <= raw.keys()
        columns = raw if there else self.source.strip(number, tuple(marks))[1]
        kept = number in self.cache.strips
        refuse_changed(marks, columns, self.source.span(number), kept)

    def refuse_edited(self, source: Source, otherwise: str) -> None:
        """Refuse a table opened anew that has not the rows that were fitted.

        Parameters
        ----------
        source : Source
            The table opened anew.
        otherwise : str
            What to do else, in words: the end of the message.

        Raises
        ------
        DataChangedError
            Which says what has changed, and what to do `otherwise`.

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.gated().refuse_edited(rows.source, "Fit again.")
        """
        marks, own = self.marks, self.source
        assert marks is not None
        names = tuple(marks[0])
        gone = [name for name in names if name not in source.names]
        if gone:
            told = f"column {gone[0]!r} is no more there"
        elif source.counted and source.n_rows != own.n_rows:
            told = f"they have {source.n_rows:,} rows, and had {own.n_rows:,}"
        else:
            spans = [own.span(number) for number in range(own.n_strips)]
            source = source.measured([last - first for first, last in spans])
            told = source.fold(names, partial(_look, marks), _first, self.threads)
        if told:
            raise DataChangedError(f"The data are not those that were fitted: {told}. {otherwise}")

    def small(self, layout: Layout) -> Small | None:
        """The columns side by side; None for a problem that is not small.

        Parameters
        ----------
        layout : Layout
            Of the design's columns.

        Returns
        -------
        Small or None

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> from glmcount.design.layout import layout_of
        >>> rows.small(layout_of(rows.spec)) is None
        False
        """
        strip, found = self.cache.strips.get(0), self.cache.small
        if self.source.n_strips > 1 or not suits(self.n_used, layout.size):
            return None
        if self.marks is not None:
            self.check()
        if found is not None and strip is not None and found.serves(strip, layout):
            return found
        if strip is None:
            self.fold(lambda strip: None, lambda a, b: None)
            strip = self.cache.strips.get(0)
        if strip is not None:
            self.cache.small = spread_out(strip, layout)
        return None if strip is None else self.cache.small

    def by_row(self, what: Callable[[Strip], Array]) -> Array:
        """One number for each used row, in order.

        Parameters
        ----------
        what : callable
            `Strip` -> ndarray of shape (n,) or (1,).

        Returns
        -------
        ndarray, shape (rows used,)

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.by_row(lambda strip: 2.0 * strip.y[0]).tolist()
        [2.0, 6.0, 4.0]
        """

        def work(strip: Strip) -> list[Array]:
            return [np.broadcast_to(what(strip), (strip.n,))]

        return np.concatenate(self.fold(work, lambda a, b: a + b))

    def total(self, what: Callable[[Strip], Array]) -> float:
        """Weighted sum over the used rows.

        Parameters
        ----------
        what : callable
            `Strip` -> ndarray of shape (n,) or (1,).

        Returns
        -------
        float

        Examples
        --------
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.total(lambda strip: strip.y[0])
        6.0
        """

        def work(strip: Strip) -> float:
            values = np.broadcast_to(what(strip), (strip.n,))
            return float(values.sum() if strip.weights is None else np.dot(values, strip.weights))

        return self.fold(work, lambda a, b: a + b)

    def with_response(self, source: Source, spec: DesignSpec, values: Array) -> Rows:
        """The same rows with another response, given for every row of the data.

        Rows that were left out stay out. Encoded strips are kept but for the response.

        Parameters
        ----------
        source : Source
            With the response among its columns.
        spec : DesignSpec
            That names it.
        values : ndarray, shape (rows of the data,)

        Returns
        -------
        Rows

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> from glmcount.design.build import with_response
        >>> with_response(rows, np.array([0.0, 1.0, 5.0])).strip(0).y.tolist()
        [[0.0, 1.0, 5.0]]
        """
        strips = {}
        for number, strip in self.cache.strips.items():
            own = values[strip.first : self.source.span(number)[1]]
            own = own if strip.where is None else own[strip.where]
            y = np.concatenate([own[None], strip.y[1:]]) if len(strip.y) > 1 else own[None]
            strips[number] = strip.with_response(y)
        cache = self.cache.with_strips(strips)
        cache.small = self.cache.small
        plan = self.plan.forgetting(spec.variables[spec.response].expression.columns)
        return Rows(source, spec, plan, self.threads, cache, self.response)

    def keeping(self, mask: NDArray[np.bool_]) -> Rows:
        """Those of the used rows that a mask over all rows of the data has.

        Parameters
        ----------
        mask : ndarray of bool, shape (rows of the data,)

        Returns
        -------
        Rows

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.keeping(np.array([False, True, True])).strip(0).y.tolist()
        [[3.0, 2.0]]
        """
        spans = [self.source.span(number) for number in range(self.source.n_strips)]
        plan = self.plan.keeping(spans, mask)
        behind = None if self.behind is None else self.behind.keeping(mask)
        return replace(self, plan=plan, cache=Cache(), behind=behind)

    def reweighted(self, weights: Array) -> Rows:
        """The same rows with other weights, given for every row of the data.

        Parameters
        ----------
        weights : ndarray, shape (rows of the data,)

        Returns
        -------
        Rows

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.design.build import Roles, formula_design
        >>> from glmcount.numerics.control import Control
        >>> from glmcount.sources.base import open_source
        >>> data = {"y": [1, 3, 2], "x": [0.0, 1.0, 2.0]}
        >>> rows = formula_design(open_source(data), "y ~ x", Roles({}), None, Control())
        >>> rows.reweighted(np.array([1.0, 0.0, 2.0])).total(lambda strip: strip.y[0])
        5.0
        """

        def turn(strip: Strip) -> Strip:
            own = weights[strip.first : self.source.span(strip.number)[1]]
            return replace(strip, weights=own if strip.where is None else own[strip.where])

        return self.turned(self.spec, turn)


def _marks(number: int, first: int, raw: Columns) -> dict[int, Marks]:
    return {number: marks_of(raw)}


def _look(marks: tuple[Marks, ...], number: int, first: int, raw: Columns) -> str:
    """What has changed in a strip."""
    name, last = changed(marks[number], raw), first + length_of(raw) - 1
    if name is None:
        return ""
    return f"column {numberless(name)!r} has changed in the rows {first} to {last}"


def _first(told: str, more: str) -> str:
    return told or more
