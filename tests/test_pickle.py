"""Results in other processes: without their rows, equal bit by bit, with rows at hand again."""

from __future__ import annotations

import copy
import functools
import pickle
import subprocess
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.errors import (
    DataChangedError,
    GlmcountError,
    NoRowsError,
    UnknownColumnError,
    UsageError,
)
from glmcount.families import families, negbin
from glmcount.inference.covariance import Estimator
from tests.carried import half, told

ROOT = Path(__file__).parents[1]
PARTS = {
    "plain": {},
    "inflate": {"inflate": "1"},
    "hurdle": {"hurdle": "z"},
    "truncated": {"truncated": 0},
    "censored": {"censored": 4},
}
# Its tail cannot be added up for counts as spread as these, which takes seconds to find.
REFUSED = {("compoisson", "censored")}
TERMS = {
    "center": "center(x)",
    "standardize": "standardize(x)",
    "scale": "scale(x)",
    "bs": "bs(x, df=4)",
    "cr": "cr(z, df=3)",
    "cc": "cc(z, df=3)",
    "te": "te(cr(x, df=3), cr(z, df=3), constraints='center')",
    "coding Treatment": "C(g, Treatment('b'))",
    **{f"coding {name}": f"C(g, {name})" for name in ("Sum", "Poly", "Helmert", "Diff")},
    "powers": "I(x**2) + np.log(t) + where(x > 0, x, 0.0)",
    "interaction": "g * center(x)",
    "offset": "x + offset(log(t))",
    "own": "half(x)",
}


def again(result):
    return pickle.loads(pickle.dumps(result))  # noqa: S301


def data(n=60, seed=1):
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    frame = pd.DataFrame({"x": x, "z": z, "t": rng.uniform(0.5, 2.0, n)})
    frame["g"] = rng.choice(["a", "b", "c"], n)
    frame["y"] = rng.negative_binomial(2, 1.0 / (1.0 + 0.4 * np.exp(0.6 + 0.3 * x))) * 1.0
    return frame


FRAME = data()
NEW = FRAME.drop(columns="y").head(7)


