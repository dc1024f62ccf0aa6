"""Adding a family, link, covariance, source or renderer takes one value, and inherits the rest."""

from __future__ import annotations

import functools
import multiprocessing
import os
import warnings
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

import glmcount as gc
from glmcount.design.encode import Piece
from glmcount.design.recall import planned_layout
from glmcount.design.slopes import slopes
from glmcount.engine.layout import linear
from glmcount.families.base import Equation, Family
from glmcount.families.combine.links import Link
from glmcount.fitting.restrict import restricted
from glmcount.inference.covariance import ESTIMATORS, Estimator, register_estimator
from glmcount.inference.setting import Needs
from glmcount.numerics.jets import Jet, constant_jet, eta_jet, exp_jet
from glmcount.records import replace
from glmcount.report.render import RENDERERS
from glmcount.sources.base import Source, _openers, register_source, streamed
from tests.made import sums_by_group


@pytest.fixture
def data():
    rng = np.random.default_rng(5)
    x = rng.normal(size=300)
    return pd.DataFrame({"x": x, "y": rng.binomial(3, special.expit(0.3 * x - 0.5))})


def thrice_terms(y, etas):
    share = special.expit(etas[0])
    value = y[0] * etas[0] + 3.0 * special.log_expit(-etas[0])
    return Jet(value, (y[0] - 3.0 * share,), ((-3.0 * share * (1.0 - share),),))


def thrice_moments(etas):
    share = special.expit(etas[0])
    slope = share * (1.0 - share)
    mean = eta_jet(etas, 0).chain(3.0 * share, 3.0 * slope, 3.0 * slope * (1.0 - 2.0 * share))
    rest = constant_jet(np.ones(1), 1)
    third = constant_jet(np.full(1, -1.0 / 3.0), 1)
    return mean, mean * (rest + third * mean)


THRICE = Family(
    name="thrice",
    aliases=(),
    label="Binomial of three",
    equations=(Equation("mean"),),
    terms=thrice_terms,
    constant=lambda y: np.log(special.comb(3, y[0])),
    moments=thrice_moments,
    sample=lambda rng, etas: rng.binomial(3, special.expit(etas[0])).astype(float),
    start=lambda sums: (float(special.logit(sums.mean / 3.0)),),
    collapse="eta",
    mean_equation=True,
    link="logit",
)


def test_a_family(data):
    result = gc.fit("y ~ x", data, family=THRICE, cov="HC1")
    eta = result.predict(which="linear")
    mean = 3.0 * special.expit(eta)
    assert result.converged
    np.testing.assert_allclose(result.fittedvalues, mean)
    assert abs(np.dot(data.x, result.resid_response)) < 1e-9
    np.testing.assert_allclose(result.predict(which="var"), mean * (1 - mean / 3.0))
    assert "Binomial of three" in str(result.summary())
    assert result.simulate(2, rng=1).shape == (300, 2)
    assert np.isfinite(result.get_prediction({"x": [0.0]}).summary_frame().to_numpy()).all()
    assert result.llnull < result.llf
    with pytest.raises(gc.errors.NotDefinedError):
        _ = result.deviance


PARTS = {
    "inflate": {"inflate": "x"},
    "hurdle": {"hurdle": "x", "zero": "probit"},
    "truncated": {"truncated": 0},
    "censored": {"censored": 2},
}


@pytest.mark.parametrize("part", PARTS)
def test_a_family_inherits_every_part(data, part):
    rows = data[data.y > 0] if part == "truncated" else data
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        result = gc.fit("y ~ x", rows, family=THRICE, **PARTS[part])
    assert np.isfinite(result.llf)
    masses = [result.predict(which="prob", at=k) for k in range(4)]
    np.testing.assert_allclose(sum(masses), 1.0, rtol=1e-12)
    mean = sum(k * mass for k, mass in enumerate(masses))
    np.testing.assert_allclose(result.predict(), mean, rtol=1e-12)
    assert np.isfinite(result.resid_quantile(1)).all()
    assert result.simulate(1, rng=2)[0].between(0, 3).all()


