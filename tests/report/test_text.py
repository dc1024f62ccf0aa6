"""The text renderer: widths, shortened names, wrapping."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.report.table import Group, Row, Table, TableColumn
from glmcount.report.text import WIDEST, WIDTH, as_text, elided, width_of, wrapped

SIX = tuple(
    TableColumn(heading) for heading in ("coef", "std err", "z", "P>|z|", "[0.025", "0.975]")
)


def table(*names, cells=(1.0,) * 6, columns=SIX, **parts):
    return Table("Title", columns, (Group("", tuple(Row(n, cells) for n in names)),), **parts)


def widths(text):
    return {len(line) for line in text.splitlines() if set(line) in ({"="}, {"-"})}


@pytest.mark.parametrize(
    ("length", "width"), [(1, 79), (11, 79), (12, 79), (30, 79), (31, 80), (44, 93), (200, 100)]
)
def test_width_grows_only_with_names_that_need_it(length, width):
    text = as_text(table("n" * length))
    assert widths(text) == {width}
    assert max(map(len, text.splitlines())) <= width


def test_a_long_name_is_shortened_in_the_middle():
    name = "C(" + "region" * 20 + ")[T.north]"
    row = as_text(table(name)).splitlines()[-1]
    assert row.startswith("C(regionregion")
    assert "...onregionregion)[T.north] 1.0000" in row
    assert len(row) <= WIDEST


def test_names_that_would_look_alike_stay_whole():
    names = ["a" * 50 + middle + "z" * 50 for middle in "12"]
    text = as_text(table(*names))
    assert all(name in text for name in names)


def test_columns_stay_where_they_are_in_the_picture():
    heading, _, row = as_text(table("Intercept")).splitlines()[2:5]
    ends = [22, 33, 44, 55, 67, 78]
    assert [heading.index(c.heading) + len(c.heading) for c in SIX] == ends
    assert all(row[end - 6 : end] == "1.0000" for end in ends)


@given(
    # A parameter always has a name: a row without one and without cells would be no line.
    st.lists(st.text(max_size=60).map(lambda name: f"x{name}"), min_size=1, max_size=4),
    st.lists(st.floats() | st.none() | st.text(max_size=20), min_size=6, max_size=6),
)
def test_no_line_is_wider_than_the_rules_and_no_cells_touch(names, cells):
    text = as_text(table(*names, cells=tuple(cells)))
    (width,) = widths(text)
    lines = text.splitlines()
    assert len(lines) == 4 + len(names)
    assert all(width_of(line) <= width for line in lines)


def test_wide_and_combining_characters_keep_the_columns_in_line():
    lines = as_text(table("数量", "e\u0301te\u0301", "plain")).splitlines()[-3:]
    assert {width_of(line) for line in lines} == {78}


@pytest.mark.parametrize("width", [11, 12, 20])
def test_elided_text_has_the_width_asked_for(width):
    assert width_of(elided("x" * 50, width)) == width
    assert width_of(elided("数" * 50, width)) in (width, width - 1, width - 2)
    assert elided("short", width) == "short"


@given(st.text(), st.integers(8, 40), st.integers(0, 4))
def test_wrapping_loses_nothing_but_blanks(text, width, indent):
    lines = wrapped(text, width, indent)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(width_of(line) <= width for line in lines)


def test_a_long_formula_takes_more_lines_and_the_data_stand_at_the_right():
    formula = "visits ~ " + " + ".join(f"variable_{i}" for i in range(10))
    lines = as_text(table("a", lead=(formula, "Data: 10 rows, 0 dropped"))).splitlines()
    assert lines[2:5] == [
        "visits ~ variable_0 + variable_1 + variable_2 + variable_3 + variable_4 +",
        "    variable_5 + variable_6 + variable_7 + variable_8 + variable_9",
        " " * 54 + "Data: 10 rows, 0 dropped",
    ]


def test_a_long_fact_has_its_line_alone():
    lines = as_text(
        table("a", left=(("Covariance", "cluster by firm and year"),), right=(("Rows", "1"),))
    ).splitlines()
    assert lines[2:4] == [
        "Covariance  cluster by firm and year",
        " " * 36 + "Rows             1",
    ]


def test_facts_of_unequal_number():
    lines = as_text(
        table("a", left=(("AIC", "1.00"),), right=(("x", "1"), ("y", "2")))
    ).splitlines()
    assert lines[2:4] == [
        "AIC                        1.00     x                1",
        " " * 36 + "y                2",
    ]


def test_footnotes_share_a_line_only_where_both_fit_whole():
    notes = ("One.", "Two.", "w " * 45 + "end.", "Three.")
    lines = as_text(table("a", footnotes=notes)).splitlines()[-3:]
    assert lines == ["One.  Two.", ("w " * 40).rstrip(), "w w w w w end.  Three."]


def test_a_group_of_other_columns_repeats_them():
    other = tuple(TableColumn(heading) for heading in ("coef", "b", "c", "d", "e", "f"))
    groups = (
        Group("", (Row("x", (1.0,) * 6),)),
        Group("Short", (Row("y", (2.0,) * 6),), other),
        Group("A heading longer than the names", (Row("z", (3.0,) * 6),), other),
    )
    lines = as_text(Table("Title", SIX, groups)).splitlines()
    assert lines[6].split() == ["Short", "coef", "b", "c", "d", "e", "f"]
    assert lines[9] == "A heading longer than the names"
    assert lines[10].split() == ["coef", "b", "c", "d", "e", "f"]


def test_the_title_stands_in_the_middle_and_no_line_ends_in_blanks():
    text = as_text(table("a", cells=(1.0, *[None] * 5)))
    first = text.splitlines()[0]
    assert abs((WIDTH - len(first)) - (len(first) - len("Title"))) <= WIDTH
    assert first.index("Title") == (WIDTH - len("Title")) // 2
    assert all(line == line.rstrip() for line in text.splitlines())


def test_rows_of_the_wrong_length_are_refused():
    with pytest.raises(ValueError, match="zip"):
        as_text(table("a", cells=(1.0,)))