@functools.cache
def fit(formula="y ~ x", **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = FRAME
        if options.get("family") == "bernoulli":
            frame = FRAME.assign(y=(FRAME.y > 0) * 1.0)
        elif "truncated" in options:
            frame = FRAME.assign(y=FRAME.y + 1.0)
        elif "censored" in options:
            frame = FRAME.assign(y=np.minimum(FRAME.y, 4.0))
        return gc.fit(formula, frame, **options)


@functools.cache
def fits():
    """Every family under every link that it takes, with every part that it takes."""
    found = []
    for name, family in families.items():
        for link in dict.fromkeys((family.link, "log", "identity", "sqrt")):
            for part, options in PARTS.items():
                if (name, part) in REFUSED:
                    continue
                try:
                    found.append((f"{name} {link} {part}", fit(family=name, link=link, **options)))
                except GlmcountError:
                    continue
    return found


def terms():
    for name, term in TERMS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield name, gc.fit(f"y ~ {term}", FRAME, env={"half": half})


def in_a_fresh_process(cases, tmp_path):
    place = tmp_path / "results.pkl"
    place.write_bytes(pickle.dumps(cases))
    code = [sys.executable, "-W", "ignore", "-m", "tests.carried", str(place)]
    run = subprocess.run(code, capture_output=True, text=True, check=True, cwd=ROOT)
    return run.stdout.splitlines()


def test_every_result_is_the_same_in_a_fresh_process(tmp_path):
    cases = [*fits(), *terms()]
    assert len(cases) > 100
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = [told(result, NEW) for _, result in cases]
        found = in_a_fresh_process([(result, NEW) for _, result in cases], tmp_path)
    rows = zip(cases, expected, found, strict=True)
    assert [name for (name, _), here, there in rows if here != there] == []


READERS = {
    "fittedvalues": lambda r: r.fittedvalues,
    "predict": lambda r: r.predict(),
    "get_prediction": lambda r: r.get_prediction().summary_frame(),
    "resid_response": lambda r: r.resid_response,
    "resid_pearson": lambda r: r.resid_pearson,
    "resid_deviance": lambda r: r.resid_deviance,
    "resid_working": lambda r: r.resid_working,
    "resid_anscombe": lambda r: r.resid_anscombe,
    "resid_quantile": lambda r: r.resid_quantile(1),
    "influence": lambda r: r.get_influence().summary_frame(),
    "augment": lambda r: r.augment(),
    "HC0": lambda r: r.with_cov("HC0").bse,
    "HC3": lambda r: r.with_cov("HC3").bse,
    "opg": lambda r: r.with_cov("opg").bse,
    "simulate": lambda r: r.simulate(2, rng=1),
    "refit": lambda r: r.refit(family="negbin").params,
    "refit y": lambda r: r.refit(y=FRAME.y + 1.0).params,
}
TELLERS = {
    "summary": lambda r: str(r.summary()),
    "ratios": lambda r: r.summary(exponentiate=True, alpha=0.1).as_html(),
    "glance": lambda r: r.glance(),
    "tidy": lambda r: r.tidy(alpha=0.2),
    "conf_int": lambda r: r.conf_int(0.1),
    "cov_params": lambda r: r.cov_params(),
    "tvalues": lambda r: r.tvalues,
    "pvalues": lambda r: r.pvalues,
    "wald_test": lambda r: repr(r.wald_test("x = 0")),
    "t_test": lambda r: r.t_test("x = 0.1, Intercept + x = 0"),
    "prediction": lambda r: r.get_prediction(NEW).summary_frame(),
    "prob": lambda r: r.predict(NEW, which="prob", at=[0, 1]),
    "figures": lambda r: [
        r.nobs, r.df_model, r.df_resid, r.llf, r.llnull, r.llr, r.llr_df, r.llr_pvalue, r.aic,
        r.bic, r.aicc, r.prsquared, r.deviance, r.null_deviance, r.pearson_chi2, r.scale,
        r.converged, r.method, r.n_cells, r.cov_type,
    ],
    "how": lambda r: [r.history, r.certificate, r.model, r.aliased, r.dropped, r.n_dropped],
}  # fmt: skip


def same(one, other):
    if isinstance(one, pd.DataFrame | pd.Series):
        return one.equals(other) and one.index.equals(other.index)
    return one == other


@pytest.mark.parametrize("options", [{}, {"family": "negbin"}, {"cov": "HC3"}], ids=str)
@pytest.mark.parametrize("tell", TELLERS.values(), ids=TELLERS)
def test_what_needs_no_rows_is_the_same_without_them(tell, options):
    r = fit(**options)
    assert same(tell(again(r)), tell(r))
    assert same(tell(again(again(r))), tell(r))


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_what_needs_rows_says_so_and_has_them_by_with_data(read):
    r = fit()
    with pytest.raises(NoRowsError, match=r"r = r.with_data\(data\)") as refused:
        read(again(r))
    assert refused.value.kind == "no_rows"
    assert same(read(again(r).with_data(FRAME)), read(r))
    assert same(read(again(again(r)).with_data(dict(FRAME))), read(r))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_summaries_of_every_family_are_the_same_without_rows():
    for name, r in fits():
        assert str(again(r).summary()) == str(r.summary()), name


def test_a_covariance_of_the_information_alone_needs_no_rows():
    for options in ({"family": "quasipoisson"}, {"family": "negbin"}):
        r = fit(cov="HC0", **options)
        found = again(r).with_cov("nonrobust")
        assert found.bse.equals(r.with_cov("nonrobust").bse)
        assert again(found).pearson_chi2 == r.pearson_chi2


def test_what_there_is_not_is_refused_alike():
    quasi, mixed = fit(family="quasipoisson"), fit(family="negbin", cov="HC0", inflate="1")
    for r, read in (
        (quasi, lambda r: r.llf),
        (quasi, lambda r: r.llnull),
        (mixed, lambda r: r.null_deviance),
        (mixed, lambda r: r.deviance),
    ):
        try:
            expected = read(r)
        except GlmcountError as error:
            with pytest.raises(type(error)) as refused:
                read(again(r))
            assert (str(refused.value), refused.value.kind) == (str(error), error.kind)
        else:
            assert read(again(r)) == expected


def test_other_data_are_refused():
    r = again(fit("y ~ x + C(g)"))
    wrong = {
        "order": FRAME.iloc[::-1].reset_index(drop=True),
        "value": FRAME.assign(x=FRAME.x + (FRAME.index == 9)),
        "response": FRAME.assign(y=FRAME.y + (FRAME.index == 9)),
        "level": FRAME.assign(g=FRAME.g.replace("a", "d")),
        "swapped levels": FRAME.assign(g=FRAME.g.map({"a": "b", "b": "a", "c": "c"})),
        "fewer": FRAME.head(50),
        "more": pd.concat([FRAME, FRAME.tail(3)]),
        "missing": FRAME.assign(x=FRAME.x.where(FRAME.index != 4)),
        "text": FRAME.assign(y=["many"] * len(FRAME)),
    }
    for name, frame in wrong.items():
        with pytest.raises(DataChangedError, match="not those that were fitted") as refused:
            r.with_data(frame)
        assert refused.value.kind == "data_changed", name
    with pytest.raises(UnknownColumnError, match="'g'"):
        r.with_data(FRAME.drop(columns="g"))
    assert same(r.with_data(FRAME.assign(g=FRAME.g.astype("category"))).bse, r.bse)


@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
def test_the_rows_that_were_used_are_used_again():
    frame = FRAME.assign(x=FRAME.x.where(FRAME.index % 7 != 3))
    frame.index = [f"row {i}" for i in range(len(frame))]
    r = gc.fit("y ~ center(x) + g", frame, weights="t", weights_type="importance")
    found = again(r)
    assert found.dropped == r.dropped == {"x missing": 9}
    assert [w.kind for w in found.warnings] == [w.kind for w in r.warnings]
    whole = found.with_data(frame)
    assert same(whole.resid_pearson, r.resid_pearson)
    other = r.refit(y=frame.y + 1.0)
    assert same(whole.refit(y=frame.y + 1.0).bse, other.bse)
    assert same(again(other).with_data(frame, y=frame.y + 1.0).resid_pearson, other.resid_pearson)


def test_arrays_are_given_again():
    y, X = FRAME.y.to_numpy(), FRAME[["x", "z"]]
    r = gc.fit_arrays(y, X, offset=FRAME.t.to_numpy(), inflate=FRAME[["z"]])
    found = again(r)
    assert found.params.equals(r.params)
    with pytest.raises(UsageError, match="X=, y=, offset=, inflate=; got X, y") as refused:
        found.with_data(X=X, y=y)
    assert refused.value.kind == "with_data"
    whole = found.with_data(X=X, y=y, offset=FRAME.t.to_numpy(), inflate=FRAME[["z"]])
    assert whole.fittedvalues.equals(r.fittedvalues)
    assert whole.with_cov("HC1").bse.equals(r.with_cov("HC1").bse)
    with pytest.raises(DataChangedError):
        found.with_data(X=X * 2, y=y, offset=FRAME.t.to_numpy(), inflate=FRAME[["z"]])
    other = gc.fit_arrays(y, X).refit(y=y + 1.0)
    assert again(other).with_data(X=X, y=y + 1.0).resid_pearson.equals(other.resid_pearson)
    with pytest.raises(NoRowsError, match="given y, offset, inflate as arrays"):
        found.refit(X=X)


def test_arrays_beside_a_table_are_given_again_and_others_refitted():
    w = np.arange(1.0, 1.0 + len(FRAME))
    r = gc.fit("y ~ x", FRAME, weights=w)
    found = again(r)
    assert found.with_data(FRAME, weights=w).resid_response.equals(r.resid_response)
    with pytest.raises(NoRowsError, match="given weights as arrays"):
        found.refit(data=FRAME.head(30))
    few = found.refit(data=FRAME.head(30), weights=w[:30])
    assert few.params.equals(gc.fit("y ~ x", FRAME.head(30), weights=w[:30]).params)


def test_a_response_that_was_replaced_is_given_again():
    y, first = FRAME.y**2, fit("y ~ x")
    for r in (first.refit(y=y), first.refit(y=y).refit(family="negbin")):
        whole = again(r).with_data(FRAME, y=y)
        assert whole.resid_pearson.equals(r.resid_pearson)
        assert whole.refit(cov="HC1").params.equals(r.refit(cov="HC1").params)


LIMIT = np.full(len(FRAME), 4.0)
DAYS = FRAME.assign(
    day=pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(len(FRAME)) % 3, unit="D"),
    kind=pd.Categorical(FRAME.g, categories=list("cab")),
    yes=np.arange(len(FRAME)) % 2 == 0,
    few=np.minimum(FRAME.y, 4.0),
)
ASKED = {
    "expressions": ("y ~ x + offset(log(t))", {"weights": "t*2", "exposure": "t", "inflate": "z"}),
    "sampling weights": ("y ~ x", {"weights": "t", "weights_type": "probability"}),
    "limits": ("few ~ x", {"censored": LIMIT}),
    "days, kinds, truths": ("y ~ C(day) + kind + yes", {}),
    "a column left out": ("y ~ x + I(2 * x)", {}),
    "a family": ("y ~ x", {"family": negbin(alpha=0.5)}),
    "a law of one's own": ("y ~ x", {"family": families["poisson"].with_(name="own")}),
    "a zero part": ("y ~ x", {"hurdle": "x", "zero": "poisson"}),
    "a dispersion": ("y ~ x", {"family": "negbin", "dispersion": "x"}),
    "cells": ("y ~ kind", {"compress": True}),
}


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
@pytest.mark.parametrize(("formula", "options"), ASKED.values(), ids=ASKED)
def test_whatever_was_asked_comes_along(formula, options):
    r = gc.fit(formula, DAYS, **options)
    found = again(r)
    assert str(found.summary()) == str(r.summary())
    assert found.predict(DAYS).equals(r.predict(DAYS))
    assert found.aliased == r.aliased
    arrays = {name: value for name, value in options.items() if value is LIMIT}
    whole = found.with_data(DAYS, **arrays)
    assert whole.fittedvalues.equals(r.fittedvalues)
    assert whole.refit(cov="HC1").bse.equals(r.refit(cov="HC1").bse)


