"""Every kind of column there is becomes numbers, codes or times, or is refused by name."""

import datetime
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glmcount.columns.coerce import categorise, coerce, recode, refuse_datetime, union_levels
from glmcount.columns.column import Column
from glmcount.errors import DataError

TEXTS = ["b", "a", None, "b", "c"]
TEXT_CODES = [1, 0, -1, 1, 2]


def text_columns():
    series = pd.Series(TEXTS, dtype=object)
    yield "pandas default", pd.Series(TEXTS)
    for dtype in ("object", "string", "string[python]", "string[pyarrow]"):
        yield f"pandas {dtype}", series.astype(dtype)
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        yield f"arrow {kind}", pa.array(TEXTS, kind)
        yield f"arrow chunks of {kind}", pa.chunked_array([pa.array(TEXTS[:2], kind),
                                                           pa.array(TEXTS[2:], kind)])  # fmt: skip
    yield "pandas large_string[pyarrow]", series.astype(pd.ArrowDtype(pa.large_string()))
    yield "pandas object with NaN", series.fillna(np.nan)
    yield "pandas object with NA", pd.Series(["b", "a", pd.NA, "b", "c"], dtype=object)
    yield "pandas index", pd.Index(series)
    yield "numpy object", series.to_numpy()
    yield "numpy masked", np.ma.array(["b", "a", "x", "b", "c"], mask=[0, 0, 1, 0, 0])
    yield "list", TEXTS
    yield "tuple", tuple(TEXTS)
    yield "list of bytes", [t and t.encode() for t in TEXTS]
    yield "polars String", pl.Series(TEXTS)
    yield "polars Categorical", pl.Series(TEXTS, dtype=pl.Categorical)
    yield "array of strings", pd.array(TEXTS, dtype="string")


@pytest.mark.parametrize(("kind", "values"), [pytest.param(*c, id=c[0]) for c in text_columns()])
@pytest.mark.parametrize("whole", [False, True])
def test_text_becomes_codes_into_sorted_levels(kind, values, whole):
    if whole:
        rows = [0, 1, 3, 4]
        if isinstance(values, pa.Array | pa.ChunkedArray):
            values = pa.array([TEXTS[row] for row in rows], values.type)
        elif isinstance(values, list | tuple):
            values = [values[row] for row in rows]
        elif isinstance(values, pl.Series | np.ndarray) or not isinstance(values, pd.Series):
            values = values[rows]
        else:
            values = values.iloc[rows]
    column = coerce("s", values)
    expected = [1, 0, 1, 2] if whole else TEXT_CODES
    assert (column.kind, column.levels) == ("categorical", ("a", "b", "c"))
    assert column.values.tolist() == expected
    assert column.values.dtype == np.int8
    assert not column.ordered
    assert not column.declared
    mask = column.missing_mask()
    assert mask is None if whole else mask.tolist() == [False, False, True, False, False]
    value = column.value()
    assert isinstance(value, pd.Categorical)
    assert [None if lost else text for text, lost in zip(value, pd.isna(value), strict=True)] == (
        ["b", "a", "b", "c"] if whole else TEXTS
    )


def test_fixed_width_text():
    assert coerce("s", np.array(["b", "a"])).levels == ("a", "b")
    assert coerce("s", np.array([b"b", b"a"])).values.tolist() == [1, 0]
    assert coerce("s", np.array(["b", "a"], dtype=np.dtypes.StringDType())).levels == ("a", "b")
    assert coerce("s", ["", "a"]).levels == ("", "a")


def number_columns():
    numbers = [1, 0, None, 3]
    for dtype in ("Int64", "Int8", "UInt16", "Float64", "Float32", "int64[pyarrow]",
                  "int8[pyarrow]", "double[pyarrow]", "float[pyarrow]"):  # fmt: skip
        yield f"pandas {dtype}", pd.Series(numbers, dtype=dtype)
    decimals = [Decimal("1"), Decimal("0"), None, Decimal("3")]
    yield "pandas decimal[pyarrow]", pd.Series(decimals, dtype=pd.ArrowDtype(pa.decimal128(5, 1)))
    yield "object numbers", pd.Series(numbers, dtype=object)
    yield "object numbers with NA", pd.Series([1, 0.0, pd.NA, 3], dtype=object)
    yield "object of numpy numbers", np.array([np.int8(1), np.float32(0), None, 3], dtype=object)
    yield "object of decimals", pd.Series(decimals, dtype=object)
    yield "fractions", [Fraction(1), Fraction(0), None, 3]
    yield "list", numbers
    yield "sparse", pd.Series(pd.arrays.SparseArray([1.0, 0.0, np.nan, 3.0]))
    yield "masked", np.ma.array([1, 0, 7, 3], mask=[0, 0, 1, 0])
    for kind in (pa.int64(), pa.int8(), pa.uint32(), pa.float32(), pa.float64()):
        yield f"arrow {kind}", pa.array(numbers, kind)
        yield f"arrow chunks of {kind}", pa.chunked_array([pa.array(numbers, kind)])
    yield "arrow decimal", pa.array(decimals)
    for kind in (pl.Int64, pl.Int8, pl.UInt32, pl.Float32, pl.Float64, pl.Decimal(5, 1)):
        yield f"polars {kind}", pl.Series(numbers, dtype=kind)


