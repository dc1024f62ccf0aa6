"""HTML, Markdown and LaTeX of a `Table`, and the registry of all renderers.

A renderer is a function from a `Table` to a string. To add one, write it and give it a
name in `RENDERERS`: summaries and the command line offer it from then on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest

from glmcount.allowed import refuse
from glmcount.errors import near
from glmcount.report.table import Fact, Group, Row, Table, TableColumn, clean, shown
from glmcount.report.text import as_text

__all__ = ["RENDERERS", "as_html", "as_latex", "as_markdown", "render"]

# Borders take the colour of the text and cells no background of their own, so that the
# table can be read on a light and on a dark page. Styles stand on the elements because
# notebook viewers strip style sheets.
TABLE_STYLE = (
    "border-collapse:collapse;width:auto;background:transparent;color:inherit;"
    "font-variant-numeric:tabular-nums"
)
CAPTION_STYLE = "caption-side:top;text-align:center;font-weight:bold;color:inherit;padding:.4em"
CELL_STYLE = "padding:.15em .6em;background:transparent;border:0;white-space:nowrap"
NOTE_STYLE = "padding:.15em .6em;background:transparent;border:0;white-space:normal;max-width:48em"
RULE = ";border-top:1px solid currentColor"
HEAVY_RULE = ";border-top:2px solid currentColor"
END_RULE = "border-bottom:2px solid currentColor"

# As html.escape, whose module reads a list of 2,000 names of characters.
HTML_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"})
LATEX_ESCAPES = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "_": r"\_",
    "%": r"\%",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
}
# Opening and closing; a quote opens at the start, or behind one of these.
QUOTES = {'"': ("``", "''"), "'": ("`", "'")}
OPENS = " ([{=,:/"


def as_html(table: Table) -> str:
    """The table as one HTML element of class ``glmcount``.

    Examples
    --------
    >>> as_html(Table("a < b", (TableColumn("mean"),), ()))[:22]
    '<table class="glmcount'
    >>> "a &lt; b" in as_html(Table("a < b", (TableColumn("mean"),), ()))
    True
    """
    span = len(table.columns) + 1
    parts = [
        f'<table class="glmcount" style="{TABLE_STYLE}">',
        f'<caption style="{CAPTION_STYLE}">{_html(table.title)}</caption>',
        "<thead>",
        *_html_facts(table, span),
        _html_headings("", table.columns, HEAVY_RULE),
        "</thead>",
    ]
    for group in table.groups:
        end = f' style="{END_RULE}"' if group is table.groups[-1] else ""
        parts += [f"<tbody{end}>", *_html_group(group, table.columns, span), "</tbody>"]
    if table.footnotes:
        notes = [_html_cell(n, "left", span=span, style=NOTE_STYLE) for n in table.footnotes]
        parts += ["<tfoot>", *map(_html_row, notes), "</tfoot>"]
    return "\n".join([*parts, "</table>"])


def _html(text: str) -> str:
    return clean(text).translate(HTML_ESCAPES)


def _html_cell(
    text: str, align: str, *, tag: str = "td", span: int = 1, style: str = CELL_STYLE
) -> str:
    body = _html(text.lstrip(" "))
    indent = "&emsp;" if text.startswith("  ") else ""
    spans = f' colspan="{span}"' if span > 1 else ""
    return f'<{tag}{spans} style="text-align:{align};{style}">{indent}{body}</{tag}>'


def _html_row(*cells: str) -> str:
    return f'<tr style="background:transparent">{"".join(cells)}</tr>'


def _html_facts(table: Table, span: int) -> Iterator[str]:
    formula, data = table.lead
    style = CELL_STYLE + HEAVY_RULE
    if formula:
        yield _html_row(_html_cell(formula, "left", span=span, style=NOTE_STYLE + HEAVY_RULE))
        style = CELL_STYLE
    if data:
        yield _html_row(_html_cell(data, "left", span=span, style=style))
    for facts in _fact_rows(table):
        widths = _spans(span, len(facts))
        cells = []
        for index, fact in enumerate(facts):
            label, value = fact or ("", "")
            cells.append(_html_cell(label, "left", span=widths[2 * index]))
            align = "right" if index == 0 and len(facts) > 1 else "left"
            cells.append(_html_cell(value, align, span=widths[2 * index + 1]))
        yield _html_row(*cells)


def _html_headings(name: str, columns: Sequence[TableColumn], rule: str) -> str:
    style = CELL_STYLE + ";font-weight:bold" + rule
    cells = [_html_cell(name, "left", tag="th", style=style)]
    cells += [_html_cell(c.heading, "right", tag="th", style=style) for c in columns]
    return _html_row(*cells)


def _html_group(group: Group, columns: Sequence[TableColumn], span: int) -> Iterator[str]:
    rule = RULE
    if group.columns is not None:
        columns = group.columns
        yield _html_headings(group.heading, columns, rule)
        rule = ""
    elif group.heading:
        style = CELL_STYLE + ";font-weight:bold" + rule
        yield _html_row(_html_cell(group.heading, "left", tag="th", span=span, style=style))
        rule = ""
    for row in group.rows:
        style = CELL_STYLE + rule
        rule = ""
        cells = [_html_cell(row.name, "left", style=style)]
        if row.across:
            cells.append(_html_cell(row.across, "left", span=span - 1, style=style))
            yield _html_row(*cells)
            continue
        for column, cell in zip(columns, row.cells, strict=True):
            cells.append(_html_cell(shown(column, cell), "right", style=style))
        yield _html_row(*cells)


def _fact_rows(table: Table) -> list[tuple[Fact | None, ...]]:
    """Facts side by side, or below each other where too few columns are there to span."""
    if len(table.columns) >= 3:
        return list(zip_longest(table.left, table.right))
    return [(fact,) for fact in (*table.left, *table.right)]


def _spans(span: int, pairs: int) -> tuple[int, ...]:
    """How many of `span` columns each label and value takes."""
    rest = max(1, span - 1)
    return (1, rest) if pairs == 1 else (1, rest // 3, rest // 3, rest - 2 * (rest // 3))


def as_markdown(table: Table) -> str:
    r"""The table as GitHub-flavoured Markdown.

    Examples
    --------
    >>> print(as_markdown(Table("Counts", (TableColumn("P>|z|"),), ())))
    **Counts**
    <BLANKLINE>
    |  | P>\|z\| |
    |:--|--:|
    """
    blocks = [f"**{_markdown(table.title)}**"]
    blocks += ["  \n".join(_markdown(text) for text in table.lead if text)]
    facts = [
        _markdown_row([text for fact in pair for text in (fact or ("", ""))])
        for pair in zip_longest(table.left, table.right)
    ]
    if facts:
        blocks.append("\n".join(["| | | | |", "|:--|--:|:--|:--|", *facts]))
    body = [_markdown_row(["", *[column.heading for column in table.columns]])]
    body.append("|:--|" + "--:|" * len(table.columns))
    for group in table.groups:
        body += _markdown_group(group, table.columns)
    blocks.append("\n".join(body))
    blocks.append("\n".join(f"- {_markdown(note)}" for note in table.footnotes))
    return "\n\n".join(block for block in blocks if block)


def _row_texts(row: Row, columns: Sequence[TableColumn]) -> list[str]:
    """The texts of a row's cells; what stands across them in the first."""
    if row.across:
        return [row.across, *[""] * (len(columns) - 1)]
    return [shown(column, cell) for column, cell in zip(columns, row.cells, strict=True)]