CLUSTERS = np.arange(len(FRAME)) // 3 * 1.0
SOME = np.where(np.arange(len(FRAME)) == 5, np.nan, CLUSTERS)
DAY = np.where(np.arange(len(FRAME)) < 4, np.nan, np.arange(len(FRAME)) % 20)
GIVEN = {
    "clusters": lambda: gc.cluster(SOME),
    "ways": lambda: gc.cluster([SOME, "g"], psd=True),
    "lags": lambda: gc.hac(DAY, SOME, lags=2),
    "draws": lambda: gc.bootstrap(20, "cluster", SOME, rng=3),
    "every row": lambda: gc.cluster(CLUSTERS, "CR2"),
}


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
@pytest.mark.parametrize("made", GIVEN.values(), ids=GIVEN)
def test_arrays_of_a_covariance_are_given_again(made):
    r = gc.fit("y ~ x", FRAME, cov=made())
    found = again(r)
    assert found.bse.equals(r.bse)
    whole = found.with_data(FRAME, cov=made())
    assert whole.resid_pearson.equals(r.resid_pearson)
    assert whole.bse.equals(r.bse)
    assert str(whole.summary()) == str(r.summary())
    # It is computed again: of another response, of another family.
    for changes in ({"y": FRAME.y + 1.0}, {"family": "negbin"}):
        assert whole.refit(**changes).bse.equals(r.refit(**changes).bse)
    assert again(whole).with_data(FRAME, cov=made()).bse.equals(r.bse)
    # Beside a covariance that came after the fit the arrays serve the fit all the same.
    robust = r.with_cov("HC1")
    later = again(robust).with_data(FRAME, cov=made())
    assert later.cov_type == "HC1"
    assert later.refit(y=FRAME.y + 1.0).bse.equals(robust.refit(y=FRAME.y + 1.0).bse)


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_arrays_of_a_covariance_beside_arrays():
    y, X = FRAME.y.to_numpy(), FRAME[["x", "z"]]
    r = gc.fit_arrays(y, X, cov=gc.cluster(SOME))
    whole = again(r).with_data(X=X, y=y, cov=gc.cluster(SOME))
    assert whole.resid_pearson.equals(r.resid_pearson)
    assert whole.refit(family="negbin").bse.equals(r.refit(family="negbin").bse)
    one, other = (each.score_bootstrap("x = 0", reps=99, rng=1) for each in (r, whole))
    assert one == other


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_other_arrays_of_a_covariance_are_refused():
    found = again(gc.fit("y ~ x", FRAME, cov=gc.cluster(SOME)))
    with pytest.raises(NoRowsError, match=r"r\.with_data\(data, cov=\.\.\.\)"):
        found.with_data(FRAME)
    moved = np.where(CLUSTERS == 4, 5, SOME)
    for other in (SOME[::-1], CLUSTERS, np.where(np.isnan(SOME), SOME, 1.0), moved, SOME + 100.0):
        with pytest.raises(DataChangedError, match="not those that were fitted"):
            found.with_data(FRAME, cov=gc.cluster(other))
    with pytest.raises(DataChangedError, match="groups is not what it was in the rows 0 to 59"):
        found.with_data(FRAME, cov=gc.cluster(moved))
    for cov in (gc.cluster(SOME, "CR3"), gc.cluster([SOME, SOME]), gc.hac(SOME), "HC1"):
        with pytest.raises(UsageError, match="the covariance that the fit was given") as refused:
            found.with_data(FRAME, cov=cov)
        assert refused.value.kind == "with_data"
    every = again(gc.fit("y ~ x", FRAME, cov=gc.cluster(CLUSTERS)))
    assert every.with_data(FRAME, cov=None).resid_pearson.equals(
        every.with_data(FRAME).resid_pearson
    )
    with pytest.raises(UsageError, match="was given none"):
        again(fit(cov="HC1")).with_data(FRAME, cov=gc.cluster(CLUSTERS))


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_arrays_that_are_not_given_again_are_named_where_they_lack():
    whole = again(gc.fit("y ~ x", FRAME, cov=gc.cluster(CLUSTERS))).with_data(FRAME)
    for refit in (
        lambda: whole.refit(y=FRAME.y + 1.0),
        lambda: whole.refit(family="negbin"),
        lambda: whole.score_bootstrap("x = 0", reps=99, rng=1),
    ):
        with pytest.raises(NoRowsError, match=r"r\.with_data\(data, cov=\.\.\.\)"):
            refit()
    other = whole.refit(y=FRAME.y + 1.0, cov=gc.cluster(CLUSTERS))
    same = gc.fit("y ~ x", FRAME.assign(y=FRAME.y + 1.0), cov=gc.cluster(CLUSTERS))
    assert other.bse.equals(same.bse)


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_columns_that_a_covariance_reads_are_those_of_the_fit():
    frame = FRAME.assign(c=CLUSTERS, day=np.arange(len(FRAME)) % 20)
    r = gc.fit("y ~ x", frame, cov=gc.hac("day", "c", lags=2))
    found = again(r)
    assert found.with_data(frame).with_cov("HC1").bse.equals(r.with_cov("HC1").bse)
    for name in ("c", "day"):
        with pytest.raises(DataChangedError, match=f"{name}, by which the covariance"):
            found.with_data(frame.assign(**{name: np.roll(frame[name], 1)}))
    with pytest.raises(DataChangedError, match="values that no row of the fit had") as refused:
        found.with_data(frame.assign(c=frame.c.replace(4.0, 99.0)))
    assert "12, 13, 14" in str(refused.value)