@pytest.mark.parametrize(("kind", "values"), [pytest.param(*c, id=c[0]) for c in number_columns()])
def test_numbers_with_missing_ones_become_floats_with_nan(kind, values):
    column = coerce("v", values)
    assert (column.kind, column.levels) == ("numeric", None)
    assert column.values.dtype.kind == "f"
    assert np.array_equal(column.values, [1, 0, np.nan, 3], equal_nan=True)
    assert column.missing_mask().tolist() == [False, False, True, False]
    assert column.value() is column.values


@pytest.mark.parametrize("values", [
    [1, 0, 3], (1, 0, 3), range(3), pd.Series([1, 0, 3], dtype="Int64"),
    pd.Series([1, 0, 3], dtype="int64[pyarrow]"), pd.Series([1, 0, 3], dtype=object),
    pl.Series([1, 0, 3]), pa.array([1, 0, 3]), pa.chunked_array([[1, 0], [3]]),
    pd.Series(pd.arrays.SparseArray([1, 0, 3])), pd.RangeIndex(3),
])  # fmt: skip
def test_whole_numbers_without_missing_ones_stay_whole(values):
    column = coerce("v", values)
    assert column.kind == "numeric"
    assert column.values.dtype == np.int64
    assert column.values.tolist() == ([0, 1, 2] if "ange" in type(values).__name__ else [1, 0, 3])
    assert column.missing_mask() is None


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "int32", "int64", "uint64", "float16", "float32", "float64"]
)
def test_native_numbers_are_not_copied(dtype):
    array = np.arange(5).astype(dtype)
    for values in (array, pd.Series(array, copy=False), pl.Series(array), pa.array(array)):
        column = coerce("v", values)
        assert column.values.dtype == dtype
        assert column.values.tolist() == [0, 1, 2, 3, 4]
        if isinstance(values, np.ndarray | pd.Series):
            assert np.shares_memory(column.values, array)


def test_unusual_numpy_numbers_become_double_precision():
    for dtype in (">i4", ">f8", np.longdouble):
        column = coerce("v", np.array([1, 2], dtype=dtype))
        assert column.values.dtype == np.float64
        assert column.values.tolist() == [1.0, 2.0]
    assert coerce("v", [2**70, 1]).values.tolist() == [2.0**70, 1.0]


@pytest.mark.parametrize(
    "values",
    [np.array([True, False, True]), pd.Series([True, False, True]), [True, False, True],
     pd.Series([True, False, True], dtype="boolean"), pl.Series([True, False, True]),
     pd.Series([True, False, True], dtype="bool[pyarrow]"), pa.array([True, False, True]),
     pd.Series([True, False, True], dtype=object),
     pd.Series(pd.arrays.SparseArray([True, False, True]))],
)  # fmt: skip
def test_booleans_are_a_factor_of_false_and_true(values):
    column = coerce("v", values)
    assert (column.kind, column.levels, column.declared) == ("categorical", (False, True), True)
    assert column.values.tolist() == [1, 0, 1]
    assert column.values.dtype == np.int8
    assert column.missing_mask() is None
    assert list(column.value()) == [True, False, True]


@pytest.mark.parametrize(
    "values",
    [[True, None, False], pd.Series([True, None, False], dtype="boolean"),
     pd.Series([True, None, False], dtype="bool[pyarrow]"), pa.array([True, None, False]),
     pd.Series([True, np.nan, False], dtype=object), pl.Series([True, None, False]),
     np.ma.array([True, True, False], mask=[0, 1, 0]), pa.chunked_array([[True], [None, False]])],
)  # fmt: skip
def test_missing_booleans(values):
    column = coerce("v", values)
    assert column.levels == (False, True)
    assert column.values.tolist() == [1, -1, 0]
    assert column.missing_mask().tolist() == [False, True, False]


