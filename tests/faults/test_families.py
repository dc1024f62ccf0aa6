"""Log-likelihoods of large counts, ends of parameter spaces, and certified bounds.

Right values are those of mpmath at 50 digits.
"""

from __future__ import annotations

import time
import warnings

import mpmath as mp
import numpy as np
import pytest

import glmcount as gc

MEANS = [1.0, 1e5, 1e8, 1e10, 1e15]


def quiet(*args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return gc.fit(*args, **options)


# Log-probabilities in 50 digits, of (count, log mean, log alpha or another shape) -----------


def log_poisson(y, eta, _=None):
    return y * eta - mp.exp(eta) - mp.loggamma(y + 1)


def log_nb2(y, eta, log_alpha):
    r, mu = mp.exp(-log_alpha), mp.exp(eta)
    front = mp.loggamma(y + r) - mp.loggamma(r) - mp.loggamma(y + 1)
    return front + y * (eta - mp.log(mu + r)) + r * mp.log(r / (mu + r))


def log_nb1(y, eta, log_alpha):
    return log_nb2(y, eta, log_alpha - eta)


def log_gp2(y, eta, log_alpha):
    mu, a = mp.exp(eta), mp.exp(log_alpha)
    rate, share = mu / (1 + a * mu), a * mu / (1 + a * mu)
    whole = rate + share * y
    return mp.log(rate) + (y - 1) * mp.log(whole) - whole - mp.loggamma(y + 1)


def log_gp1(y, eta, log_alpha):
    return log_gp2(y, eta, log_alpha - eta)


def log_pig(y, eta, log_alpha):
    """By quadrature of the mixture about its saddle point, where that is all there is."""
    if y < 300:
        return log_pig_small(y, eta, log_alpha)
    mu, b = mp.exp(eta), mp.exp(-log_alpha)
    nu = y - mp.mpf(1) / 2
    q = mp.sqrt(nu**2 + b * b + 2 * mu * b)
    top, width = (nu + q) / (2 * mu + b), 1 / mp.sqrt(q)

    def inside(t):
        w = top * mp.exp(width * t)
        mixing = (mp.log(b / (2 * mp.pi)) - 3 * mp.log(w) - b * (w - 1) ** 2 / w) / 2
        return y * mp.log(mu * w) - mu * w - mp.loggamma(y + 1) + mixing + width * t

    level = inside(mp.mpf(0))
    with mp.workdps(30):
        total = mp.quad(lambda t: mp.exp(inside(t) - level), [-12, 0, 12]) * width * top
    return level + mp.log(total)


TRUE = {
    "poisson": (log_poisson, None),
    "geometric": (lambda y, eta, _: log_nb2(y, eta, mp.mpf(0)), None),
    "negbin": (log_nb2, "log"),
    "negbin1": (log_nb1, "log"),
    "genpoisson": (log_gp1, "log"),
    "genpoisson2": (log_gp2, "log"),
    "pig": (log_pig, "log"),
}


def drawn(name, mean, n, seed=5):
    """Counts and a column that look like the family's own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    mu = mean * np.exp(0.3 * x)
    if name == "poisson":
        return x, rng.poisson(mu).astype(float)
    if name in ("negbin1", "genpoisson"):
        return x, rng.negative_binomial(mu / 2.0, 1.0 / 3.0).astype(float)
    return x, rng.poisson(mu * rng.gamma(2.0, 0.5, n)).astype(float)


def true_llf(name, result, y, columns, weights=None):
    function, scale = TRUE[name]
    params = [mp.mpf(float(b)) for b in result.params]
    shape = mp.log(params[-1]) if scale else None
    w = np.ones(len(y)) if weights is None else weights
    return mp.fsum(
        mp.mpf(float(each))
        * function(
            mp.mpf(float(count)),
            mp.fsum(b * mp.mpf(float(v)) for b, v in zip(params, row, strict=False)),
            shape,
        )
        for count, row, each in zip(y, columns, w, strict=True)
    )


def gap(found, right):
    return float(abs(mp.mpf(float(found)) - right) / abs(right))


@pytest.mark.parametrize("mean", MEANS)
@pytest.mark.parametrize("name", TRUE)
def test_log_likelihood_has_its_digits(name, mean):
    x, y = drawn(name, mean, 12)
    result = quiet("y ~ x", {"y": y, "x": x}, family=name)
    assert result.converged
    if result.certificate.boundary:
        name = "poisson"
    with mp.workdps(50):
        right = true_llf(name, result, y, np.column_stack([np.ones(12), x]))
        assert gap(result.llf, right) <= 1e-12


@pytest.mark.parametrize("mean", [300.0, 1e8, 1e12])
@pytest.mark.parametrize("name", ["poisson", "geometric", "negbin"])
def test_weights_and_cells_keep_the_digits(name, mean):
    rng = np.random.default_rng(2)
    x, w = np.tile([0.0, 1.0, 2.0], 10), rng.integers(1, 4, 30).astype(float)
    y = rng.poisson(mean * np.exp(0.3 * x) * (1.0 if name == "poisson" else rng.gamma(2, 0.5, 30)))
    data = {"y": y.astype(float), "x": x, "w": w}
    with mp.workdps(50):
        for compress in (False, True):
            result = quiet(
                "y ~ x", data, family=name, weights="w", weights_type="frequency", compress=compress
            )
            right = true_llf(name, result, data["y"], np.column_stack([np.ones(30), x]), w)
            assert gap(result.llf, right) <= 1e-12
            flat = quiet("y ~ 1", data, family=name, weights="w", weights_type="frequency")
            assert result.llnull == pytest.approx(flat.llf, rel=1e-12)


@pytest.mark.parametrize("mean", [1e5, 1e8, 1e10])
def test_cells_of_several_exposures_are_their_rows(mean):
    rng = np.random.default_rng(7)
    x, t = rng.integers(0, 3, 400), rng.choice([1.0, 2.0, 4.0], 400)
    data = {"x": x, "t": t, "y": rng.poisson(mean * t * np.exp(0.2 * x)).astype(float)}
    rows, cells = (quiet("y ~ x", data, exposure="t", compress=c) for c in (False, True))
    assert cells.n_cells == 3
    assert cells.llf == pytest.approx(rows.llf, rel=3e-12)
    assert cells.llnull == pytest.approx(rows.llnull, rel=3e-12)


def test_many_rows_keep_the_digits():
    """Of the engine that goes by blocks: each of 12 rows 2,500 times over."""
    x, y = drawn("negbin", 1e15, 12)
    few = quiet("y ~ x", {"y": y, "x": x}, family="negbin")
    many = quiet("y ~ x", {"y": np.tile(y, 2500), "x": np.tile(x, 2500)}, family="negbin")
    assert many.llf == pytest.approx(2500 * few.llf, rel=1e-12)
    x, y = drawn("poisson", 1e15, 12)
    few = quiet("y ~ x", {"y": y, "x": x})
    many = quiet("y ~ x", {"y": np.tile(y, 2500), "x": np.tile(x, 2500)}, compress=False)
    assert many.llf == pytest.approx(2500 * few.llf, rel=1e-12)


@pytest.mark.parametrize("name", ["poisson", "negbin", "genpoisson2", "pig"])
def test_parts_of_large_counts_have_their_digits(name):
    """Zeros beside counts of 1e10: hurdle and inflation add the zeros' own likelihood alone."""
    x, y = drawn(name, 1e10, 12)
    plain = quiet("y ~ x", {"y": y, "x": x}, family=name)
    zeros = {"y": np.append(y, np.zeros(12)), "x": np.append(x, x)}
    even = 24 * np.log(0.5)
    for part in ({"hurdle": "1"}, {"inflate": "1"}):
        result = quiet("y ~ x", zeros, family=name, **part)
        assert result.llf == pytest.approx(plain.llf + even, rel=1e-11 if name == "pig" else 1e-12)
    cut = quiet("y ~ x", {"y": y, "x": x}, family=name, truncated=0)
    assert cut.llf == pytest.approx(plain.llf, rel=1e-11 if name == "pig" else 1e-12)
    limit = {"y": y, "x": x, "c": np.full(12, 1e300)}
    assert quiet("y ~ x", limit, family=name, censored="c").llf == pytest.approx(
        plain.llf, rel=1e-12
    )


def test_the_canonical_negative_binomial_keeps_its_digits():
    _, y = drawn("negbin", 1e10, 12)
    log = quiet("y ~ 1", {"y": y}, family="negbin")
    own = quiet("y ~ 1", {"y": y}, family=gc.families.negbin_canonical())
    assert own.llf == pytest.approx(log.llf, rel=1e-12)


@pytest.mark.parametrize("mean", [1e10, 1e12, 1e15])
def test_conway_maxwell_poisson_at_large_means(mean):
    """Where sums over counts are integrals."""
    rng = np.random.default_rng(1)
    y = np.round(mean + 0.8 * np.sqrt(mean) * rng.normal(size=12))
    result = quiet("y ~ 1", {"y": y}, family="compoisson")
    assert result.converged and not result.certificate.boundary
    with mp.workdps(30):
        b, nu = (mp.mpf(float(v)) for v in result.params)
        centre, counts = mp.nint(mp.exp(b)), [mp.mpf(float(v)) for v in y]
        deviation = mp.sqrt(centre / nu)

        def statistic(k):
            return mp.loggamma(centre + k + 1) - mp.loggamma(centre + 1) - k * mp.log(centre)

        def sums(rho):
            def term(t, p):
                return t**p * mp.exp(t * deviation * rho - nu * statistic(t * deviation))

            return [mp.quad(lambda t, p=p: term(t, p), [-11, 0, 11]) for p in (0, 1, 2)]

        rho, wanted = mp.mpf(0), (mp.exp(b) - centre) / deviation
        for _ in range(4):
            zero, one, two = sums(rho)
            rho += (wanted - one / zero) / (two / zero - (one / zero) ** 2) / deviation
        log_z = mp.log(sums(rho)[0] * deviation)
        right = mp.fsum((k - centre) * rho - nu * statistic(k - centre) - log_z for k in counts)
        assert gap(result.llf, right) <= 1e-12


# Estimates of the dispersion ------------------------------------------------------------------


def solved(y, columns, start):
    """NB2's maximum, and the standard error of alpha by the observed information."""
    counts = [mp.mpf(float(v)) for v in y]
    rows = [[mp.mpf(float(v)) for v in row] for row in columns]

    def score(*theta):
        r, out = mp.exp(-theta[-1]), [mp.mpf(0)] * len(theta)
        for count, row in zip(counts, rows, strict=True):
            mu = mp.exp(mp.fsum(a * b for a, b in zip(row, theta, strict=False)))
            slope = (count - mu) * r / (mu + r)
            for j, v in enumerate(row):
                out[j] += v * slope
            own = mp.digamma(count + r) - mp.digamma(r) + mp.log(r / (mu + r))
            out[-1] -= r * (own - (count - mu) / (mu + r))
        return out

    theta = mp.findroot(score, [mp.mpf(float(v)) for v in start], tol=1e-60, maxsteps=30)
    h, at = mp.mpf(10) ** -20, list(theta)
    information = mp.matrix(len(at), len(at))
    for j in range(len(at)):
        low, high = ([*at[:j], at[j] + step, *at[j + 1 :]] for step in (-h, h))
        for k, (a, b) in enumerate(zip(score(*low), score(*high), strict=True)):
            information[j, k] = (a - b) / 2 / h
    return mp.exp(at[-1]), mp.exp(at[-1]) * mp.sqrt((information**-1)[len(at) - 1, len(at) - 1])


@pytest.mark.parametrize(
    ("mean", "alpha"), [(1e2, 0.5), (1e8, 0.5), (1e8, 3e-8), (1e10, 3e-3), (1e10, 3e-10)]
)
def test_alpha_has_eight_digits(mean, alpha):
    rng = np.random.default_rng(3)
    x = rng.normal(size=12)
    y = rng.poisson(mean * np.exp(0.3 * x) * rng.gamma(1.0 / alpha, alpha, 12)).astype(float)
    result = quiet("y ~ x", {"y": y, "x": x}, family="negbin")
    start = [*result.params[:2], np.log(result.params["alpha"])]
    with mp.workdps(60):
        right, error = solved(y, np.column_stack([np.ones(12), x]), start)
        assert gap(result.params["alpha"], right) <= 1e-8
        assert gap(result.bse["alpha"], error) <= 1e-8


def test_digits_that_counts_take_from_alpha_are_told():
    rng = np.random.default_rng(3)
    mean = 1e15
    y = rng.poisson(mean * rng.gamma(mean / 3, 3 / mean, 12)).astype(float)
    with pytest.warns(gc.errors.IllConditionedWarning, match="digits of alpha") as told:
        gc.fit("y ~ 1", {"y": y}, family="negbin")
    assert "large_counts" in [w.message.kind for w in told]


# Costs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("largest", [1e5, 1e9, 1e15])
def test_the_cost_of_a_poisson_inverse_gaussian_is_bounded(largest):
    y = np.array([3.0, 0, 8, 2, 900, 41, 7, largest])
    began = time.perf_counter()
    result = quiet("y ~ 1", {"y": y}, family="pig")
    assert time.perf_counter() - began < 2.0
    if not np.isfinite(result.params).all():
        # Beside such a count mean and dispersion grow together without end.
        assert result.certificate.boundary == "at infinity"
        return
    with mp.workdps(50):
        b, alpha = (mp.mpf(float(v)) for v in result.params)
        right = sum(log_pig_small(int(v), b, mp.log(alpha)) for v in y[:-1])
        right += log_pig(mp.mpf(largest), b, mp.log(alpha))
        assert gap(result.llf, right) <= 1e-12


def log_pig_small(y, eta, log_alpha):
    """By Bessel functions."""
    mu, b = mp.exp(eta), mp.exp(-log_alpha)
    c = mp.sqrt(1 + 2 * mu / b)
    bessel = mp.log(mp.besselk(y - mp.mpf(1) / 2, b * c))
    front = mp.log(2 * b / mp.pi) / 2 + b
    return y * eta - mp.loggamma(y + 1) + front - (y - mp.mpf(1) / 2) * mp.log(c) + bessel


def test_poisson_inverse_gaussians_meet_where_the_recursion_ends():
    """Probabilities of 256 by recursion and of 257 by an expansion, and on to 2,000."""
    for y in (256, 257, 2000):
        data = {"y": np.array([y, 3.0, 5.0, 400.0]), "x": np.array([1.0, 0, 0, 0])}
        result = quiet("y ~ x", data, family="pig")
        with mp.workdps(50):
            a, b, alpha = (mp.mpf(float(v)) for v in result.params)
            right = sum(
                log_pig_small(int(v), a + b * int(z), mp.log(alpha))
                for v, z in zip(data["y"], data["x"], strict=True)
            )
            assert gap(result.llf, right) <= 1e-13


# Ends of parameter spaces ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "y",
    [
        [0, 1, 2, 3, 1, 0, 2, 4, 1, 0, 2, 1e7],
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 1e7],
        [5, 3, 8, 2, 7, 1e7],
        [2, 1, 0, 3, 1, 4, 2, 1e7],
    ],
)
def test_one_great_count_among_small_ones(y):
    """GP-1's score in the mean is zero at the sample mean; alpha's root is found by bisection."""
    result = quiet("y ~ 1", {"y": y}, family="genpoisson")
    assert result.converged and not result.certificate.boundary
    with mp.workdps(40):
        counts = [mp.mpf(v) for v in y]

        def llf(eta, log_alpha):
            return mp.fsum(log_gp1(v, eta, log_alpha) for v in counts)

        b, a = mp.mpf(float(result.params.iloc[0])), mp.log(mp.mpf(float(result.params.iloc[1])))
        for direction in ((1, 0), (0, 1), (1, 1)):
            slope, bend = (
                mp.diff(lambda t, d=direction: llf(b + d[0] * t, a + d[1] * t), 0, order)
                for order in (1, 2)
            )
            assert bend < 0 and abs(slope) <= 1e-6 * mp.sqrt(-bend)
        assert gap(result.llf, llf(b, a)) <= 1e-12