@pytest.mark.filterwarnings("ignore::glmcount.errors.GlmcountWarning")
def test_columns_of_a_covariance_that_came_later_are_taken_again_and_known():
    frame = FRAME.assign(c=CLUSTERS, day=np.arange(len(FRAME)) % 20)
    first = gc.fit("y ~ x", frame, cov=gc.cluster("c", "CR0"))
    for r in (first.with_cov(gc.hac("day", "c", lags=2)), gc.fit("y ~ x", frame).with_cov("HC1")):
        covs = gc.cluster("c"), gc.jackknife("c"), gc.hac("day", lags=1), gc.cluster(CLUSTERS)
        for cov in covs:
            later = r.with_cov(cov)
            found = again(later)
            whole = found.with_data(frame)
            assert whole.bse.equals(later.bse)
            assert whole.slopes("x").std_error.equals(later.slopes("x").std_error)
            assert whole.with_cov("HC0").bse.equals(later.with_cov("HC0").bse)
            for name in cov.needs.groups + cov.needs.order:
                if name in frame:
                    with pytest.raises(DataChangedError, match=f"{name}, by which the covariance"):
                        found.with_data(frame.assign(**{name: np.roll(frame[name], 1)}))
                    with pytest.raises(gc.errors.UnknownColumnError, match=f"column '{name}'"):
                        found.with_data(frame.drop(columns=name))


