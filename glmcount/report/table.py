"""One `Table`: a title, facts in two columns, groups of rows of typed cells, footnotes.

A table holds values, not text: every column says how its values are shown, and every
renderer shows them alike. Names and notes are kept whole; only the text renderer, which
has a width to keep, shortens a name.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable

from glmcount.records import dataclass

__all__ = [
    "Cell",
    "Fact",
    "Group",
    "Row",
    "Table",
    "TableColumn",
    "as_written",
    "clean",
    "fixed",
    "four_decimals",
    "p_shown",
    "p_value",
    "shown",
    "three_decimals",
]

Cell = float | str | None
Fact = tuple[str, str]

# A cell wider than this would touch its neighbour in the narrowest column of the text.
CELL_WIDTH = 10

# Bidirectional overrides would let a column name rearrange the line it stands on.
BIDIRECTIONAL = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def fixed(value: float, places: int, width: int = CELL_WIDTH) -> str:
    """`value` with `places` decimals, or in scientific notation where these would mislead.

    Scientific notation is used when the decimals would show zero for a value that is not,
    and when they would need more than `width` characters. NaN is shown as nothing.

    Examples
    --------
    >>> fixed(1.02887, 4), fixed(2.5e-7, 4), fixed(-1234567.8, 4), fixed(float("nan"), 4)
    ('1.0289', '2.500e-07', '-1.235e+06', '')
    """
    if math.isnan(value):
        return ""
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    if value == 0:
        return f"{0.0:.{places}f}"
    text = f"{value:.{places}f}"
    if float(text) != 0 and len(text) <= width:
        return text
    digits = 3
    while digits > 0 and len(f"{value:.{digits}e}") > width:
        digits -= 1
    return f"{value:.{digits}e}"


def four_decimals(value: float) -> str:
    """A coefficient, standard error or limit.

    Examples
    --------
    >>> four_decimals(0.0238)
    '0.0238'
    """
    return fixed(value, 4)


def three_decimals(value: float) -> str:
    """A z or t statistic.

    Examples
    --------
    >>> three_decimals(43.2583)
    '43.258'
    """
    return fixed(value, 3)


def p_value(value: float) -> str:
    """A p-value, never shown as zero.

    Examples
    --------
    >>> p_value(2e-16), p_value(0.04351), p_value(1.0)
    ('<0.001', '0.044', '1.000')
    """
    return "<0.001" if value < 0.001 else fixed(value, 3)


def p_shown(value: float) -> str:
    """A p-value with its letter, as a sentence has it.

    Examples
    --------
    >>> p_shown(2e-16), p_shown(0.04351)
    ('p <0.001', 'p 0.044')
    """
    return "p <0.001" if value < 0.001 else f"p {value:.3f}"


def as_written(value: float) -> str:
    """The value as Python writes it, for columns that hold text.

    Examples
    --------
    >>> as_written(3.0)
    '3.0'
    """
    return "" if math.isnan(value) else str(value)


@dataclass(frozen=True)
class TableColumn:
    """A heading and the way the column's numbers are shown.

    Parameters
    ----------
    heading : str
    show : callable
        From a number to the text of a cell; a coefficient's four decimals where not given.

    Examples
    --------
    >>> from glmcount.report.table import TableColumn, three_decimals
    >>> TableColumn("z", three_decimals).show(1.95996)
    '1.960'
    """

    heading: str
    show: Callable[[float], str] = four_decimals


@dataclass(frozen=True)
class Row:
    """A name and one cell for each column: a number, a text, or None for nothing.

    Parameters
    ----------
    name : str
    cells : tuple of float, str or None
        One for each column of the table.
    across : str
        A text that stands in the place of all cells.

    Examples
    --------
    >>> from glmcount.report.table import Row
    >>> Row("chronic", (0.1466, "-inf", None)).cells[1]
    '-inf'
    """

    name: str
    cells: tuple[Cell, ...]
    across: str = ""


@dataclass(frozen=True)
class Group:
    """Rows under a heading of their own, and columns of their own where these differ.

    Parameters
    ----------
    heading : str
        Empty for a group that continues the table.
    rows : tuple of Row
    columns : tuple of TableColumn or None
        None for the columns of the table.

    Examples
    --------
    >>> from glmcount.report.table import Group, Row
    >>> Group("Dispersion (alpha)", (Row("alpha", (0.83,)),)).columns is None
    True
    """

    heading: str
    rows: tuple[Row, ...]
    columns: tuple[TableColumn, ...] | None = None


@dataclass(frozen=True)
class Table:
    """A table of results, ready for any renderer.

    Parameters
    ----------
    title : str
        Stands above everything.
    columns : tuple of TableColumn
        The columns after the names.
    groups : tuple of Group
        One for each equation; a group without heading continues the table.
    lead : tuple of two str
        First line of the facts, at its left and at its right end.
    left, right : tuple of Fact
        Labels with values, in two columns. Two leading blanks in a label make it stand
        under the one above.
    footnotes : tuple of str
        One sentence or more each.

    Examples
    --------
    >>> from glmcount.report.table import Group, Row, Table, TableColumn
    >>> table = Table("Counts", (TableColumn("mean"),), (Group("", (Row("visits", (5.77,)),)),))
    >>> table.columns[0].heading
    'mean'
    """

    title: str
    columns: tuple[TableColumn, ...]
    groups: tuple[Group, ...]
    lead: tuple[str, str] = ("", "")
    left: tuple[Fact, ...] = ()
    right: tuple[Fact, ...] = ()
    footnotes: tuple[str, ...] = ()


def shown(column: TableColumn, cell: Cell) -> str:
    """The text of a cell.

    Examples
    --------
    >>> own = TableColumn("coef")
    >>> shown(own, 1.0), shown(own, "-inf"), shown(own, None)
    ('1.0000', '-inf', '')
    """
    if cell is None:
        return ""
    return clean(cell) if isinstance(cell, str) else column.show(float(cell))


def clean(text: str) -> str:
    r"""`text` on one line, with every control character written out.

    Names come from data: a line break, a terminal escape or a change of writing
    direction in one must not rearrange the table.

    Examples
    --------
    >>> print(clean("a" + chr(10) + "b"))
    a\nb
    """
    return "".join(
        char.encode("unicode_escape").decode("ascii")
        if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") or char in BIDIRECTIONAL
        else char
        for char in text
    )