def test_a_link(data):
    def root(lp):
        safe = np.where(lp > 0, lp, np.nan)
        return 3.0 * np.log(safe), 3.0 / safe, -3.0 / safe**2

    cube_root = Link("cube root", root, np.cbrt)
    result = gc.fit("y ~ x", data, link=cube_root)
    np.testing.assert_allclose(result.fittedvalues, result.predict(which="linear") ** 3)
    assert result.fittedvalues.sum() > 0
    assert "cube root link" in str(result.summary())


def test_a_covariance(data):
    twice = register_estimator(Estimator("twice", "twice", lambda setting, bread: 2.0 * bread))
    try:
        plain, double = gc.fit("y ~ x", data), gc.fit("y ~ x", data, cov="twice")
        np.testing.assert_allclose(double.bse, np.sqrt(2.0) * plain.bse)
        np.testing.assert_allclose(plain.with_cov(twice).bse, double.bse)
        assert "twice" in str(double.summary())
    finally:
        del ESTIMATORS["twice"]


def clustered(column, kind):
    """Liang & Zeger's sandwich of the sums of scores by group."""

    def compute(setting, bread):
        (count,) = setting.sizes
        return sums_by_group(setting, bread) * (count / (count - 1) if kind == "CR1" else 1.0)

    return Estimator(kind, f"by {column}", compute, Needs(scores=True, groups=(column,)))


MTCARS = {
    "hp": [110, 110, 93, 110, 175, 105, 245, 62, 95, 123, 123, 180, 180, 180, 205, 215, 230, 66, 52,
           65, 97, 150, 150, 245, 175, 66, 91, 113, 264, 175, 335, 109],
    "drat": [3.9, 3.9, 3.85, 3.08, 3.15, 2.76, 3.21, 3.69, 3.92, 3.92, 3.92, 3.07, 3.07, 3.07, 2.93,
             3.0, 3.23, 4.08, 4.93, 4.22, 3.7, 2.76, 3.15, 3.73, 3.08, 4.08, 4.43, 3.77, 4.22, 3.62,
             3.54, 4.11],
    "wt": [2.62, 2.875, 2.32, 3.215, 3.44, 3.46, 3.57, 3.19, 3.15, 3.44, 3.44, 4.07, 3.73, 3.78,
           5.25, 5.424, 5.345, 2.2, 1.615, 1.835, 2.465, 3.52, 3.435, 3.84, 3.845, 1.935, 2.14,
           1.513, 3.17, 2.77, 3.57, 2.78],
    "cyl": [6, 6, 4, 6, 8, 6, 8, 4, 4, 6, 6, 8, 8, 8, 8, 8, 8, 4, 4, 4, 4, 8, 8, 8, 8, 4, 4, 4, 8,
            6, 8, 4],
}  # fmt: skip


@pytest.mark.parametrize("kind", ["numbers", "text", "categories", "dates"])
def test_a_covariance_that_needs_a_column(kind):
    frame = pd.DataFrame(MTCARS)
    told = {4: "four", 6: "six", 8: "eight"}
    frame["g"] = {
        "numbers": frame.cyl,
        "text": frame.cyl.map(told),
        "categories": frame.cyl.map(told).astype("category"),
        "dates": pd.Timestamp("2026-01-01") + pd.to_timedelta(frame.cyl, unit="D"),
    }[kind]
    # By mpmath at 40 digits; R gives the third to four.
    raw = np.array([0.424274177994, 0.159375151355, 0.0230096320542])
    plain = gc.fit("hp ~ drat + wt", frame)
    np.testing.assert_allclose(plain.with_cov(clustered("g", "CR0")).bse, raw, rtol=1e-10)
    np.testing.assert_allclose(raw, [0.424274, 0.159375, 0.0230092], rtol=2e-5)
    result = gc.fit("hp ~ drat + wt", frame, cov=clustered("g", "CR1"))
    np.testing.assert_allclose(result.bse, [0.519628, 0.195194, 0.0281804], rtol=2e-5)
    np.testing.assert_array_equal(plain.with_cov(clustered("g", "CR1")).bse, result.bse)


