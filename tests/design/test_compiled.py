"""Compiled loops: used where they are asked for or pay, and never seen in a result."""

from __future__ import annotations

import copy
import sys

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount import design
from glmcount.design import compiled
from glmcount.design.compiled import compiled_loops
from glmcount.fitting.gram import gram


def drawn(n=3_000):
    rng = np.random.default_rng(8)
    frame = pd.DataFrame(
        {
            "x": rng.normal(3.0, 1.0, n),
            "z": rng.normal(size=n).astype(np.float32),
            "whole": rng.integers(0, 5, n),
            "f": pd.Categorical(rng.choice(list("abcd"), n)),
            "g": pd.Categorical(rng.integers(0, 40, n)),
            "t": rng.uniform(0.5, 2.0, n),
            "w": rng.integers(1, 4, n),
        }
    )
    frame["y"] = rng.poisson(frame["t"] * np.exp(0.1 * frame["x"] + 0.2 * frame["z"]))
    frame["y"] *= rng.random(n) < 0.9
    return frame


MODELS = [
    ("y ~ x", {}),
    ("y ~ x + I(x ** 2) + whole + z", {"weights": "w"}),
    ("y ~ f", {}),
    ("y ~ f*x + C(whole) + z", {"exposure": "t"}),
    ("y ~ f*g + x:g", {"family": "negbin", "offset": "z"}),
    ("y ~ x + f", {"inflate": "f + x"}),
]


@pytest.mark.parametrize(("formula", "options"), MODELS)
def test_results_are_those_of_numpy(formula, options, monkeypatch):
    pytest.importorskip("numba")
    # A small problem is spread out for numpy's products, whatever is asked.
    monkeypatch.setattr("glmcount.fitting.small.ENTRIES", 0)
    data = drawn()
    found = gc.fit(formula, data, control=gc.Control(compiled=True), **options)
    plain = gc.fit(formula, data, control=gc.Control(compiled=False), **options)
    assert (np.abs(found.params - plain.params) <= 1e-9 * plain.bse).all()
    np.testing.assert_allclose(found.bse, plain.bse, rtol=1e-9)
    assert found.llf == pytest.approx(plain.llf, rel=1e-13)
    again = found.refit(y=data["y"])
    pd.testing.assert_series_equal(again.params, found.params)
    for cov in ("HC0", "opg"):
        robust, expected = found.with_cov(cov).bse, plain.with_cov(cov).bse
        np.testing.assert_allclose(robust, expected, rtol=1e-8)


def test_no_digit_depends_on_threads():
    pytest.importorskip("numba")
    data = drawn(150_000)
    one, two = (
        gc.fit("y ~ x + f + C(g) + f:whole", data, control=gc.Control(threads=k, compiled=True))
        for k in (1, 2)
    )
    pd.testing.assert_series_equal(one.params, two.params, check_exact=True)
    pd.testing.assert_series_equal(one.bse, two.bse, check_exact=True)


def test_what_is_absent_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(gc.errors.MissingExtraError, match=r"glmcount\[compiled\]") as caught:
        gc.fit("y ~ x", drawn(50), control=gc.Control(compiled=True))
    assert caught.value.kind == "missing_extra"
    assert compiled_loops(gc.Control(), compiled.FROM) is None


def test_numba_that_cannot_be_imported_counts_as_absent(monkeypatch):
    pytest.importorskip("numba")
    # numba itself is found, but importing the loops fails, as beside a numpy too new for it.
    monkeypatch.delattr(design, "loops", raising=False)
    monkeypatch.setitem(sys.modules, "glmcount.design.loops", None)
    assert compiled_loops(gc.Control(), compiled.FROM) is None
    with pytest.raises(gc.errors.MissingExtraError, match="needs numba \\(import of") as caught:
        compiled_loops(gc.Control(compiled=True), 1)
    assert isinstance(caught.value.__cause__, ImportError)


@pytest.mark.parametrize("weights", [np.broadcast_to(0.5, (50,)), np.arange(100.0)[::2]])
def test_weights_may_be_a_view(weights):
    pytest.importorskip("numba")
    columns = np.random.default_rng(1).normal(size=(3, 50))
    loops = compiled_loops(gc.Control(compiled=True), 1)
    found = gram(columns, columns, weights, True, False, loops)
    np.testing.assert_allclose(found, (columns * weights) @ columns.T, rtol=1e-12)


def test_a_copied_result_refits_by_its_own_columns():
    pytest.importorskip("numba")
    data = drawn(60_000)
    columns = {name: data[name].to_numpy().copy() for name in ("x", "y")}
    found = gc.fit("y ~ x", columns, control=gc.Control(compiled=True))
    other = copy.deepcopy(found)
    columns["x"][:] = np.random.default_rng(1).normal(size=len(data))
    again = other.refit(y=data["y"].to_numpy())
    np.testing.assert_allclose(again.params, found.params, rtol=1e-9)


def test_other_words_are_refused():
    with pytest.raises(gc.errors.UsageError, match="compiled='yes'") as caught:
        gc.fit("y ~ x", drawn(50), control=gc.Control(compiled="yes"))
    assert caught.value.kind == "unknown_compiled"


def test_auto_asks_for_many_rows():
    pytest.importorskip("numba")
    assert compiled_loops(gc.Control(), compiled.FROM - 1) is None
    assert compiled_loops(gc.Control(), compiled.FROM) is not None
    assert compiled_loops(gc.Control(compiled=False), compiled.FROM) is None
    assert compiled_loops(gc.Control(compiled=True), 1) is not None
