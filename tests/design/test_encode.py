"""Columns to an encoded strip: codes, products, offsets; and values that no model can take."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.design.encode import Piece, encode
from glmcount.errors import DataError, NonfiniteDesignError
from tests.made import counts, design_of

DATA = counts()
FORMULA = "y ~ x*g + x:z + offset(z)"


def strip_of(columns=DATA, where=None, formula=FORMULA, **options):
    roles = {"exposure": "t", "weights": "w", "censored": "w + 2"} | options.pop("roles", {})
    spec = design_of(formula, DATA, **roles).spec
    return encode(spec, Piece(0, 1_000, 60, where), columns, **options)


@pytest.mark.parametrize("where", [None, np.array([3, 7, 50])])
def test_a_strip_is_the_columns_of_the_rows_used(where):
    rows = np.arange(60) if where is None else where
    strip = strip_of(where=where)
    assert (strip.n, strip.first, strip.where is where) == (len(rows), 1_000, True)
    np.testing.assert_array_equal(strip.y, [DATA["y"][rows], DATA["w"][rows] + 2])
    np.testing.assert_array_equal(strip.weights, DATA["w"][rows])
    np.testing.assert_array_equal(strip.offsets[0], (DATA["z"] + np.log(DATA["t"]))[rows])
    dense, factor, slopes = strip.blocks
    assert dense.rows[0] is None and dense.codes is None
    np.testing.assert_array_equal(dense.rows[1], DATA["x"][rows])
    np.testing.assert_array_equal(dense.rows[2], (DATA["x"] * DATA["z"])[rows])
    assert ["abc"[code] for code in factor.codes] == DATA["g"][rows].tolist()
    assert slopes.codes is factor.codes
    np.testing.assert_array_equal(slopes.rows[0], DATA["x"][rows])


def test_without_a_response_only_the_design_is_read():
    columns = {name: values for name, values in DATA.items() if name not in ("y", "w")}
    strip = strip_of(columns, response=False)
    assert strip.weights is None and not strip.y.any()


def test_joint_codes_are_made_once():
    known = {}
    strip_of(codes=known, formula="y ~ g")
    held = known["g"]
    assert held.shape == (60,)
    assert strip_of(codes=known, formula="y ~ g").blocks[1].codes is held


def test_conditions_are_counts_of_one():
    strip = strip_of(formula="x > 0 ~ z", roles={"censored": None})
    assert strip.y[0].tolist() == (DATA["x"] > 0).astype(float).tolist()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"t": 0.0}, "nonpositive_exposure"),
        ({"t": -1.0}, "nonpositive_exposure"),
        ({"w": -1.5}, "censored"),
    ],
)
def test_values_that_no_model_can_take_are_told_by_their_rows(change, kind):
    (name, value), data = *change.items(), dict(DATA)
    data[name] = np.where(np.arange(60) == 7, value, data[name])
    for where in (None, np.array([7, 8])):
        with pytest.raises(DataError, match=r"1007") as caught:
            strip_of(data, where=where)
        assert caught.value.kind == kind
    assert strip_of(data, where=np.array([8, 9])).n == 2


def test_responses_that_are_no_column_of_numbers():
    with pytest.raises(
        DataError, match=r"The response 'g' must be one column of numbers"
    ) as caught:
        strip_of(formula="g ~ x")
    assert caught.value.kind == "response_type"
    with pytest.raises(DataError, match=r"not 4 columns") as caught:
        strip_of(formula="bs(x, df=4) ~ z")


def test_factors_without_a_value():
    data = dict(DATA, x=np.where(np.arange(60) == 7, -1.0, 1.0))
    with pytest.raises(NonfiniteDesignError, match="1007"):
        spec = design_of(
            "y ~ where(log(x) > 0, 1, 2) + C(log(x) > 0)", dict(DATA, x=np.ones(60))
        ).spec
        encode(spec, Piece(0, 1_000, 60, None), data)


def test_a_piece_knows_how_many_rows_it_uses():
    assert Piece(0, 0, 9, None).used == 9 and Piece(0, 0, 9, np.array([1, 2])).used == 2