@pytest.mark.parametrize("ordered", [False, True])
def test_categories_keep_the_given_order(ordered):
    given = pd.Categorical(["b", None, "c"], ["c", "b", "unused"], ordered=ordered)
    for values in (given, pd.Series(given), pd.CategoricalIndex(given)):
        column = coerce("s", values)
        assert column.levels == ("c", "b", "unused")
        assert column.values.tolist() == [1, -1, 0]
        assert (column.ordered, column.declared) == (ordered, True)
        assert column.value().ordered is ordered


def test_categories_of_other_dataframes_keep_their_order():
    levels = ["c", "b", "unused"]
    enum = coerce("s", pl.Series(["b", None, "c"], dtype=pl.Enum(levels)))
    indices = pa.array([1, None, 0], pa.int8())
    dictionary = coerce("s", pa.DictionaryArray.from_arrays(indices, levels))
    wrapped = pd.arrays.ArrowExtensionArray(pa.DictionaryArray.from_arrays(indices, levels))
    # Polars writes its categories with codes that have no sign.
    unsigned = coerce("s", pa.DictionaryArray.from_arrays(indices.cast(pa.uint32()), levels))
    for column in (
        *(enum, dictionary, unsigned),
        *(coerce("s", wrapped), coerce("s", pd.Series(wrapped))),
    ):
        assert column.levels == tuple(levels)
        assert column.values.tolist() == [1, -1, 0]
        assert column.declared
    assert enum.ordered
    assert not dictionary.ordered


def test_chunks_with_different_dictionaries_are_unified():
    parts = [pa.array(part).dictionary_encode() for part in (["b", None], ["a", "b"])]
    column = coerce("s", pa.chunked_array(parts))
    assert [column.levels[code] if code >= 0 else None for code in column.values] == [
        "b", None, "a", "b",
    ]  # fmt: skip
    with_null = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2, None]), ["x", None, "y"])
    column = coerce("s", with_null)
    assert column.levels == ("x", "y")
    assert column.values.tolist() == [0, -1, 1, -1]


def test_categories_of_numbers_and_intervals():
    column = coerce("g", pd.Categorical([3, 1], [3, 1]))
    assert column.levels == (3, 1)
    assert [type(level) for level in column.levels] == [int, int]
    cut = coerce("g", pd.cut(pd.Series([1.0, 9.0]), [0, 5, 10]))
    assert cut.levels == ("(0, 5]", "(5, 10]")
    assert cut.ordered


def test_periods_and_intervals_are_ordered_factors():
    periods = pd.PeriodIndex(["2020-02", "2020-01", "NaT"], freq="M")
    intervals = pd.arrays.IntervalArray.from_tuples([(1, 2), (0, 1), None])
    months, spans = ("2020-01", "2020-02"), ("(0.0, 1.0]", "(1.0, 2.0]")
    for values, levels in ((periods, months), (intervals, spans)):
        for form in (values, pd.Series(values), pd.Series(values).astype(object)):
            column = coerce("p", form)
            assert (column.kind, column.ordered, column.levels) == ("categorical", True, levels)
            assert column.values.tolist() == [1, 0, -1]


DAY = datetime.date(2020, 1, 1)
TIME = datetime.datetime(2020, 1, 1)


@pytest.mark.parametrize(
    "values",
    [pd.Series([TIME, None]), pd.Series([TIME, None]).dt.tz_localize("UTC"), [DAY, None],
     pd.DatetimeIndex([TIME, None]), np.array(["2020-01-01", "NaT"], dtype="M8[D]"),
     [TIME, None], pd.Series([DAY, None], dtype="date32[pyarrow]"), pa.array([DAY, None]),
     pd.Series([TIME, None], dtype="timestamp[us][pyarrow]"), pl.Series([DAY, None]),
     pl.Series([TIME, None]), pd.Series([TIME, None], dtype=object)],
)  # fmt: skip
def test_dates_are_kept_for_C_alone(values):
    column = coerce("t", values)
    assert (column.kind, column.levels) == ("datetime", None)
    assert column.values.astype("M8[s]").tolist() == [TIME, None]
    assert column.missing_mask().tolist() == [False, True]
    levels = categorise("t", values)
    assert levels.levels == ("2020-01-01 00:00:00",)
    assert levels.values.tolist() == [0, -1]


