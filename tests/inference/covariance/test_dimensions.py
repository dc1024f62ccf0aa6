"""How many dimensions a covariance has: of more hypotheses there is no joint test."""

from __future__ import annotations

import pickle
import warnings
from functools import partial

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.records import replace

pytestmark = pytest.mark.filterwarnings("ignore::glmcount.errors.CovarianceWarning")


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(12)
    n = 360
    out = pd.DataFrame({f"x{k}": rng.normal(size=n) for k in range(8)})
    out["time"] = np.arange(n) % 5
    out["unit"] = np.arange(n) // 5
    out["g"], out["h"] = np.arange(n) % 3, (np.arange(n) // 3) % 2
    out["y"] = rng.poisson(np.exp(0.4 + 0.1 * out.x0))
    return out


FORMULA = "y ~ " + " + ".join(f"x{k}" for k in range(8))
CASES = {
    "summed by time": (gc.driscoll_kraay("time", lags=1), 4),
    "two ways": (gc.cluster(["g", "h"], psd=True), 5),
}


@pytest.mark.parametrize("case", CASES)
def test_more_hypotheses_than_dimensions_have_no_joint_test(frame, case):
    cov, most = CASES[case]
    result = gc.fit(FORMULA, frame, cov=cov)
    matrix = result.cov_params().to_numpy()
    sizes = np.sqrt(matrix.diagonal())
    values = np.linalg.eigvalsh(matrix / np.outer(sizes, sizes))
    rank = int((values > 1e-9 * values[-1]).sum())
    assert rank <= most
    names = [f"x{k}" for k in range(8)]
    for count in range(1, 9):
        several = ", ".join(f"{name} = 0" for name in names[:count])
        if count <= rank:
            assert result.wald_test(several).df == count
            continue
        with pytest.raises(gc.errors.CovarianceError, match="fewer dimensions") as caught:
            result.wald_test(several)
        assert caught.value.kind == "singular_covariance"
        # So it is with other rows of the same tests, whatever their rounding.
        mixed = np.zeros((count, 9))
        mixed[:, 1 : count + 1] = np.random.default_rng(count).normal(size=(count, count))
        with pytest.raises(gc.errors.CovarianceError, match="fewer dimensions"):
            result.wald_test(mixed)


def test_a_long_series_has_all_dimensions(frame):
    result = gc.fit(FORMULA, frame, cov=gc.hac("order", lags=3, prewhiten=1))
    assert result.wald_test(", ".join(f"x{k} = 0" for k in range(8))).df == 8


def test_rows_of_one_time_within_a_panel_are_told(frame):
    twice = pd.concat([frame, frame.iloc[:40]])
    told = str(gc.fit("y ~ x0", twice, cov=gc.hac("time", "unit", lags=1)).summary())
    words = " ".join(told.split())
    assert "400 rows have 360 times in their panels: scores of one time were added up." in words
    plain = str(gc.fit("y ~ x0", frame, cov=gc.hac("time", "unit", lags=1)).summary())
    assert "added up" not in plain
    # Added up they are as one row of that time: two of half the weight are one.
    halves = pd.concat([frame.assign(w=0.5)] * 2)
    options = {"weights": "w", "weights_type": "importance"}
    half = gc.fit("y ~ x0", halves, cov=gc.hac("time", "unit", lags=1), **options)
    whole = gc.fit("y ~ x0", frame, cov=gc.hac("time", "unit", lags=1))
    np.testing.assert_allclose(half.bse, whole.bse, rtol=1e-9)


def test_few_clusters_of_several_columns_are_told_what_they_lack(frame):
    with pytest.warns(gc.errors.CovarianceWarning, match=r"df='t' comes nearer"):
        gc.fit("y ~ x0", frame, cov=gc.cluster(["unit", "time"]))
    with pytest.warns(gc.errors.CovarianceWarning) as caught:
        gc.fit("y ~ x0", frame, cov=gc.cluster(["unit", "time"], df="t"))
    (told,) = [str(each.message) for each in caught]
    assert "df='t'" not in told
    assert "glmcount.cluster('time', 'CR2', df='satterthwaite'), of that column alone" in told


@pytest.mark.parametrize("cov", ["nonrobust", "opg"])
def test_the_size_of_sampling_weights_is_no_number_of_observations(frame, cov):
    sampled = frame.assign(w=1.0 + frame.index % 7, ten=10.0 + 10.0 * (frame.index % 7))
    options = {"weights_type": "probability"}
    result = gc.fit("y ~ x0", sampled, weights="w", **options)
    with pytest.warns(gc.errors.CovarianceWarning, match="go by the size of the weights") as caught:
        found = result.with_cov(cov)
    assert caught[0].message.kind == "sampling_weights"
    with pytest.warns(gc.errors.CovarianceWarning, match="go by the size of the weights"):
        other = gc.fit("y ~ x0", sampled, weights="ten", cov=cov, **options)
    assert other.bse["x0"] < 0.5 * found.bse["x0"]
    ten = gc.fit("y ~ x0", sampled, weights="ten", **options)
    np.testing.assert_allclose(ten.bse, result.bse, rtol=1e-9)


def test_the_scale_of_a_quasi_likelihood_goes_with_the_weights(frame):
    sampled = frame.assign(w=1.0 + frame.index % 7, ten=10.0 + 10.0 * (frame.index % 7))
    options = {"family": "quasipoisson", "weights_type": "probability", "cov": "nonrobust"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = [gc.fit("y ~ x0", sampled, weights=name, **options) for name in ("w", "ten")]
    np.testing.assert_allclose(results[0].bse, results[1].bse, rtol=1e-9)


def inverse_and_scale(setting, bread):
    return bread * setting.scale


def test_a_covariance_of_ones_own_says_whether_it_goes_with_the_scale(frame):
    sampled = frame.assign(w=1.0 + frame.index % 7)
    quasi, poisson = (
        gc.fit("y ~ x0", sampled, family=family, weights="w", weights_type="probability")
        for family in ("quasipoisson", "poisson")
    )
    own = partial(gc.covariances.Estimator, "own", "own", inverse_and_scale, trusting=True)
    scaled = pickle.loads(pickle.dumps(own(scaled=True)))  # noqa: S301
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = quasi.with_cov(scaled)
    np.testing.assert_array_equal(found.bse, quasi.with_cov("nonrobust").bse)
    for result, cov in ((quasi, own()), (poisson, scaled)):
        with pytest.warns(gc.errors.CovarianceWarning, match="go by the size of the weights"):
            result.with_cov(cov)
    # Its name says nothing: of a covariance with the name of another one too.
    with pytest.warns(gc.errors.CovarianceWarning, match="go by the size of the weights"):
        quasi.with_cov(replace(own(), name="nonrobust"))