@pytest.mark.parametrize(
    ("y", "llf"),
    [
        ([0, 1, 1, 0, 1, 0, 0, 1, 1, 0], 10 * np.log(0.5)),
        ([2, 3, 2, 3, 3, 3, 2, 2], 8 * np.log(0.5)),
        ([7, 7, 8, 7], np.log(0.25) + 3 * np.log(0.75)),
    ],
)
def test_conway_maxwell_poisson_of_two_neighbouring_counts(y, llf):
    """As nu grows only the whole numbers around the mean are left, a Bernoulli distribution."""
    with pytest.warns(gc.errors.BoundaryWarning, match="nu = inf"):
        result = gc.fit("y ~ 1", {"y": y}, family="compoisson")
    assert result.llf == pytest.approx(llf, rel=1e-12)
    assert result.params["Intercept"] == pytest.approx(np.log(np.mean(y)), rel=1e-10)
    assert result.certificate.boundary == "nu = inf" and np.isposinf(result.params["nu"])


def test_conway_maxwell_poisson_of_less_than_poisson_variance_stays_inside():
    result = quiet("y ~ 1", {"y": [5, 5, 6, 5, 5, 5, 4, 5]}, family="compoisson")
    assert result.converged and not result.certificate.boundary


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("y", [[1, 1, 1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 1, 1], [1, 0, 0, 0, 0]])
def test_generalized_poisson_ends_at_the_end_of_its_support(power, y):
    """Zeros and ones: the likelihood is largest where 1 + a y is 0, and that supremum is found.

    There log f(1) = log(mu / (1 - mu)) and log f(0) = -mu / (1 - mu).
    """
    family = gc.families.genpoisson(power=power, under=True)
    result = quiet("y ~ 1", {"y": y}, family=family)
    ones, zeros = float(np.sum(y)), float(len(y) - np.sum(y))
    odds = ones / zeros
    assert result.llf == pytest.approx(ones * np.log(odds) - zeros * odds, abs=1e-5)
    assert result.certificate.boundary == "end of the support"
    assert result.llf > quiet("y ~ 1", {"y": y}).llf