@pytest.mark.parametrize("values", [
    pd.Series(pd.to_timedelta([1, None], unit="D")), pl.Series([datetime.timedelta(1), None]),
    [datetime.timedelta(1), None], pa.array([datetime.timedelta(1), None]),
])  # fmt: skip
def test_durations_are_kept_for_C_alone(values):
    column = coerce("t", values)
    assert column.kind == "datetime"
    assert column.values.astype("m8[s]").tolist() == [datetime.timedelta(1), None]


def test_dates_as_numbers_are_refused_with_advice():
    with pytest.raises(DataError, match=r"'t' holds dates .* days since") as caught:
        refuse_datetime("'t'")
    assert caught.value.kind == "design_dtype"


def test_time_zones_are_written_as_universal_time():
    local = pd.Series(pd.to_datetime(["2020-01-01 01:00"])).dt.tz_localize("Europe/Paris")
    assert coerce("t", local).values.astype("M8[s]").tolist() == [TIME]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.array([1j]), "complex"),
        ([1j, 2], r"1j \(complex, row 0\)"),
        ([1, "a"], r"mixes 1 \(int, row 0\) and 'a' \(str, row 1\)"),
        (["a", None, 2.5], r"mixes 'a' \(str, row 0\) and 2.5 \(float, row 2\)"),
        (pd.Series([1.5, 2, "x"], dtype=object), r"'x' \(str, row 2\)"),
        ([True, 2], r"mixes True \(bool, row 0\) and 2 \(int, row 1\)"),
        ([[1], [2]], r"holds \[1\] \(list, row 0\)"),
        ([{"a": 1}], "dict"),
        ([datetime.time(1)], "datetime.time"),
        (np.zeros((2, 2)), "2 dimensions"),
        (np.zeros(2, dtype=[("a", "f8")]), "type"),
        ("text", "is a str"),
        (3, "is a int"),
        (None, "is a NoneType"),
        ({"a": 1}, "is a dict"),
        (pd.DataFrame({"a": [1]}), "is a DataFrame"),
        (pd.MultiIndex.from_tuples([(1, 2)]), "is a MultiIndex"),
        (pl.DataFrame({"a": [1]}), "polars DataFrame"),
        (pl.Series([[1], [2]]), "row 0"),
        (pl.Series([1], dtype=pl.Int128), "Int128"),
        (pa.table({"a": [1]}), "pyarrow Table"),
        (pa.array([[1]]), "row 0"),
        (pl.Series([datetime.time(1)]), "datetime.time"),
    ],
)
def test_what_makes_no_column_is_refused_by_name(values, said):
    with pytest.raises(DataError, match=said) as caught:
        coerce("odd one", values)
    assert caught.value.kind == "design_dtype"
    assert "'odd one'" in str(caught.value)


@pytest.mark.parametrize(
    "values", [[None, None], [], pa.nulls(2), pl.Series([None, None]), [np.nan, pd.NA],
               pd.Series([None, None], dtype=object), pd.Series([], dtype=object)],
)  # fmt: skip
def test_nothing_at_all_is_missing_numbers(values):
    column = coerce("v", values)
    assert column.kind == "numeric"
    assert np.isnan(column.values).all()
    assert len(column.values) == len(values)


def test_infinity_is_not_missing():
    assert coerce("v", np.array([np.inf, 1.0])).missing_mask() is None


@pytest.mark.parametrize(("count", "dtype"), [(127, "int8"), (128, "int8"), (129, "int16"),
                                              (32768, "int16"), (32769, "int32")])  # fmt: skip
def test_codes_are_as_small_as_they_can_be(count, dtype):
    texts = [f"{number:05d}" for number in range(count)]
    column = coerce("s", texts[::-1])
    assert column.values.dtype == dtype
    assert column.values.tolist() == list(range(count))[::-1]
    assert recode(column, tuple(texts), "s").tolist() == column.values.tolist()


class TestCategorise:
    def test_numbers(self):
        column = categorise("x", np.array([2.5, np.nan, -1.0, 2.5], dtype="float32"))
        assert column.levels == (-1.0, 2.5)
        assert column.values.tolist() == [1, -1, 0, 1]
        whole = categorise("x", np.array([20, 10], dtype="int8"))
        assert [type(level) for level in whole.levels] == [int, int]
        assert categorise("x", np.array([1.5, 0.5], dtype="float16")).levels == (0.5, 1.5)

    def test_what_is_a_factor_already(self):
        assert categorise("x", np.array([True, False])).levels == (False, True)
        assert categorise("x", pd.Categorical(["b"], ["c", "b"])).levels == ("c", "b")
        assert categorise("x", []).levels == ()