def _markdown(text: str) -> str:
    escaped = re.sub(r"([\\|*_`<\[~&])", r"\\\1", clean(text).lstrip(" "))
    return f"&emsp;{escaped}" if text.startswith("  ") else escaped


def _markdown_row(texts: Sequence[str]) -> str:
    return f"| {' | '.join(_markdown(text) for text in texts)} |"


def _markdown_group(group: Group, columns: Sequence[TableColumn]) -> Iterator[str]:
    headings = [""] * len(columns)
    if group.columns is not None:
        columns = group.columns
        headings = [column.heading for column in columns]
    if group.heading or group.columns is not None:
        texts = [f"**{_markdown(text)}**" if text else "" for text in [group.heading, *headings]]
        yield f"| {' | '.join(texts)} |"
    for row in group.rows:
        yield _markdown_row([row.name, *_row_texts(row, columns)])


def as_latex(table: Table) -> str:
    r"""The table as a LaTeX tabular; the document needs the package booktabs.

    Examples
    --------
    >>> print(as_latex(Table("50 %", (TableColumn("mean"),), ())).splitlines()[2])
    \multicolumn{2}{c}{\textbf{50 \%}} \\
    """
    span = len(table.columns) + 1
    lines = [rf"\begin{{tabular}}{{l{'r' * len(table.columns)}}}", r"\toprule"]
    lines += [_latex_span(rf"\textbf{{{_latex(table.title)}}}", span, "c"), r"\midrule"]
    facts = list(_latex_facts(table, span))
    if facts:
        lines += [*facts, r"\midrule"]
    lines.append(_latex_row("", [column.heading for column in table.columns]))
    for group in table.groups:
        lines += _latex_group(group, table.columns, span)
    lines.append(r"\bottomrule")
    for note in table.footnotes:
        lines.append(_latex_span(rf"\footnotesize {_latex(note)}", span, r"p{0.95\linewidth}"))
    return "\n".join([*lines, r"\end{tabular}"])