def test_a_table_of_another_kind_holds_the_same_rows():
    polars = pytest.importorskip("polars")
    r = fit("y ~ x + g")
    assert again(r).with_data(polars.from_pandas(FRAME)).fittedvalues.equals(r.fittedvalues)


@pytest.mark.parametrize("compress", [True, False])
def test_rows_of_many_strips_and_cells_are_known_again(compress):
    many = data(150_000, 4)
    many["x"] = np.round(many.x)
    r = gc.fit("y ~ x + g", many, compress=compress, cov="HC1")
    found = again(r)
    assert found.n_cells == r.n_cells
    assert str(found.summary()) == str(r.summary())
    whole = found.with_data(many)
    assert whole.n_cells == r.n_cells
    assert whole.with_cov("HC0").bse.equals(r.with_cov("HC0").bse)
    late = many.assign(x=np.where(many.index == 140_000, 3.0, many.x))
    with pytest.raises(DataChangedError, match="in the rows 100000 to 149999"):
        found.with_data(late)


def test_a_file_does_not_grow_with_the_rows():
    for options in ({}, {"family": "negbin"}, {"inflate": "z"}, {"cov": "HC1"}):
        sizes = []
        for n in (100, 100_000):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                r = gc.fit("y ~ bs(x, df=4) + g", data(n), **options)
            _ = r.fittedvalues, r.resid_pearson, r.params, r.summary()
            sizes.append(len(pickle.dumps(r)))
        assert abs(sizes[1] / sizes[0] - 1.0) < 0.1, (options, sizes)