def test_generalized_poisson_finds_the_best_point_of_a_bent_end():
    """With a slope the end is no value of alpha: against a search from many starts."""
    rng = np.random.default_rng(19)
    x = np.round(rng.normal(size=20), 2)
    y = np.round(np.exp(0.4 + 0.5 * x))
    family = gc.families.genpoisson(under=True)
    result = quiet("y ~ x", {"y": y, "x": x}, family=family)
    assert result.llf >= quiet("y ~ x", {"y": y, "x": x}).llf

    def llf(theta):
        mu, a = np.exp(theta[0] + theta[1] * x), theta[2] / np.exp(theta[0] + theta[1] * x)
        u = 1 + a * y
        if theta[2] <= -1 or np.any(u <= 0):
            return -1e10
        logs = np.log(mu / (1 + a * mu)) * y + (y - 1) * np.log(u) - mu * u / (1 + a * mu)
        return float(logs.sum() - sum(float(mp.loggamma(v + 1)) for v in y))

    from scipy.optimize import minimize

    best = max(
        -minimize(
            lambda t: -llf(t), [0.4, 0.5, a], method="Nelder-Mead", options={"maxiter": 2000}
        ).fun
        for a in (-0.6, -0.3, 0.0)
    )
    assert result.llf >= best - 1e-5