def test_a_covariance_that_fits_again():
    frame = pd.DataFrame(MTCARS)
    # Not used, and in no group.
    frame.loc[40] = {"hp": 100, "drat": None, "wt": 3.0, "cyl": None}

    def compute(setting, bread):
        codes = setting.fold(lambda seen: seen.groups[0], lambda a, b: np.concatenate([a, b]))
        (count,) = setting.sizes
        found = np.stack([setting.refitted(codes != group) for group in range(count)])
        found -= found.mean(axis=0)
        return (count - 1) / count * found.T @ found

    jackknife = Estimator("jackknife", "jackknife", compute, Needs(groups=("cyl",), refits=True))
    with pytest.warns(gc.errors.MissingRowsWarning):
        result = gc.fit("hp ~ drat + wt", frame, family="negbin", cov=jackknife)
    used = frame[frame.drat.notna()]
    parts = [
        gc.fit("hp ~ drat + wt", used[used.cyl != group], family="negbin").params.to_numpy()
        for group in (4, 6, 8)
    ]
    # The ancillary parameter is estimated as its logarithm.
    values = np.stack(parts)[:, :3]
    values -= values.mean(axis=0)
    wanted = np.sqrt(2.0 / 3.0 * (values**2).sum(axis=0))
    np.testing.assert_allclose(result.bse[:3], wanted, rtol=1e-6)


def test_a_slope(data):
    def bend(x):
        return np.tanh(x)

    options = {"env": {"bend": bend}}
    result = gc.fit("y ~ bend(x) + x:bs(x, df=4)", data, **options)
    state = result._state
    piece, columns = Piece(0, 0, len(data), None), {"x": data.x.to_numpy(), "y": data.y.to_numpy()}
    strip, exact = slopes(state.rows.spec, piece, columns, "x")
    assert not exact
    own = linear(
        planned_layout(state.rows.spec), strip, state.fit.layout.unshift(state.fit.theta), 0
    )
    inside = data[data.x.abs() < 1.5]
    sides = [
        result.predict(inside.assign(x=inside.x + step), which="linear") for step in (1e-5, -1e-5)
    ]
    wanted = (sides[0] - sides[1]) / 2e-5
    np.testing.assert_allclose(own[inside.index], wanted, rtol=1e-5, atol=1e-6)


def under(result, matrix, values):
    state = result._state
    given = np.atleast_2d(np.asarray(matrix, float)), np.atleast_1d(np.asarray(values, float))
    return restricted(*state.seen_here, state.fit, state.options, given)


def test_a_profile():
    result = gc.fit("y ~ 1", {"y": [1, 0, 2, 1]})

    def beyond(value):
        return 2.0 * (result.llf - under(result, [1.0], value).llf) - 3.841458820694124

    ends = optimize.brentq(beyond, -5.0, 0.0), optimize.brentq(beyond, 0.0, 3.0)
    np.testing.assert_allclose(ends, [-1.169732, 0.842891], atol=6e-7)


def test_a_refit_under_constraints(data):
    frame = data.assign(z=np.cos(data.x), s=data.x + np.cos(data.x))
    full = gc.fit("y ~ x + z", frame)
    equal, absent = under(full, [0.0, 1.0, -1.0], 0.0), under(full, [0.0, 1.0, 0.0], 0.0)
    assert equal.llf == pytest.approx(gc.fit("y ~ s", frame).llf, rel=1e-13)
    assert absent.llf == pytest.approx(gc.fit("y ~ z", frame).llf, rel=1e-13)
    # Rao's test: what the score at the constrained point says of the column left out.
    rao = absent.score @ absent.information.solve(absent.score)
    assert rao == pytest.approx(2.0 * (full.llf - absent.llf), rel=0.05)


def test_a_source(data):
    @dataclass
    class Rows:
        frame: pd.DataFrame

    def opened(given):
        if not isinstance(given, Rows):
            return None
        frame = given.frame
        return Source(
            tuple(frame.columns),
            len(frame),
            frame.index,
            lambda first, last, names: {n: frame[n].to_numpy()[first:last] for n in names},
        )

    register_source(opened)
    try:
        np.testing.assert_array_equal(
            gc.fit("y ~ x", Rows(data)).params, gc.fit("y ~ x", data).params
        )
    finally:
        _openers.remove(opened)


@pytest.fixture(scope="module")
def counts():
    rng = np.random.default_rng(6)
    n = 5_000
    frame = pd.DataFrame({"x": rng.normal(size=n), "g": rng.choice(list("abc"), n)})
    frame["y"] = rng.negative_binomial(2.0, 2.0 / (2.0 + np.exp(0.4 + 0.3 * frame.x)))
    frame.loc[::50, "x"] = np.nan
    return frame


