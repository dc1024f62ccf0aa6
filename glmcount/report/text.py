"""A `Table` as plain text, 79 columns wide unless its names need more."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from itertools import zip_longest

from glmcount.records import dataclass
from glmcount.report.table import Fact, Group, Row, Table, TableColumn, clean, shown

__all__ = ["as_text", "elided", "width_of", "wrapped"]

WIDTH = 79
# Beyond this, long names are shortened rather than the table widened.
WIDEST = 100
# Widths of the columns of a coefficient table; further columns are as wide as the last.
COLUMN_WIDTHS = (11, 11, 11, 11, 12, 11)
GAP = 2
SHORTEST_NAME = 11
LEFT_FACTS = 31
RIGHT_FACTS_START = 36
RIGHT_LABELS = 17


@dataclass(frozen=True)
class Widths:
    """Width of the names, of each column, and of the whole; the names as they are shown."""

    name: int
    columns: tuple[int, ...]
    total: int
    names: dict[str, str]


def as_text(table: Table) -> str:
    """The table as text, without a line break at its end.

    Examples
    --------
    >>> column = TableColumn("mean")
    >>> print(as_text(Table("Counts", (column,), (Group("", (Row("visits", (5.77,)),)),))))
                                        Counts
    ===============================================================================
                      mean
    -------------------------------------------------------------------------------
    visits          5.7700
    """
    layout = _layout(table)
    lines = [_centred(clean(table.title), layout.total), "=" * layout.total]
    facts = [*_lead(table.lead, layout.total), *_facts(table)]
    if facts:
        lines += [*facts, "=" * layout.total]
    lines.append(_cells("", [clean(c.heading) for c in table.columns], layout))
    for group in table.groups:
        lines += _group(group, table.columns, layout)
    if table.footnotes:
        lines += ["-" * layout.total, *_footnotes(table.footnotes, layout.total)]
    return "\n".join(line.rstrip() for line in lines)


def width_of(text: str) -> int:
    """Columns a terminal gives to `text`: two to a wide character, none to a combining one.

    Examples
    --------
    >>> width_of("abc"), width_of(chr(0x6570)), width_of("e" + chr(0x301))
    (3, 2, 1)
    """
    if text.isascii():
        return len(text)
    return sum(_width_of_character(char) for char in text)


def _width_of_character(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def elided(text: str, width: int) -> str:
    """`text`, or its two ends around "..." where it is wider than `width`.

    Examples
    --------
    >>> elided("C(region, Sum)[S.north]", 15)
    'C(regi...north]'
    """
    if width_of(text) <= width:
        return text
    tail = (width - 3) // 2
    return f"{_fitting(text, width - 3 - tail)}...{_fitting(text[::-1], tail)[::-1]}"


def _fitting(text: str, width: int) -> str:
    """The longest beginning of `text` no wider than `width`."""
    used = 0
    for position, char in enumerate(text):
        used += _width_of_character(char)
        if used > width:
            return text[:position]
    return text


def wrapped(text: str, width: int, indent: int = 0) -> list[str]:
    """`text` broken between words into lines no wider than `width`.

    Lines after the first start with `indent` blanks; a word wider than a line is broken.

    Examples
    --------
    >>> wrapped("visits ~ hospital + chronic", 12, indent=2)
    ['visits ~', '  hospital +', '  chronic']
    """
    lines: list[str] = []
    line, start = "", ""
    for word in text.split():
        joined = f"{line} {word}" if line.strip() else f"{line}{word}"
        if line.strip() and width_of(joined) > width:
            lines.append(line)
            start = " " * indent
            joined = start + word
        while width_of(joined) > width:
            head = _fitting(joined, max(width, len(start) + 2))
            lines.append(head)
            start = " " * indent
            joined = start + joined[len(head) :]
        line = joined
    return [*lines, line] if line.strip() else lines


def _layout(table: Table) -> Widths:
    """Narrow the columns before widening the table, widen it before shortening names."""
    names = [clean(row.name) for group in table.groups for row in group.rows]
    # Names stand at the left of their column: one blank keeps the first cells off them.
    gaps = [1, *[GAP] * len(table.columns)]
    needed = [width + gap for width, gap in zip(_content_widths(table), gaps, strict=False)]
    usual = (*COLUMN_WIDTHS, *[COLUMN_WIDTHS[-1]] * len(needed))
    columns = [max(pair) for pair in zip(usual, needed, strict=False)]
    name = max([SHORTEST_NAME, *map(width_of, names)])
    # One column stays free at the right, so that the last heading clears the edge.
    for index, need in enumerate(needed):
        excess = name + sum(columns) - (WIDTH - 1)
        columns[index] -= min(max(excess, 0), columns[index] - need)
    # Of names that would look alike once shortened, every letter is shown.
    limit = max(SHORTEST_NAME, WIDEST - 1 - sum(columns))
    if len({elided(each, limit) for each in names}) == len(set(names)):
        name = min(name, limit)
    total = max(WIDTH, name + sum(columns) + 1)
    return Widths(name, tuple(columns), total, {each: elided(each, name) for each in names})


def _content_widths(table: Table) -> list[int]:
    widths = [width_of(clean(column.heading)) for column in table.columns]
    for group in table.groups:
        columns = group.columns or table.columns
        lines = [[clean(column.heading) for column in columns]]
        lines += [_shown(row, columns) for row in group.rows if not row.across]
        for line in lines:
            widths = [max(pair) for pair in zip(widths, map(width_of, line), strict=True)]
    return widths


def _shown(row: Row, columns: Sequence[TableColumn]) -> list[str]:
    return [shown(column, cell) for column, cell in zip(columns, row.cells, strict=True)]


def _group(group: Group, columns: Sequence[TableColumn], layout: Widths) -> Iterator[str]:
    yield "-" * layout.total
    heading = clean(group.heading)
    if group.columns is not None:
        columns = group.columns
        if width_of(heading) > layout.name:
            yield from wrapped(heading, layout.total)
            heading = ""
        yield _cells(heading, [clean(column.heading) for column in columns], layout)
    elif heading:
        yield from wrapped(heading, layout.total)
    for row in group.rows:
        name = layout.names[clean(row.name)]
        if row.across:
            yield from _across(name, clean(row.across), layout)
        else:
            yield _cells(name, _shown(row, columns), layout)


def _across(name: str, text: str, layout: Widths) -> Iterator[str]:
    """A name and a text beside it, on as many lines as it takes."""
    start = layout.name + GAP
    lines = wrapped(text, layout.total - start)
    for number, line in enumerate(lines):
        yield _left(name if number == 0 else "", start) + line


def _cells(name: str, texts: Sequence[str], layout: Widths) -> str:
    padded = [_right(text, width) for text, width in zip(texts, layout.columns, strict=True)]
    return _left(name, layout.name) + "".join(padded)


def _left(text: str, width: int) -> str:
    return text + " " * (width - width_of(text))


def _right(text: str, width: int) -> str:
    return " " * (width - width_of(text)) + text


def _centred(text: str, width: int) -> str:
    return " " * ((width - width_of(text)) // 2) + text


def _lead(lead: tuple[str, str], width: int) -> list[str]:
    """The two ends of the first line; the left one takes more lines where it must."""
    left, right = map(clean, lead)
    lines = wrapped(left, width - 1, indent=4)
    if right:
        if not lines or width_of(lines[-1]) + GAP + width_of(right) > width - 1:
            lines.append("")
        lines[-1] += _right(right, width - 1 - width_of(lines[-1]))
    return lines


def _facts(table: Table) -> Iterator[str]:
    """Labels and values in two columns; a left one too wide has its line alone."""
    rights = [clean(label) for label, _ in table.right]
    labels = max([RIGHT_LABELS, *[width_of(label) + GAP for label in rights]])
    for left, right in zip_longest(table.left, table.right):
        line = _fact(left)
        value = _left(clean(right[0]), labels) + clean(right[1]) if right else ""
        if value and width_of(line) + GAP > RIGHT_FACTS_START:
            yield line
            line = ""
        yield _left(line, RIGHT_FACTS_START) + value if value else line


def _fact(fact: Fact | None) -> str:
    if fact is None:
        return ""
    label, value = map(clean, fact)
    room = max(LEFT_FACTS - width_of(label), width_of(value) + GAP)
    return label + _right(value, room)


def _footnotes(footnotes: Sequence[str], width: int) -> list[str]:
    """Notes one after the other, sharing a line where they fit on it whole."""
    lines: list[str] = []
    for note in map(clean, footnotes):
        if lines and width_of(lines[-1]) + GAP + width_of(note) <= width:
            lines[-1] += " " * GAP + note
        else:
            lines += wrapped(note, width)
    return lines
