"""From what a user wrote to rows that are ready: roles, parts, arrays, another response."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design.build import Roles, array_design, left_out_missing, with_response
from glmcount.errors import DataError, FormulaError, MemoryLimitError, RankError
from glmcount.numerics.control import USUAL, Control
from glmcount.sources.frame import from_columns
from tests.made import counts, design_of

DATA = counts()


def test_a_design_has_all_that_was_asked():
    rows = design_of(
        "y ~ x + offset(z)", DATA, [("inflate", "g"), None], exposure="t", offset="x", weights="w"
    )
    spec = rows.spec
    assert spec.equations[0].offsets == ("z", "x") and spec.exposure == "t"
    assert [e.names for e in spec.equations] == [
        ("Intercept", "x"),
        ("Intercept", "g[T.b]", "g[T.c]"),
        ("Intercept",),
    ]
    strip = rows.strip(0)
    np.testing.assert_allclose(strip.offsets[0], DATA["z"] + DATA["x"] + np.log(DATA["t"]))
    assert rows.n_used == 60 and spec.doubts == ()


def test_rows_that_miss_anything_are_left_out_of_all():
    data = dict(DATA, t=np.where(np.arange(60) == 3, np.nan, DATA["t"]))
    data["w"] = np.where(np.arange(60) == 5, 0.0, DATA["w"])
    rows = design_of("y ~ x", data, [None, ("inflate", "log(t)")], weights="w")
    assert rows.plan.account.n_dropped == 2
    assert rows.plan.account.reasons == {"t missing": 1, "w zero": 1}
    assert set(range(60)) - set(rows.strip(0).where.tolist()) == {3, 5}


def test_two_offsets_that_are_one_are_doubted():
    spec = design_of("y ~ x + offset(log(t))", DATA, exposure="t").spec
    ((kind, told),) = spec.doubts
    assert kind == "double_offset" and "The offset log(t) and the exposure t" in told
    assert design_of("y ~ x + offset(z)", DATA, exposure="t").spec.doubts == ()


@pytest.mark.parametrize(
    ("formula", "parts", "roles", "error", "kind"),
    [
        ("y ~ x", (), {"offset": "g"}, DataError, "offset"),
        ("y ~ x", (), {"exposure": "g"}, DataError, "exposure"),
        ("y ~ x", (), {"weights": "center(w)"}, DataError, "weights"),
        ("y ~ 0", (), {}, RankError, "no_parameters"),
        ("y ~ x", [("inflate", "y")], {}, FormulaError, "response_as_predictor"),
        ("y ~ x", [("inflate", "x + offset(g)")], {}, DataError, "offset"),
        ("y ~ x", (), {"weights": "0*w"}, DataError, "no_observations"),
    ],
)
def test_what_makes_no_design(formula, parts, roles, error, kind):
    with pytest.raises(error) as caught:
        design_of(formula, DATA, parts, **roles)
    assert caught.value.kind == kind


def test_no_rows_and_too_many_columns():
    with pytest.raises(DataError) as caught:
        design_of("y ~ x", {"y": [], "x": []})
    assert caught.value.kind == "empty_data"
    with pytest.raises(MemoryLimitError):
        design_of("y ~ x + z", DATA, control=Control(memory_limit=8 * 8))


def arrays(columns=("x", "z"), parts=(), control=USUAL, **more):
    source = from_columns({**DATA, **more})
    return array_design(source, "y", columns, Roles({}, parts), control)


def test_arrays_are_taken_as_they_are():
    rows = arrays(parts=[("inflate", {"w": "weight"}), None])
    assert [e.names for e in rows.spec.equations] == [("x", "z"), ("weight",), ("Intercept",)]
    strip = rows.strip(0)
    np.testing.assert_array_equal(strip.blocks[0].rows, [DATA["x"], DATA["z"]])
    np.testing.assert_array_equal(strip.blocks[1].rows, [DATA["w"]])
    with pytest.raises(DataError, match="'g' of X does not hold numbers") as caught:
        arrays(("x", "g"))
    assert caught.value.kind == "design_dtype"
    with pytest.raises(MemoryLimitError):
        arrays(control=Control(memory_limit=8 * 3))


def test_another_response_leaves_all_else():
    data = dict(DATA, x=np.where(np.arange(60) == 3, np.nan, DATA["x"]))
    rows = design_of("y ~ x", data)
    rows.strip(0)
    other = with_response(rows, DATA["y"] + 1)
    assert other.spec.response == "y" and other.n_used == 59
    np.testing.assert_array_equal(other.strip(0).y[0], np.delete(DATA["y"] + 1, 3))
    assert other.strip(0).blocks is rows.strip(0).blocks
    left = left_out_missing(rows, DATA["y"])
    assert np.isnan(left[3]) and np.array_equal(np.delete(left, 3), np.delete(DATA["y"], 3))
    whole = design_of("y ~ z", DATA)
    assert left_out_missing(whole, DATA["y"]) is DATA["y"]


def test_a_response_that_weighs_too_keeps_weighing():
    rows = design_of("w ~ x", DATA, weights="w")
    other = with_response(rows, DATA["y"])
    assert other.spec.response == "w (replaced)" and other.spec.weights == "w"
    np.testing.assert_array_equal(other.strip(0).weights, DATA["w"])
    np.testing.assert_array_equal(other.strip(0).y[0], DATA["y"])


def test_one_response_after_another_shares_all_but_itself():
    data = pd.DataFrame({"y": [1, 2, 3, 4, 9], "g": list("abbab")})
    first = gc.fit("y ~ g", data)
    one, other = first.refit(y=[2, 2, 3, 4, 9]), first.refit(y=[7, 2, 3, 4, 9])
    again = one.refit(y=[7, 2, 3, 4, 9])
    assert again.llf == other.llf
    assert first.llf != one.llf