def in_parts(frame, rows):
    """A frame as a source of partitions of so many rows."""
    return Source(
        tuple(frame.columns),
        len(frame),
        None,
        lambda first, last, names: {n: frame[n].to_numpy()[first:last] for n in names},
        rows,
    )


FORMULA = "y ~ standardize(x) + g"
NO_ROOM = gc.Control(memory=0)


@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
def test_a_source_that_comes_in_parts_and_cannot_be_asked_for_rows(counts):
    begun = []

    def chunks(names):
        begun.append(names)
        for first in range(0, len(counts), 900):
            yield {name: counts[name].to_numpy()[first : first + 900] for name in names}

    options = {"family": "negbin", "cov": clustered("g", "CR1"), "control": NO_ROOM}
    stream = gc.fit(FORMULA, streamed(counts.columns, chunks), **options)
    cut, whole = (
        gc.fit(FORMULA, in_parts(counts, 900), **options),
        gc.fit(FORMULA, counts, **options),
    )
    assert len(begun) > 5
    np.testing.assert_array_equal(stream.params, cut.params)
    np.testing.assert_array_equal(stream.bse, cut.bse)
    np.testing.assert_allclose(stream.params, whole.params, rtol=1e-12)
    np.testing.assert_allclose(stream.bse, whole.bse, rtol=1e-9)
    np.testing.assert_array_equal(stream.resid_response, cut.resid_response)


def in_worker(task, path, number, first, names):
    """One partition, read and worked on in another process."""
    with np.load(path) as held:
        columns = {name: held[name] for name in names}
    return task(number, first, columns), os.getpid()


@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
def test_a_source_whose_passes_are_made_in_other_processes(counts, tmp_path):
    size, done, paths = 1_700, [], []
    for first in range(0, len(counts), size):
        part = counts.iloc[first : first + size]
        paths.append(tmp_path / f"{first}.npz")
        np.savez(paths[-1], x=part.x, y=part.y, g=part.g.to_numpy().astype(str))

    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:

        def folding(source, names, task, add):
            sent = [
                pool.submit(in_worker, task, path, number, source.span(number)[0], names)
                for number, path in enumerate(paths)
            ]
            found = [each.result() for each in sent]
            done.append({process for _, process in found})
            return functools.reduce(add, (value for value, _ in found))

        cut = in_parts(counts, size)
        afar = gc.fit(FORMULA, replace(cut, folding=folding), family="negbin", control=NO_ROOM)
        assert len(done) > 5 and os.getpid() not in set().union(*done)
        here = gc.fit(FORMULA, cut, family="negbin", control=NO_ROOM)
        np.testing.assert_array_equal(afar.params, here.params)
        np.testing.assert_array_equal(afar.bse, here.bse)
        np.testing.assert_array_equal(afar.with_cov("HC1").bse, here.with_cov("HC1").bse)


def test_a_renderer(data):
    RENDERERS["shout"] = lambda table: table.title.upper()
    try:
        assert gc.fit("y ~ x", data).summary().render("shout") == "POISSON REGRESSION, LOG LINK"
    finally:
        del RENDERERS["shout"]


def test_a_quantity_reaches_prediction_with_its_standard_error(data):
    from glmcount.prediction.quantities import WHICH, Quantity

    WHICH["square"] = Quantity(
        "square", lambda family, etas, at: exp_jet(eta_jet(etas, 0)) * exp_jet(eta_jet(etas, 0))
    )
    try:
        result = gc.fit("y ~ x", data)
        found = result.get_prediction(which="square")
        linear = result.get_prediction(which="linear")
        np.testing.assert_allclose(found.se, 2.0 * found.predicted * linear.se)
        slope = result.slopes("x", which="square")
        wanted = 2.0 * result.params["x"] * found.predicted.mean()
        np.testing.assert_allclose(slope.estimate, wanted)
        assert np.isfinite(slope.std_error).all()
    finally:
        del WHICH["square"]


def test_a_taken_name_is_refused():
    with pytest.raises(gc.errors.UsageError, match="registered already"):
        gc.families.register(THRICE.with_(name="poisson"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert gc.families.resolve("nb2") is gc.families.negbin()
