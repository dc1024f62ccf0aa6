"""Strips: encoded rows, all that the engine sees of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from glmcount.engine.block import BlockRows, Index, Row
from glmcount.numerics import Array
from glmcount.records import dataclass, replace

__all__ = ["Strip", "one_strip"]


@dataclass(frozen=True)
class Strip:
    """Encoded rows: what the engine sees of the data.

    Parameters
    ----------
    number : int
        Of the strip.
    first : int
        Number of the first row of the strip in the data.
    n : int
        Used rows.
    where : ndarray of int, shape (n,), or None
        Which rows of the strip those are; None for all.
    y : ndarray, shape (m, n)
    weights : ndarray, shape (n,), or None
    blocks : tuple of BlockRows
        In the order of `Layout.blocks`.
    offsets : tuple of ndarray of shape (n,) or None, one each equation
    roles : tuple of ndarray, each of shape (n,)
        Codes of groups and values of time, in the order of the design's roles.

    Examples
    --------
    >>> import numpy as np
    >>> from glmcount.engine.strip import Strip
    >>> strip = Strip(0, 0, 3, None, np.array([[1.0, 3.0, 2.0]]), None, (), (None,))
    >>> strip.span(1, 3).y.tolist()
    [[3.0, 2.0]]
    """

    number: int
    first: int
    n: int
    where: Index | None
    y: Array
    weights: Array | None
    blocks: tuple[BlockRows, ...]
    offsets: tuple[Array | None, ...]
    roles: tuple[NDArray[Any], ...] = ()

    @property
    def own_bytes(self) -> int:
        """Bytes of its numbers beyond the source's own columns."""
        arrays: list[Any] = [self.y, self.weights, *self.offsets, *self.roles]
        for block in self.blocks:
            arrays += (block.codes, *block.rows)
        # Blocks share codes.
        own = {id(a): a.nbytes for a in arrays if a is not None and a.base is None}
        return sum(own.values())

    def with_response(self, y: Array) -> Strip:
        """The same rows with another response.

        Parameters
        ----------
        y : ndarray, shape (m, n)

        Returns
        -------
        Strip

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.engine.strip import Strip
        >>> strip = Strip(0, 0, 2, None, np.array([[1.0, 3.0]]), None, (), (None,))
        >>> strip.with_response(np.array([[0.0, 2.0]])).y.tolist()
        [[0.0, 2.0]]
        """
        return Strip(
            self.number,
            self.first,
            self.n,
            self.where,
            y,
            self.weights,
            self.blocks,
            self.offsets,
            self.roles,
        )

    def span(self, first: int, last: int) -> Strip:
        """The used rows ``first:last``.

        Parameters
        ----------
        first, last : int
            Among the used rows, counted from 0; the second is the one after the last.

        Returns
        -------
        Strip

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.engine.strip import Strip
        >>> strip = Strip(0, 0, 3, None, np.array([[1.0, 3.0, 2.0]]), None, (), (None,))
        >>> strip.span(0, 2).n
        2
        """
        return self if first == 0 and last >= self.n else self.taken(slice(first, last))

    def taken(self, rows: slice | Index) -> Strip:
        """Some of the used rows.

        Parameters
        ----------
        rows : slice or ndarray of int
            Their places among the used rows.

        Returns
        -------
        Strip

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.engine.strip import Strip
        >>> strip = Strip(0, 0, 3, None, np.array([[1.0, 3.0, 2.0]]), None, (), (None,))
        >>> strip.taken(np.array([2, 0])).y.tolist()
        [[2.0, 1.0]]
        """
        cut: dict[int, Any] = {}

        def part(values: Row) -> Row:
            # Once each: that two blocks have one code is told by its being the same array.
            if values is None:
                return None
            if id(values) not in cut:
                cut[id(values)] = values[rows]
            found: Row = cut[id(values)]
            return found

        y = self.y[:, rows]
        return replace(
            self,
            n=y.shape[1],
            where=np.arange(self.n)[rows] if self.where is None else part(self.where),
            y=y,
            weights=part(self.weights),
            blocks=tuple(
                BlockRows(part(block.codes), tuple(part(row) for row in block.rows))
                for block in self.blocks
            ),
            offsets=tuple(part(offset) for offset in self.offsets),
            roles=tuple(role[rows] for role in self.roles),
        )

    def of(self, blocks: Sequence[int], equations: Sequence[int]) -> Strip:
        """The same rows with some of the blocks and equations.

        Parameters
        ----------
        blocks, equations : sequence of int
            Their numbers, counted from 0.

        Returns
        -------
        Strip

        Examples
        --------
        >>> import numpy as np
        >>> from glmcount.engine.strip import Strip
        >>> strip = Strip(0, 0, 1, None, np.ones((1, 1)), None, (), (None, np.zeros(1)))
        >>> len(strip.of([], [1]).offsets)
        1
        """
        return replace(
            self,
            blocks=tuple(self.blocks[i] for i in blocks),
            offsets=tuple(self.offsets[k] for k in equations),
        )


def one_strip(strips: Sequence[Strip]) -> Strip:
    """The rows of several strips as one, copied; blocks that share a code still do."""
    joined: dict[int, Any] = {}

    def join(parts: Sequence[Row]) -> Row:
        present = [part for part in parts if part is not None]
        if not present:
            return None
        if id(present[0]) not in joined:
            joined[id(present[0])] = np.concatenate(present)
        found: Row = joined[id(present[0])]
        return found

    blocks = []
    for i, block in enumerate(strips[0].blocks):
        every = [strip.blocks[i] for strip in strips]
        rows = tuple(join([b.rows[k] for b in every]) for k in range(len(block.rows)))
        blocks.append(BlockRows(join([b.codes for b in every]), rows))
    return Strip(
        number=0,
        first=0,
        n=sum(strip.n for strip in strips),
        where=None,
        y=np.concatenate([strip.y for strip in strips], axis=1),
        weights=join([strip.weights for strip in strips]),
        blocks=tuple(blocks),
        offsets=tuple(join(parts) for parts in zip(*(s.offsets for s in strips), strict=True)),
        roles=tuple(np.concatenate(p) for p in zip(*(s.roles for s in strips), strict=True)),
    )
