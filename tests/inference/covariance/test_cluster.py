"""Clustered covariances against sandwich, clubSandwich and published figures."""

from __future__ import annotations

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import glmcount as gc
from glmcount.engine import gram
from glmcount.fitting.sums import fold_scores, rows_of
from glmcount.sources import base
from tests import golden_files

FOLDER = golden_files.FOLDER / "covariances"
CASES = sorted(
    path.stem for path in Path(FOLDER).glob("*.json") if not path.stem.startswith("series_")
)
KINDS = ("CR0", "CR1", "CR1S", "CR2", "CR3")

pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")


@pytest.fixture(scope="module", params=CASES)
def case(request):
    record = json.loads((FOLDER / f"{request.param}.json").read_text())
    frame = golden_files.data(record["data"])
    number = np.arange(len(frame))
    frame = frame.assign(
        group=frame[record["group"]] if "group" in record else number // record["blocks"],
        second=(number + 1) % 6,
    )
    call = dict(record["call"])
    if isinstance(call["family"], dict):
        call["family"] = gc.families.negbin(alpha=call["family"]["alpha"])
    if "weights" in record:
        call["weights"] = record["weights"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = gc.fit(record["formula"], frame, **call)
    return record["values"], result


def matrix(result, values):
    """The covariance in the order in which R has the parameters."""
    return result.cov_params().loc[values["names"], values["names"]].to_numpy()


@pytest.mark.parametrize("kind", KINDS)
def test_one_way(case, kind):
    values, result = case
    found = matrix(result.with_cov(gc.cluster("group", kind)), values)
    wanted = np.array(values["covariance"][kind])
    scale = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
    np.testing.assert_allclose(found / scale, wanted / scale, rtol=0, atol=1e-8)


@pytest.mark.parametrize("kind", ["CR1", "CR2", "CR3"])
def test_satterthwaite(case, kind):
    values, result = case
    found = result.with_cov(gc.cluster("group", kind, df="satterthwaite"))
    own, names = list(found.params.index), values["names"]
    freedom = found._held.each_df[[own.index(name) for name in names]]
    np.testing.assert_allclose(freedom, values["satterthwaite"][kind], rtol=1e-7)
    for wanted in values["htz"][kind]:
        which = [names[j] for j in wanted["which"]]
        rows = np.eye(len(names))[[own.index(name) for name in which]]
        test = found.wald_test(rows)
        assert test.df == len(which)
        assert test.df_denom == pytest.approx(wanted["df_denom"], rel=1e-6)
        assert test.statistic == pytest.approx(wanted["statistic"], rel=1e-7)
        assert test.pvalue == pytest.approx(wanted["pvalue"], rel=1e-6)


def test_two_ways(case):
    values, result = case
    if "two_way" not in values:
        pytest.skip("one way only")
    for kind, name in (("CR0", "raw"), ("CR1", "sandwich")):
        wanted = np.array(values["two_way"][name])
        estimator = gc.cluster(["group", "second"], kind)
        if wanted.diagonal().min() < 0:
            with pytest.raises(gc.errors.CovarianceError, match="psd=True"):
                _ = result.with_cov(estimator).bse
            mended = result.with_cov(gc.cluster(["group", "second"], kind, psd=True))
            assert np.linalg.eigvalsh(matrix(mended, values))[0] > -1e-15
            continue
        found = matrix(result.with_cov(estimator), values)
        scale = np.sqrt(np.outer(wanted.diagonal(), wanted.diagonal()))
        np.testing.assert_allclose(found / scale, wanted / scale, rtol=0, atol=1e-8)


@pytest.fixture(scope="module")
def panel():
    rng = np.random.default_rng(11)
    n, groups = 600, 60
    frame = pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "g": rng.integers(groups, size=n),
            "h": rng.integers(25, size=n),
            "e": rng.uniform(0.5, 3.0, size=n),
            "w": rng.integers(1, 4, size=n),
        }
    )
    shared = rng.gamma(4.0, 0.25, groups)[frame.g]
    frame["y"] = rng.poisson(frame.e * np.exp(0.3 + 0.4 * frame.x) * shared)
    frame.loc[rng.random(n) < 0.3, "y"] = 0
    return frame


MODELS = {
    "poisson": {},
    "quasi": {"family": "quasipoisson"},
    "negbin": {"family": "negbin"},
    "negbin1": {"family": "negbin1"},
    "zip": {"inflate": "x"},
    "zinb": {"family": "negbin", "inflate": "1"},
    "hurdle": {"family": "negbin", "hurdle": "x"},
    "censored": {"censored": 4},
    "dispersion": {"family": "negbin", "dispersion": "x"},
}
WEIGHTS = {
    "none": {},
    "frequency": {"weights": "w"},
    "importance": {"weights": "w", "weights_type": "importance"},
}