def test_a_likelihood_without_bound_is_told():
    """GP-2: the row of the largest count is fitted exactly; its probability has no bound."""
    x = np.arange(6.0)
    family = gc.families.genpoisson(power=2, under=True)
    with pytest.warns(gc.errors.BoundaryWarning, match="without bound"):
        result = gc.fit("y ~ x", {"y": np.round(np.exp(0.3 + 0.4 * x)), "x": x}, family=family)
    assert not result.converged and result.certificate.boundary == "end of the support"
    assert result.llf >= quiet("y ~ x", {"y": np.round(np.exp(0.3 + 0.4 * x)), "x": x}).llf


# Certified bounds -------------------------------------------------------------------------------


def exact(columns, y, start, alpha):
    """Newton's method in 40 digits: estimates and standard errors."""
    n, p = columns.shape
    design, b = mp.matrix(columns.tolist()), mp.matrix([mp.mpf(float(v)) for v in start])
    for _ in range(3):
        score, information = mp.matrix(p, 1), mp.matrix(p, p)
        for i in range(n):
            mu = mp.exp(mp.fsum(design[i, j] * b[j] for j in range(p)))
            share = 1 / (1 + alpha * mu)
            slope, weight = (y[i] - mu) * share, mu * (1 + alpha * y[i]) * share**2
            for j in range(p):
                score[j] += design[i, j] * slope
                for k in range(p):
                    information[j, k] += design[i, j] * design[i, k] * weight
        b += mp.lu_solve(information, score)
    inverse = information**-1
    return b, [mp.sqrt(inverse[j, j]) for j in range(p)]