def halved(setting, bread):
    return bread / 2.0


def refitted(formula, family):
    return gc.fit(formula, data(), family=family)


def test_a_pool_of_processes_gives_results():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(refitted, ["y ~ x", "y ~ x + g"], ["poisson", "negbin"]))
        there = pool.submit(told, fit(), NEW).result()
    assert found[0].params.equals(fit("y ~ x").params)
    assert str(found[1].summary()) == str(fit("y ~ x + g", family="negbin").summary())
    assert there == told(fit(), NEW)


def test_a_function_without_a_name_is_refused_by_name():
    twice = {"twice": lambda x: x * 2}
    r = gc.fit("y ~ twice(x)", FRAME, env=twice)
    with pytest.raises(UsageError, match="twice of env=") as refused:
        pickle.dumps(r)
    assert refused.value.kind == "not_picklable"
    assert copy.deepcopy(r).fittedvalues.equals(r.fittedvalues)
    unused = gc.fit("y ~ half(x)", FRAME, env={"half": half, **twice})
    assert again(unused).with_data(FRAME).fittedvalues.equals(unused.fittedvalues)
    shown = gc.fit("y ~ x", FRAME, control=gc.Control(progress=lambda iteration: None))
    with pytest.raises(UsageError, match="progress= of Control") as refused:
        pickle.dumps(shown)
    assert refused.value.kind == "not_picklable"


