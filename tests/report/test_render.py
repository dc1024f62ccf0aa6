"""HTML, Markdown and LaTeX: structure, escaping, whole names, and the registry."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from glmcount.errors import UsageError
from glmcount.report.render import RENDERERS, as_html, as_latex, as_markdown, render
from glmcount.report.table import Group, Row, Table, TableColumn

NASTY = 'x[T.<b>&"a|b_c\\d$%#~^{}*`]'
LONG = "C(" + "region" * 40 + ")[T.north]"
OTHER = (TableColumn("coef"), TableColumn("std err"), TableColumn("z"))
TABLE = Table(
    title="Poisson & friends",
    columns=(TableColumn("IRR"), TableColumn("std err"), TableColumn("P>|z|")),
    groups=(
        Group("", (Row(NASTY, (1.5, 0.25, None)), Row(LONG, ("-inf", None, None)))),
        Group("Dispersion (alpha)", (Row("alpha", (-0.5, 2e-9, float("nan"))),), OTHER),
        Group("Zeros", (Row("[first]", (1.0, 1.0, 1.0)),)),
    ),
    lead=("y ~ x", "Data: 3 rows, 0 dropped"),
    left=(("AIC", "-10.00"), ("  intercept only", "4.00")),
    right=(("Pseudo-R2", "0.1"),),
    footnotes=("Offset: <log(t)>.", "Second_note."),
)


class Reader(HTMLParser):
    """Rows of (tag, text, span) cells; fails where tags do not close in order."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.open, self.rows, self.tags = [], [], []

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append([tag, "", int(dict(attrs).get("colspan", 1))])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1][1] += data


def read_html(table):
    reader = Reader()
    reader.feed(as_html(table))
    reader.close()
    assert reader.open == []
    return reader


def test_html_is_one_table_whose_rows_all_span_its_width():
    reader = read_html(TABLE)
    assert reader.tags[0][0] == "table"
    assert reader.tags[0][1]["class"] == "glmcount"
    assert [tag for tag, _ in reader.tags].count("table") == 1
    assert {sum(span for _, _, span in row) for row in reader.rows} == {4}


def test_html_keeps_every_letter_of_every_name_and_lets_none_be_markup():
    reader = read_html(TABLE)
    texts = [text for row in reader.rows for _, text, _ in row]
    for text in (NASTY, LONG, "Offset: <log(t)>.", "-inf", "1.5000", "2.000e-09", "P>|z|"):
        assert text in texts
    assert {tag for tag, _ in reader.tags} == {
        "table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th"
    }  # fmt: skip
    assert "nan" not in "".join(texts)


def test_html_sets_no_colour_of_its_own():
    styles = ";".join(attrs.get("style", "") for _, attrs in read_html(TABLE).tags)
    colours = set(re.findall(r"(?:color|background)\s*:\s*([^;]+)", styles))
    assert colours == {"inherit", "transparent"}
    assert set(re.findall(r"solid (\w+)", styles)) == {"currentColor"}
    assert "<style" not in as_html(TABLE)


@pytest.mark.parametrize("columns", [1, 2, 3, 7])
def test_html_facts_span_tables_of_any_number_of_columns(columns):
    table = Table(
        "t",
        tuple(TableColumn(f"c{i}") for i in range(columns)),
        (Group("", (Row("a", (1.0,) * columns),)),),
        left=(("AIC", "1"), ("BIC", "2")),
        right=(("Deviance", "3"),),
    )
    rows = read_html(table).rows
    assert {sum(span for _, _, span in row) for row in rows} == {columns + 1}
    assert {"AIC", "BIC", "Deviance"} <= {text for row in rows for _, text, _ in row}


def test_markdown_rows_have_the_right_number_of_cells():
    blocks = [b for b in as_markdown(TABLE).split("\n\n") if b.startswith("|")]
    assert len(blocks) == 2
    for block in blocks:
        cells = {len(re.findall(r"(?<!\\)\|", line)) - 1 for line in block.splitlines()}
        assert cells == {4}


