"""Sources without random access: what they may be asked, and what is refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.sources import streamed
from tests.test_one_file import clustered, in_parts

pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")


def stream_of(frame, *ends):
    """Partitions of the rows up to each end, read anew each time."""

    def chunks(names):
        first = 0
        for last in (*ends, len(frame)):
            yield {name: frame[name].to_numpy()[first:last] for name in names}
            first = last

    return streamed(frame.columns, chunks)


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(1)
    n = 3_000
    frame = pd.DataFrame({"x": rng.normal(size=n), "g": rng.choice(list("abcd"), n)})
    frame["t"], frame["w"] = rng.uniform(0.5, 2.0, n), rng.integers(0, 4, n)
    frame["y"] = rng.poisson(frame.t * np.exp(0.2 + 0.4 * frame.x)) * (rng.random(n) > 0.2)
    frame.loc[::31, "x"] = np.nan
    return frame


MODELS = {
    "poisson": {},
    "negbin": {"family": "negbin", "exposure": "t"},
    "zip": {"inflate": "x"},
    "weights": {"weights": "w", "offset": "log(t)"},
    "censored": {"censored": 3},
    "cells": {"compress": True},
    "lbfgs": {"method": "lbfgs"},
}


@pytest.mark.parametrize("memory", [0, 2**25])
@pytest.mark.parametrize("model", MODELS)
def test_the_fit_is_that_of_a_frame_in_the_same_parts(data, model, memory):
    options = {**MODELS[model], "control": gc.Control(memory=memory)}
    formula = "y ~ standardize(x) + C(g, Sum)"
    stream = gc.fit(formula, stream_of(data, 1_000, 2_000), **options)
    cut = gc.fit(formula, in_parts(data, 1_000), **options)
    np.testing.assert_array_equal(stream.params, cut.params)
    assert stream.llf == cut.llf and stream.n_dropped == cut.n_dropped
    for cov in ("HC1", clustered("g", "CR0")):
        np.testing.assert_array_equal(stream.with_cov(cov).bse, cut.with_cov(cov).bse)
    np.testing.assert_array_equal(stream.fittedvalues, cut.fittedvalues)
    assert str(stream.summary()) == str(cut.summary())


def test_parts_of_any_length(data):
    whole = gc.fit("y ~ bs(x, df=4) * g", data)
    for ends in ((1,), (0, 10, 10, 2_999), (500, 2_400)):
        result = gc.fit("y ~ bs(x, df=4) * g", stream_of(data, *ends))
        np.testing.assert_allclose(result.params, whole.params, rtol=1e-9, atol=1e-10)
        found = result.predict(stream_of(data, 7, 11), exposure=None)
        np.testing.assert_allclose(found, whole.predict(data), rtol=1e-9)


def test_a_pilot_takes_heads_as_they_come():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=200_000)})
    frame["y"] = rng.poisson(np.exp(0.3 + 0.2 * frame.x))
    stream = gc.fit("y ~ x", stream_of(frame, 65_536, 131_072, 196_608), compress=False)
    cut = gc.fit("y ~ x", in_parts(frame, 65_536), compress=False)
    whole = gc.fit("y ~ x", frame, compress=False)
    assert any(step.pilot for step in stream.history)
    assert stream.history == cut.history
    np.testing.assert_array_equal(stream.params, cut.params)
    # The heads of a whole frame are other rows: from there it is the maximum that is the same.
    assert stream.history[0].llf != whole.history[0].llf
    apart = stream.certificate.error_bound + whole.certificate.error_bound
    assert apart < 1e-10
    assert (np.abs(stream.params - whole.params) <= apart * whole.bse).all()


@pytest.mark.parametrize("what", ["offset", "exposure", "weights", "censored"])
def test_an_array_beside_rows_that_are_not_counted(data, what):
    with pytest.raises(gc.errors.DataError, match=f"{what} was given as an array") as caught:
        gc.fit("y ~ x", stream_of(data, 100), **{what: np.ones(len(data))})
    assert caught.value.kind == "array_beside_stream"


def test_a_response_after_the_fit(data):
    result = gc.fit("y ~ x", stream_of(data, 1_000))
    other = gc.fit("y ~ x", data.assign(y=data.y + 1.0))
    np.testing.assert_allclose(result.refit(y=data.y.to_numpy() + 1.0).params, other.params)


def test_rows_that_change_or_come_in_other_parts(data):
    frame = data.copy()
    ends = [1_000, 2_000]

    def chunks(names):
        first = 0
        for last in (*ends, len(frame)):
            yield {name: frame[name].to_numpy()[first:last] for name in names}
            first = last

    result = gc.fit("y ~ x", streamed(frame.columns, chunks), control=gc.Control(memory=0))
    assert np.isfinite(result.deviance)
    for changed in ([900, 2_000], [1_000], [1_000, 2_000, 3_000]):
        ends[:] = changed
        with pytest.raises(gc.errors.DataChangedError, match="has another length"):
            _ = result.resid_pearson
    ends[:] = [1_000, 2_000]
    frame.loc[1_500, "x"] += 1.0
    with pytest.raises(gc.errors.DataChangedError, match="'x' has changed in the rows 1000 to 199"):
        _ = result.pearson_chi2


def test_no_rows():
    empty = pd.DataFrame({"x": np.zeros(0), "y": np.zeros(0)})
    for source in (stream_of(empty), streamed(["x", "y"], lambda names: iter(()))):
        with pytest.raises(gc.errors.DataError, match="no rows"):
            gc.fit("y ~ x", source)