class TestRecode:
    def test_known_levels_in_any_order(self):
        column = coerce("s", pd.Categorical(["b", None, "a"], ["b", "a", "never seen"]))
        assert recode(column, ("a", "b"), "s").tolist() == [1, -1, 0]
        assert recode(coerce("v", [True, False]), (False, True), "v").tolist() == [1, 0]
        assert recode(categorise("x", [1.0, 2.0]), (2, 1), "x").tolist() == [1, 0]

    def test_strips_without_any_value(self):
        for values in ([None, None], pl.Series([None, None], dtype=pl.String), [pd.NA, np.nan],
                       pd.Series([None, None], dtype="str"), pa.nulls(2, pa.string())):  # fmt: skip
            assert recode(coerce("s", values), ("a", "b"), "s").tolist() == [-1, -1]
        assert recode(coerce("s", np.array([], dtype="U1")), ("a",), "s").tolist() == []

    def test_numbers_for_levels_that_are_text(self):
        with pytest.raises(DataError, match=r"not seen: 1, 2, in rows .* 0, 1"):
            recode(coerce("s", [1, 2]), ("1", "2"), "s")

    def test_unseen_levels_are_named_with_their_rows(self):
        column = coerce("s", ["a", "dd", "b", "dd"])
        with pytest.raises(DataError) as caught:
            recode(column, ("a", "b", "d"), "s", first_row=100)
        message = str(caught.value)
        assert caught.value.kind == "unseen_level"
        for part in (
            "'s'",
            "'dd'",
            "rows (counted from 0) 101, 103",
            "Did you mean 'd'?",
            "'a', 'b', 'd'",
        ):
            assert part in message

    @given(st.lists(st.sampled_from("abcdef"), max_size=30), st.permutations(list("abcdef")))
    def test_is_a_lookup(self, texts, levels):
        codes = recode(coerce("s", np.array(texts, dtype="U1")), tuple(levels), "s")
        assert [levels[code] for code in codes] == texts


class TestUnionLevels:
    def test_found_levels_are_sorted(self):
        assert union_levels([("b", "c"), (), ("a", "c")]) == ("a", "b", "c")
        assert union_levels([]) == ()
        assert union_levels([(2, 10), (1,)]) == (1, 2, 10)

    def test_declared_levels_keep_their_order(self):
        assert union_levels([("z", "a"), ("z", "a")], declared=True) == ("z", "a")
        assert union_levels([("z", "a"), ("a", "q")], declared=True) == ("z", "a", "q")

    def test_contradicting_orders_are_refused(self):
        with pytest.raises(DataError, match="'size' order its levels differently") as caught:
            union_levels([("z", "a"), ("a", "z")], declared=True, name="size")
        assert caught.value.kind == "level_order"

    def test_levels_of_different_types_are_refused(self):
        with pytest.raises(DataError, match="mixes levels of different types: int, str"):
            union_levels([("a",), (1,)], name="size")

    @given(st.lists(st.lists(st.sampled_from("abcdef")), max_size=5))
    def test_strips_give_what_the_whole_gives(self, strips):
        parts = [coerce("s", np.array(strip, dtype="U1")) for strip in strips]
        levels = union_levels([part.levels for part in parts])
        codes = [code for part in parts for code in recode(part, levels, "s")]
        together = coerce("s", np.array([text for strip in strips for text in strip], dtype="U1"))
        assert (levels, codes) == (together.levels, together.values.tolist())


def test_columns_are_compared_by_identity():
    # comparing arrays element by element has no single answer
    column = Column("numeric", np.zeros(2))
    assert column == column
    assert column != Column("numeric", np.zeros(2))


def test_bytes_are_text_in_utf8_or_refused():
    column = coerce("s", np.array(["b", "é"], dtype=object))
    for kind in ("S", object):
        found = coerce("s", np.array([b"b", "é".encode()], dtype=kind))
        assert (found.levels, found.values.tolist()) == (column.levels, column.values.tolist())
    with pytest.raises(DataError, match="'s' holds bytes that are no text in UTF-8"):
        coerce("s", np.array([b"b", b"\xe9"]))