@pytest.mark.parametrize("seed", range(24))
def test_error_bounds_hold_where_columns_are_nearly_dependent(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 20))
    first = rng.normal(size=n) * 10.0 ** rng.uniform(-3, 3) + rng.normal() * 10.0 ** rng.uniform(
        -1, 4
    )
    near = first * rng.normal() + 10.0 ** -rng.uniform(2, 7) * rng.normal(size=n) * np.ptp(first)
    data = {"a": first, "b": near}
    alpha = 0.5 * (seed % 2)
    mean = np.exp(rng.uniform(0, 14)) * (rng.gamma(2, 0.5, n) if alpha else 1.0)
    data["y"] = rng.poisson(mean * np.ones(n)).astype(float)
    family = gc.families.negbin(alpha=alpha) if alpha else "poisson"
    result = quiet("y ~ a + b", data, family=family)
    bound = result.certificate.error_bound
    if len(result.aliased) or bound is None:
        return
    with mp.workdps(40):
        columns = np.column_stack([np.ones(n), first, near])
        b, errors = exact(columns, [mp.mpf(v) for v in data["y"]], result.params, mp.mpf(alpha))
        for found, right, error in zip(result.params, b, errors, strict=True):
            assert abs(mp.mpf(float(found)) - right) <= bound * error


@pytest.mark.parametrize(
    ("y", "above"), [([2, 2, 3, 2, 5, 9, 30, 200], 1), ([4, 4, 90], 3), ([12, 14, 90, 1e6], 10)]
)
@pytest.mark.parametrize(
    "pair", [("genpoisson", "genpoisson2"), ("negbin", "negbin1"), ("pig", "pig")]
)
def test_truncated_heavy_tails_have_bounded_costs(pair, y, above):
    """Without regressors two variance functions of a mean are one model."""
    began = time.perf_counter()
    found = [quiet("y ~ 1", {"y": y}, family=name, truncated=above).llf for name in pair]
    assert time.perf_counter() - began < 20.0
    assert found[0] == pytest.approx(found[1], rel=1e-9)