def fitted(panel, model, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gc.fit("y ~ x", panel, exposure="e", **MODELS[model], **options)


def numeric_scores(result):
    """Row scores by differences of the rows' log-likelihoods, at the user's parameters."""
    state = result._state
    fit = state.fit
    theta, out = fit.theta, []
    for j in range(len(theta)):
        ends = []
        for step in (1e-4, -1e-4, 5e-5, -5e-5):
            moved = theta.copy()
            moved[j] += step
            ends.append(row_values(state, moved))
        coarse, fine = (ends[0] - ends[1]) / 2e-4, (ends[2] - ends[3]) / 1e-4
        out.append((4.0 * fine - coarse) / 3.0)
    return np.array(out).T


def row_values(state, theta):
    def one(strip):
        rows = rows_of(state.fit.layout, strip, theta)
        values = np.broadcast_to(state.fit.family.terms(rows.y, rows.etas).value, (strip.n,))
        return values if strip.weights is None else values * strip.weights

    return state.rows.by_row(one)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("model", MODELS)
def test_every_model_by_its_own_scores(panel, model, weights):
    result = fitted(panel, model, **WEIGHTS[weights])
    scores = numeric_scores(result)
    sums = np.zeros((60, scores.shape[1]))
    np.add.at(sums, panel.g.to_numpy(), scores)
    bread = result.with_cov("nonrobust")._held.covariance / result.scale
    fit = result._state.fit
    # Scores above are by shifted parameters.
    middle = fit.layout.unshifted(
        np.linalg.inv(fit.information.matrix)
        @ (sums.T @ sums)
        @ np.linalg.inv(fit.information.matrix),
        fit.kept,
    )
    found = result.with_cov(gc.cluster("g", "CR0"))._held.covariance
    scale = np.sqrt(np.outer(bread.diagonal(), bread.diagonal()))
    np.testing.assert_allclose(found / scale, middle / scale, atol=2e-7)


def test_cr3_is_the_jackknife_to_first_order(panel):
    result = fitted(panel, "zinb")
    jackknife = []
    for g in range(60):
        rest = fitted(panel[panel.g != g], "zinb")
        jackknife.append(rest._state.estimates.internal - result._state.estimates.internal)
    jackknife = np.array(jackknife)
    wanted = np.sqrt((jackknife**2).sum(axis=0))
    found = np.sqrt(result.with_cov(gc.cluster("g", "CR3"))._held.covariance.diagonal())
    np.testing.assert_allclose(found, wanted, rtol=0.05)


def test_frequency_weights_are_copies_in_one_cluster(panel):
    many = panel.loc[panel.index.repeat(panel.w)].reset_index(drop=True)
    for model in ("poisson", "zinb"):
        one, other = fitted(panel, model, weights="w"), fitted(many, model)
        for kind in KINDS:
            for df in ("z", "satterthwaite"):
                a, b = (r.with_cov(gc.cluster("g", kind, df=df)) for r in (one, other))
                np.testing.assert_allclose(a.bse, b.bse, rtol=1e-7)
                np.testing.assert_allclose(a.pvalues, b.pvalues, rtol=1e-5)


def test_several_ways_by_the_sum_over_combinations(panel):
    result = fitted(panel, "negbin")
    frame = panel.assign(both=panel.g * 100 + panel.h)
    single = {
        name: fitted(frame, "negbin").with_cov(gc.cluster(name, "CR0")).cov_params().to_numpy()
        for name in ("g", "h", "both")
    }
    counts = {name: frame[name].nunique() for name in single}
    found = result.with_cov({"cluster": ["g", "h"]})
    factor = {name: count / (count - 1) for name, count in counts.items()}
    wanted = sum(
        sign * factor[name] * single[name] for name, sign in (("g", 1), ("h", 1), ("both", -1))
    )
    np.testing.assert_allclose(found.cov_params(), wanted, rtol=1e-9)
    n, k, least = len(frame), 2, min(counts["g"], counts["h"])
    whole = (n - 1) / (n - k) * least / (least - 1)
    fixest = result.with_cov(gc.cluster(["g", "h"], like="fixest"))
    raw = single["g"] + single["h"] - single["both"]
    np.testing.assert_allclose(fixest.cov_params(), raw * whole, rtol=1e-9)
    assert "g 60, h 25, g x h" in str(found.summary())


def test_arrays_and_columns_are_one(panel):
    result = fitted(panel, "poisson")
    wanted = result.with_cov({"cluster": "g"})
    for given in (panel.g.to_numpy(), panel.g, panel.g.astype("category").array):
        found = result.with_cov(gc.cluster(given))
        np.testing.assert_array_equal(found.bse, wanted.bse)
    other = result.with_cov(gc.cluster([panel.g.to_numpy(), "h"]))
    np.testing.assert_array_equal(other.bse, result.with_cov({"cluster": ["g", "h"]}).bse)
    # One array is not taken for another.
    again = wanted.with_cov(gc.cluster(panel.h.to_numpy()))
    np.testing.assert_array_equal(again.bse, result.with_cov({"cluster": "h"}).bse)
    X = np.column_stack([np.ones(len(panel)), panel.x])
    arrays = gc.fit_arrays(
        panel.y, X, exposure=panel.e.to_numpy(), cov=gc.cluster(panel.g.to_numpy())
    )
    np.testing.assert_allclose(arrays.bse, wanted.bse, rtol=1e-9)
    with pytest.raises(gc.errors.DataError):
        result.with_cov(gc.cluster(panel.g.to_numpy()[1:]))


def test_the_summary_says_what_was_done(panel):
    result = fitted(panel, "poisson", cov=gc.cluster("g", "CR1S", df="t"))
    text = " ".join(str(result.summary()).split())
    assert "cluster (CR1S)" in text
    assert "Clustered by g: 60 clusters, CR1S times 60/59 x 599/598" in text
    assert "Student's t with 59 degrees of freedom" in text
    assert " t P>|t|" in text
    ends = result.conf_int()
    reach = stats.t.ppf(0.975, 59)
    np.testing.assert_allclose(ends[1] - ends[0], 2.0 * reach * result.bse, rtol=1e-12)


def test_few_clusters_are_warned_of(panel):
    result = fitted(panel, "poisson")
    with pytest.warns(gc.errors.CovarianceWarning, match="25 clusters") as caught:
        result.with_cov({"cluster": "h"})
    assert caught[0].message.kind == "few_clusters"
    assert caught[0].filename == __file__
    with pytest.warns(gc.errors.CovarianceWarning, match="25 clusters"):
        gc.fit("y ~ x", panel, cov={"cluster": ["g", "h"]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result.with_cov({"cluster": "g"})


def test_what_is_refused(panel):
    frame = panel.assign(one=1, late=panel.g.where(panel.index > 3), d=(panel.g == 5) * 1)
    result = gc.fit("y ~ x + d", frame)

    def kind(call):
        with pytest.raises(gc.errors.GlmcountError) as caught:
            _ = call()
        return caught.value.kind

    assert kind(lambda: result.with_cov({"cluster": "one"}).bse) == "one_cluster"
    assert kind(lambda: result.with_cov({"cluster": "late"})) == "missing_role"
    assert kind(lambda: result.with_cov({"cluster": "nowhere"})) == "unknown_column"
    assert kind(lambda: result.with_cov(gc.cluster("g", "CR3")).bse) == "cluster_alone"
    assert kind(lambda: gc.cluster(["g", "h"], "CR2")) == "several_clusters"
    assert kind(lambda: gc.cluster(["g", "h"], df="satterthwaite")) == "several_clusters"
    assert kind(lambda: gc.cluster("g", "CR4")) == "cluster_kind"
    assert kind(lambda: gc.cluster("g", "CR0", like="stata")) == "cluster_like"
    assert kind(lambda: gc.cluster(["g", "h"], like="stata")) == "cluster_like"
    assert kind(lambda: gc.cluster(3)) == "cluster_groups"
    assert kind(lambda: gc.cluster(["g", "g"])) == "cluster_groups"
    assert kind(lambda: result.with_cov("cluster")) == "unknown_covariance"
    assert kind(lambda: result.with_cov({"clusters": "g"})) == "unknown_covariance"
    with pytest.raises(gc.errors.UsageError, match=r"glmcount\.cluster\('g'\)"):
        result.with_cov("cluster")
    with pytest.raises(
        gc.errors.CovarianceError, match=r"without 5 the coefficients d are"
    ) as caught:
        _ = result.with_cov(gc.cluster("g", "CR3")).bse
    assert "CR2" in str(caught.value)
    assert np.isfinite(result.with_cov(gc.cluster("g", "CR2")).bse).all()


def test_results_travel_with_their_clusters(panel):
    for cov in ({"cluster": "g"}, gc.cluster(panel.g.to_numpy(), "CR2", df="satterthwaite")):
        result = fitted(panel, "negbin", cov=cov)
        again = pickle.loads(pickle.dumps(result))  # noqa: S301
        np.testing.assert_array_equal(again.pvalues, result.pvalues)
        assert str(again.summary()) == str(result.summary())
        assert again.wald_test("x = 0").pvalue == result.wald_test("x = 0").pvalue


def test_separated_and_aliased_columns(panel):
    frame = panel.assign(z=2.0 * panel.x, dead=((panel.g == 3) | (panel.g == 4)).astype(float))
    frame.loc[frame.dead == 1, "y"] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        full = gc.fit("y ~ x + z + dead", frame, cov={"cluster": "g"})
        rest = gc.fit("y ~ x", frame[frame.dead == 0], cov={"cluster": "g"})
    # Two clusters are fitted without doubt, and count as clusters all the same.
    np.testing.assert_allclose(
        full.bse["x"], rest.bse["x"] * np.sqrt(60 / 59 / (58 / 57)), rtol=1e-6
    )
    assert np.isinf(full.bse["dead"])


def test_runs_of_clusters_give_the_same(panel):
    frame = pd.concat([panel] * 3, ignore_index=True).assign(g=lambda f: f.index // 2)
    few = gc.Control(memory=40_000)
    for kind in KINDS:
        for columns in ("g", ["g", "h"]):
            if kind in ("CR2", "CR3") and columns != "g":
                continue
            a = fitted(frame, "zip", cov=gc.cluster(columns, kind))
            b = fitted(frame, "zip", cov=gc.cluster(columns, kind), control=few)
            np.testing.assert_allclose(a.bse, b.bse, rtol=1e-9)


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("terms", ["1", "x", "x + z", "x + z + u", "x * z + u", "x * z * u"])
def test_many_clusters_and_few_coefficients(terms, small, monkeypatch):
    """Against sums by hand, whichever way squares are made best on this machine."""
    monkeypatch.setattr(gram, "multiplies_small", lambda: small)
    rng = np.random.default_rng(2)
    data = pd.DataFrame(rng.normal(size=(3_000, 3)), columns=["x", "z", "u"])
    data = data.assign(g=rng.integers(0, 900, 3_000), y=rng.poisson(2.0, 3_000))
    result = gc.fit(f"y ~ {terms}", data, cov=gc.cluster("g", "CR0"))
    sums = pd.DataFrame(np.asarray(result.score_obs())).groupby(data.g.to_numpy()).sum().to_numpy()
    bread = np.asarray(result.with_cov("nonrobust").cov_params())
    direct = bread @ (sums.T @ sums) @ bread
    np.testing.assert_allclose(result.cov_params(), direct, rtol=1e-8, atol=1e-12)


@pytest.mark.filterwarnings("ignore::glmcount.errors.MissingRowsWarning")
@pytest.mark.parametrize("model", ["poisson", "zip"])
def test_columns_are_added_up_alike_however_they_lie_in_memory(model, monkeypatch):
    """In one piece, apart, in steps, far from zero, with rows left out, as whole numbers."""
    monkeypatch.setattr(base, "STRIP_ROWS", 500)
    rng = np.random.default_rng(8)
    n = 3_000
    x, z = rng.normal(size=n), 1e3 + rng.normal(size=n)
    y = rng.poisson(np.exp(0.3 * x)) * (rng.random(n) < 0.8)
    columns = {"y": y, "x": x, "z": z, "k": rng.integers(0, 9, n), "g": rng.integers(0, 700, n)}
    plain = {name: np.ascontiguousarray(values) for name, values in columns.items()}
    steps = {name: np.repeat(values, 2)[::2] for name, values in columns.items()}
    by_row = pd.DataFrame({**columns, "x": x.astype(np.float64)})
    more = {name: np.append(values, values[:5]) for name, values in columns.items()}
    more["x"][n:] = np.nan
    formula = "y ~ x + z + k + C(k > 4):x"
    found = {}
    for name, data in {"plain": plain, "steps": steps, "frame": by_row, "more": more}.items():
        result = gc.fit(formula, data, **MODELS[model], cov=gc.cluster("g"))
        again = gc.fit(formula, data, **MODELS[model]).with_cov(gc.cluster("g"))
        np.testing.assert_allclose(result.bse, again.bse, rtol=1e-9)
        found[name] = result.bse.to_numpy()
        sums = pd.DataFrame(np.asarray(result.score_obs())).groupby(columns["g"]).sum().to_numpy()
        bread = np.asarray(result.with_cov("nonrobust").cov_params())
        groups = len(sums)
        direct = bread @ (sums.T @ sums) @ bread * groups / (groups - 1)
        np.testing.assert_allclose(found[name], np.sqrt(direct.diagonal()), rtol=1e-6)
    for other in found.values():
        np.testing.assert_allclose(other, found["plain"], rtol=1e-9)


@pytest.mark.parametrize(
    ("column", "wanted"),
    [
        (3, {"institutions": "0.002406388", "log(K/L)": "0.135953255", "log sales": "0.041523405"}),
        (4, {"institutions": "0.002242345"}),
        (5, {"institutions": "0.002443707"}),
    ],
)
def test_institutions(column, wanted):
    # Recorded output of the R package sandwich, vcovCL(cluster = ~ company); R's glm stops where
    # the deviance has eight digits, which leaves seven of these.
    record = golden_files.read(f"institutions_column{column}")
    frame = golden_files.rows(record)
    result = gc.fit(record["formula"], frame, cov={"cluster": "company"}, **record["call"])
    names = {
        "institutions": "institutions",
        "log(K/L)": "np.log(capital / employment)",
        "log sales": "np.log(sales)",
    }
    for name, text in wanted.items():
        assert result.bse[names[name]] == pytest.approx(float(text), rel=1e-6)


def test_institutions_hurdle():
    # Vignette sandwich-CL. Its matrices leave out theta, and the Hessian is one of differences:
    # that is why no more than three digits agree, and why the whole one differs from both.
    frame = golden_files.rows(golden_files.read("institutions_column3"))
    regressors = "institutions + np.log(capital / employment) + np.log(sales)"
    result = gc.fit(f"cites ~ {regressors}", frame, family="negbin", hurdle=regressors)
    both = ["institutions", "hurdle_institutions"]
    assert [f"{value:.5f}" for value in result.params[both]] == ["0.00397", "0.00658"]
    scores = np.concatenate(
        fold_scores(
            result._state.rows, result._state.fit, lambda rows, own: [own], lambda a, b: a + b
        )
    )
    companies = frame.company.astype("category").cat.codes.to_numpy()
    sums = np.zeros((companies.max() + 1, scores.shape[1]))
    np.add.at(sums, companies, scores)
    rest = [j for j, name in enumerate(result.params.index) if name != "alpha"]
    bread = result._held.covariance[np.ix_(rest, rest)]
    middle = (sums.T @ sums)[np.ix_(rest, rest)] * len(sums) / (len(sums) - 1)
    errors = np.sqrt((bread @ middle @ bread).diagonal())
    published = {"institutions": 0.0043029, "hurdle_institutions": 0.0020870}
    for name, value in published.items():
        place = rest.index(list(result.params.index).index(name))
        assert errors[place] == pytest.approx(value, rel=2e-3)
    whole = result.with_cov({"cluster": "company"}).bse
    np.testing.assert_allclose(whole[both], [0.00424988, 0.00208643], rtol=1e-5)


def test_more_columns_than_can_be_added_up_are_refused():
    with pytest.raises(gc.errors.UsageError, match="20 columns, and at most 6 are taken"):
        gc.cluster([f"g{k}" for k in range(20)])
    gc.cluster([f"g{k}" for k in range(6)])


def test_one_cluster_is_refused_and_not_warned_of():
    rows = {"y": [1, 2, 0, 3], "x": [0.0, 1.0, 2.0, 1.5], "g": ["a"] * 4}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(gc.errors.CovarianceError, match="one value"):
            gc.fit("y ~ x", rows, cov={"cluster": "g"}).bse  # noqa: B018


@pytest.mark.parametrize("psd", [False, True])
@pytest.mark.parametrize("family", ["poisson", "negbin"])
def test_two_ways_beside_an_infinite_coefficient(family, psd):
    rng = np.random.default_rng(6)
    frame = pd.DataFrame({"x": rng.normal(size=300), "g": np.arange(300) % 25})
    frame["h"], frame["d"] = np.arange(300) // 15, (np.arange(300) % 10 == 3) * 1.0
    frame["y"] = rng.negative_binomial(2, 0.5, 300) * (frame.d == 0)
    cov = gc.cluster(["g", "h"], "CR0", psd=psd)
    found = gc.fit("y ~ x + d", frame, family=family, separation="ignore").with_cov(cov)
    # In the limit the rows without an event say nothing.
    wanted = gc.fit("y ~ x", frame[frame.d == 0], family=family).with_cov(cov)
    assert np.isinf(found.bse["d"])
    names = list(wanted.bse.index)
    np.testing.assert_allclose(found.bse[names], wanted.bse, rtol=1e-6)