def test_a_covariance_of_the_users_own_comes_by_its_name():
    own = Estimator("half", "half", halved)
    found = again(fit().with_cov(own))
    assert found.bse.equals(fit().with_cov(own).bse)
    assert found.with_data(FRAME)._held.cov == own
    nameless = Estimator("own", "own", lambda setting, bread: bread)
    with pytest.raises(UsageError, match="compute of the covariance 'own'"):
        pickle.dumps(fit().with_cov(nameless))


def test_what_a_user_holds_pickles():
    r = fit()
    for held in (
        r.get_prediction(NEW),
        r.get_prediction(),
        r.get_prediction(NEW, which="prob", at=1),
        r.get_prediction(NEW, which="linear"),
    ):
        assert again(held).summary_frame(0.1).equals(held.summary_frame(0.1))
        assert copy.deepcopy(held).conf_int().equals(held.conf_int())
    assert again(r.get_influence()).summary_frame().equals(r.get_influence().summary_frame())
    assert str(again(r.summary())) == str(r.summary())
    assert again(r.summary()).as_latex() == r.summary().as_latex()
    for held in (r.wald_test("x = 0"), r.certificate, r.model, r.history, gc.Control(tol=1e-7)):
        assert again(held) == held == copy.deepcopy(held)


def test_a_copy_has_the_rows():
    r = fit()
    for other in (copy.copy(r), copy.deepcopy(r), copy.deepcopy([r])[0]):
        assert other.resid_pearson.equals(r.resid_pearson)
        other.params["x"] = 9.0
    assert r.params["x"] != 9.0


def test_separation_comes_along():
    frame = FRAME.assign(d=(FRAME.index < 5) * 1.0)
    frame.loc[frame.index < 5, "y"] = 0.0
    with pytest.warns(gc.errors.SeparationWarning):
        r = gc.fit("y ~ x + d", frame)
    found = again(r)
    assert np.array_equal(found.separation.rows, r.separation.rows)
    assert found.separation.where == r.separation.where == (0, 1, 2, 3, 4)
    assert str(found.summary()) == str(r.summary())
    assert found.predict(frame).equals(r.predict(frame))
    assert same(found.with_data(frame).fittedvalues, r.fittedvalues)
    assert np.array_equal(again(r.separation).rows, r.separation.rows)


def test_data_that_were_changed_do_not_travel():
    columns = {name: FRAME[name].to_numpy().copy() for name in ("x", "y")}
    r = gc.fit("y ~ x", columns)
    columns["x"][3] += 1.0
    with pytest.raises(DataChangedError):
        pickle.dumps(r)


def test_nothing_that_travels_is_derived_or_a_closure():
    r = fit("y ~ bs(x, df=4) + g", family="negbin")
    _ = r.fittedvalues, r.summary(), r.predict(NEW), r._state.fit.layout.plan
    seen = pickle.dumps(r)
    for name in (b"<lambda>", b"<locals>", b"PassPlan", b"Rows", b"Source", b"Strip", b"pandas"):
        assert name not in seen
    for record in (r._state.fit.layout, r._state.estimates, r._state.spec):
        assert set(record.__getstate__()) == set(record.__dataclass_fields__)
