"""Records that print as a title and lines of labels and values, in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from glmcount.records import dataclass

__all__ = ["Lines", "Printed"]

# Rows of a table beyond which its middle is left out, and how many are shown then.
MOST, SHORT = 60, 10
# As html.escape, whose module reads a list of 2,000 names of characters.
ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
# Borders and text take the page's colours, so that both a light and a dark one do.
STYLE = "border-collapse:collapse;background:transparent;color:inherit;margin:0"
CELL = "text-align:left;vertical-align:top;padding:.1em 1em .1em 0;border:0;background:transparent"


@dataclass(frozen=True)
class Lines:
    """What is shown of a record.

    Parameters
    ----------
    title : str
    facts : sequence of (str, object)
        Labels with values; those that are None, False or empty are left out.
    frame : DataFrame, optional
        A table below them; of more than 60 rows the first and the last are shown.
    number : callable, optional
        How the table shows a number.

    Examples
    --------
    >>> print(Lines("A fit", (("columns", 0), ("boundary", ""))).text())
    A fit
      columns  0
    """

    title: str
    facts: Sequence[tuple[str, object]] = ()
    frame: Any = None
    number: Callable[[float], str] | None = None

    def shown(self) -> list[tuple[str, str]]:
        """The facts there are, as text."""
        there = [fact for fact in self.facts if fact[1] is not None and fact[1] is not False]
        return [(label, str(value)) for label, value in there if value != ""]

    def _most(self) -> int:
        return len(self.frame) if len(self.frame) <= MOST else SHORT

    def text(self) -> str:
        """As plain text."""
        facts = self.shown()
        width = max((len(label) for label, _ in facts), default=0)
        lines = [self.title, *(f"  {label:<{width}}  {value}" for label, value in facts)]
        if self.frame is not None:
            lines.append(self.frame.to_string(max_rows=self._most(), float_format=self.number))
        return "\n".join(lines)

    def html(self) -> str:
        """As HTML."""
        rows = "".join(
            f'<tr style="background:transparent"><td style="{CELL}">{label.translate(ESCAPES)}</td>'
            f'<td style="{CELL}">{value.translate(ESCAPES)}</td></tr>'
            for label, value in self.shown()
        )
        table = f'<table style="{STYLE}">{rows}</table>' if rows else ""
        below = ""
        if self.frame is not None:
            below = self.frame.to_html(
                max_rows=self._most(), border=0, float_format=self.number, show_dimensions=False
            )
        return f'<div class="glmcount"><b>{self.title.translate(ESCAPES)}</b>{table}{below}</div>'


class Printed:
    """What prints as `_lines` says: in a terminal as text, in a notebook as HTML.

    Examples
    --------
    >>> class Fact(Printed):
    ...     def _lines(self):
    ...         return Lines("A fact", (("a < b", True),))
    >>> print(Fact())
    A fact
      a < b  True
    >>> "a &lt; b" in Fact()._repr_html_()
    True
    """

    def _lines(self) -> Lines:
        raise NotImplementedError

    def __str__(self) -> str:
        return self._lines().text()

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return self._lines().html()