def test_markdown_as_a_whole():
    table = Table(
        "Poisson regression",
        (TableColumn("coef"), TableColumn("P>|z|")),
        (
            Group("", (Row("a|b", (1.0, 0.5)), Row("g[T.x_y]", ("-inf", None)))),
            Group("Dispersion", (Row("alpha", (0.5, None)),)),
        ),
        lead=("y ~ a", "Data: 3 rows, 0 dropped"),
        left=(("AIC", "1.00"),),
        right=(("Deviance", "2.0"),),
        footnotes=("Offset: log(t).",),
    )
    assert as_markdown(table) == (
        "**Poisson regression**\n"
        "\n"
        "y \\~ a  \n"
        "Data: 3 rows, 0 dropped\n"
        "\n"
        "| | | | |\n"
        "|:--|--:|:--|:--|\n"
        "| AIC | 1.00 | Deviance | 2.0 |\n"
        "\n"
        "|  | coef | P>\\|z\\| |\n"
        "|:--|--:|--:|\n"
        "| a\\|b | 1.0000 | 0.5000 |\n"
        "| g\\[T.x\\_y] | -inf |  |\n"
        "| **Dispersion** |  |  |\n"
        "| alpha | 0.5000 |  |\n"
        "\n"
        "- Offset: log(t)."
    )


def unescaped(latex):
    """Characters special to LaTeX that stand in `latex` as themselves."""
    bare = re.sub(r"\\[a-zA-Z]+|\\[\\{}$&#_%]", "", latex)
    return set(re.findall(r"[$#_%~^<>|\"]", bare))


def test_latex_escapes_what_is_special():
    text = as_latex(TABLE)
    row = next(line for line in text.splitlines() if line.startswith("x["))
    assert row == (
        r"x[T.\textless{}b\textgreater{}\&''a\textbar{}b\_c\textbackslash{}d\$\%\#"
        r"\textasciitilde{}\textasciicircum{}\{\}*`] & 1.5000 & 0.2500 &  \\"
    )
    assert unescaped(text) == {"$"}
    assert text.count("$") == 2 * text.count("$-$") + text.count(r"\$")


def test_latex_is_a_balanced_booktabs_tabular():
    text = as_latex(TABLE)
    assert text.startswith("\\begin{tabular}{lrrr}\n\\toprule\n")
    assert text.endswith("\n\\end{tabular}")
    assert text.count(r"\bottomrule") == 1
    bare = re.sub(r"\\[{}]", "", text)
    assert bare.count("{") == bare.count("}")
    for line in text.splitlines():
        if line.endswith(r"\\"):
            cells = re.split(r"(?<!\\)&", line)
            spans = [int(n) for n in re.findall(r"\\multicolumn\{(\d+)\}", line)]
            assert sum(spans) + len(cells) - len(spans) == 4


def test_latex_guards_what_a_line_end_would_swallow_and_dashes():
    text = as_latex(TABLE)
    assert "\n{[}first] & " in text
    assert r"$-$0.5000" in text
    assert r"$-$inf" in text
    double = Table("a--b", (TableColumn("c"),), ())
    assert r"\textbf{a-{}-b}" in as_latex(double)


def test_every_renderer_is_reached_by_name():
    assert set(RENDERERS) == {"text", "html", "markdown", "latex"}
    for name, renderer in RENDERERS.items():
        assert render(TABLE, name) == renderer(TABLE)
    assert render(TABLE) == render(TABLE, "text")


def test_a_new_renderer_is_one_entry(monkeypatch):
    monkeypatch.setitem(RENDERERS, "names", lambda table: table.groups[0].rows[0].name)
    assert render(TABLE, "names") == NASTY


def test_an_unknown_format_is_refused_with_the_names_there_are():
    with pytest.raises(UsageError, match=r"got 'htm'\. Did you mean 'html'") as caught:
        render(TABLE, "htm")
    assert caught.value.kind == "unknown_format"