def _latex(text: str) -> str:
    plain = clean(text).lstrip(" ")
    escaped = "".join(
        QUOTES[char][before not in OPENS] if char in QUOTES else LATEX_ESCAPES.get(char, char)
        for before, char in zip(" " + plain, plain, strict=False)
    )
    # Two hyphens would be set as a dash.
    escaped = re.sub(r"-(?=-)", "-{}", escaped)
    # Right after a line end these would be read as its optional argument or star.
    escaped = re.sub(r"^([\[*])", r"{\1}", escaped)
    return rf"\quad {escaped}" if text.startswith("  ") else escaped


def _latex_cell(text: str) -> str:
    """A cell; a minus sign before a digit is set as one, not as a hyphen."""
    return re.sub(r"^-(?=[\di])", "$-$", _latex(text))


def _latex_row(name: str, texts: Sequence[str]) -> str:
    return " & ".join([_latex(name), *map(_latex_cell, texts)]) + r" \\"


def _latex_span(latex: str, span: int, align: str) -> str:
    return rf"\multicolumn{{{span}}}{{{align}}}{{{latex}}} \\"


def _latex_facts(table: Table, span: int) -> Iterator[str]:
    formula, data = table.lead
    if formula:
        yield _latex_span(_latex(formula), span, r"p{0.95\linewidth}")
    if data:
        yield _latex_span(_latex(data), span, "l")
    for facts in _fact_rows(table):
        widths = _spans(span, len(facts))
        cells = []
        for index, fact in enumerate(facts):
            label, value = fact or ("", "")
            align = "r" if index == 0 and len(facts) > 1 else "l"
            cells.append(rf"\multicolumn{{{widths[2 * index]}}}{{l}}{{{_latex(label)}}}")
            value_width = widths[2 * index + 1]
            cells.append(rf"\multicolumn{{{value_width}}}{{{align}}}{{{_latex_cell(value)}}}")
        yield " & ".join(cells) + r" \\"


def _latex_group(group: Group, columns: Sequence[TableColumn], span: int) -> Iterator[str]:
    yield r"\midrule"
    if group.columns is not None:
        columns = group.columns
        yield _latex_row(group.heading, [column.heading for column in columns])
    elif group.heading:
        yield _latex_span(rf"\textit{{{_latex(group.heading)}}}", span, "l")
    for row in group.rows:
        if row.across:
            text = rf"\multicolumn{{{span - 1}}}{{l}}{{{_latex(row.across)}}}"
            yield rf"{_latex(row.name)} & {text} \\"
        else:
            yield _latex_row(row.name, _row_texts(row, columns))


RENDERERS: dict[str, Callable[[Table], str]] = {
    "text": as_text,
    "html": as_html,
    "markdown": as_markdown,
    "latex": as_latex,
}


def render(table: Table, format: str = "text") -> str:
    """The table in one of the formats of `RENDERERS`.

    Raises
    ------
    UsageError
        If there is no such format.

    Examples
    --------
    >>> render(Table("Counts", (TableColumn("mean"),), ()), "markdown").splitlines()[0]
    '**Counts**'
    """
    if not (isinstance(format, str) and format in RENDERERS):
        hint = near(format, RENDERERS).strip() if isinstance(format, str) else ""
        refuse("format", format, f"one of {', '.join(RENDERERS)}", "unknown_format", hint)
    return RENDERERS[format](table)
