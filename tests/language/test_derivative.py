"""Derivatives of expressions: against mpmath where functions are known, else differences."""

from __future__ import annotations

import mpmath
import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.language.derivative import derivative
from glmcount.language.evaluate import evaluate
from glmcount.language.learning import finish, memorize
from glmcount.language.parse import parse
from glmcount.language.transforms import new_state

X = np.array([0.3, 0.9, 1.7, 2.6, 4.1])
Z = np.array([-1.2, 0.4, 2.2, -0.7, 1.1])
KNOWN = {
    "x + z": lambda x, z: x + z,
    "x - z * x": lambda x, z: x - z * x,
    "-x / z": lambda x, z: -x / z,
    "z / x": lambda x, z: z / x,
    "x ** 3": lambda x, z: x**3,
    "x ** -0.5": lambda x, z: x**-0.5,
    "2 ** x": lambda x, z: mpmath.mpf(2) ** x,
    "x ** x": lambda x, z: x**x,
    "x ** z": lambda x, z: x**z,
    "log(x) + log1p(x) + log2(x) + log10(x)": lambda x, z: (
        mpmath.log(x) + mpmath.log1p(x) + mpmath.log(x, 2) + mpmath.log10(x)
    ),
    "exp(z * x) + expm1(x)": lambda x, z: mpmath.exp(z * x) + mpmath.expm1(x),
    "sqrt(x) * sin(x) - cos(x) / tan(x)": lambda x, z: (
        mpmath.sqrt(x) * mpmath.sin(x) - mpmath.cos(x) / mpmath.tan(x)
    ),
    "abs(x - 2)": lambda x, z: abs(x - 2),
    "minimum(x, 2) + maximum(x * x, z)": lambda x, z: min(x, 2) + max(x * x, z),
    "where(x > 1, x ** 2, z * x)": lambda x, z: x**2 if x > 1 else z * x,
    "where(z > 0, log(x), 7)": lambda x, z: mpmath.log(x) if z > 0 else mpmath.mpf(7),
    "x % 1.2": lambda x, z: x - 1.2 * mpmath.floor(x / 1.2),
    "5 % x": lambda x, z: 5 - x * mpmath.floor(5 / x),
    "floor(x) + ceil(x) + sign(x - 1) + x // 1.1": lambda x, z: mpmath.mpf(0),
    "x * (x > 1) + isnan(x)": lambda x, z: x * (x > 1),
    "I(np.log(x) ** 2)": lambda x, z: mpmath.log(x) ** 2,
    "z": lambda x, z: z,
    "3": lambda x, z: mpmath.mpf(3),
}


@pytest.mark.parametrize("code", KNOWN)
def test_against_mpmath(code):
    found = derivative(parse(code, ["x", "z"]), None, {"x": X, "z": Z}, "x")
    assert found.exact
    with mpmath.workdps(30):
        wanted = [
            float(mpmath.diff(lambda v, z=z: KNOWN[code](v, mpmath.mpf(float(z))), float(x)))
            for x, z in zip(X, Z, strict=True)
        ]
    np.testing.assert_allclose(found.values, wanted, rtol=1e-13, atol=1e-14)


def learnt(code, data):
    expression = parse(code, list(data))
    state = new_state(expression)
    for number in range(expression.passes):
        memorize(expression, state, number, data)
        finish(expression, state, number)
    return expression, state


TRANSFORMS = [
    "center(x)",
    "standardize(log(x))",
    "scale(x * z, rescale=False)",
    "standardize(x, ddof=1, center=False)",
    "bs(x, df=6)",
    "bs(x, df=5, degree=2, include_intercept=True)",
    "bs(log(x), knots=[0.5], degree=1)",
    "bs(x, df=1, degree=0, include_intercept=True)",
    "te(bs(x, df=4), bs(z, df=4))",
    "cr(x, df=5)",
    "cc(x, df=4)",
    "cr(x ** 2, df=5, constraints='center')",
    "te(cr(x, df=4), bs(z, df=4), constraints='center')",
    "log(1 + center(x) ** 2) * z",
    "cr(x, knots=[1.0, 2.0], lower_bound=0.8, upper_bound=2.5)",
    "cc(x, knots=[1.0, 2.0], lower_bound=0.8, upper_bound=2.5)",
]


@pytest.mark.parametrize("code", TRANSFORMS)
def test_transforms_against_differences(code):
    rng = np.random.default_rng(0)
    data = {"x": rng.uniform(0.5, 3.0, 200), "z": rng.normal(size=200)}
    expression, state = learnt(code, data)
    inside = np.abs(data["x"] - 1.75) < 1.2
    few = {name: values[inside] for name, values in data.items()}
    found = derivative(expression, state, few, "x")
    assert found.exact
    step = 1e-3

    def at(times):
        return evaluate(expression, state, {**few, "x": few["x"] + times * step})

    sides = [at(k) - at(-k) for k in (1, 2, 3)]
    wanted = (45.0 * sides[0] - 9.0 * sides[1] + sides[2]) / (60.0 * step)
    size = np.abs(wanted).max() + 1e-300
    # Where a knot lies between the points the difference is one of two pieces.
    off = np.abs(found.values - wanted) / size
    assert np.quantile(off, 0.95) < 2e-8
    assert off.max() < 2e-2 or "degree" in code or "cc" in code


@pytest.mark.parametrize("code", ["bs(x, df=5)", "bs(x, df=5, degree=2, include_intercept=True)"])
def test_splines_at_their_ends(code):
    data = {"x": np.linspace(0.0, 2.0, 101)}
    expression, state = learnt(code, data)
    found = derivative(expression, state, data, "x").values
    h = 1e-5
    for row, sign in ((0, 1.0), (100, -1.0)):
        points = {"x": data["x"][row] + sign * h * np.arange(4)}
        a, b, c, d = evaluate(expression, state, points)
        one_sided = sign * (-11.0 * a + 18.0 * b - 9.0 * c + 2.0 * d) / (6.0 * h)
        np.testing.assert_allclose(found[row], one_sided, atol=1e-6)


def test_what_is_missing_stays_missing():
    data = {"x": np.array([1.0, np.nan, 2.0, 3.0]), "z": np.array([1.0, 1.0, np.nan, 2.0])}
    for code in (
        "log(x) * z",
        "cr(x, df=3)",
        "bs(x, df=4)",
        "standardize(x) + z",
        "maximum(x, z)",
    ):
        expression, state = learnt(code, data)
        values = derivative(expression, state, data, "x").values
        assert np.isnan(values[1]).all()
        assert np.isfinite(values[[0, 3]]).all()


def softplus(x):
    return np.logaddexp(0.0, x)


def test_a_function_of_the_users_is_told_by_differences():
    expression = parse("z * softplus(log(x))", ["x", "z"], {"softplus": softplus})
    found = derivative(expression, None, {"x": X, "z": Z}, "x")
    assert not found.exact
    np.testing.assert_allclose(found.values, Z / (1.0 + X), rtol=1e-10)
    near = np.array([0.0, 1e-9, 1e6])
    expression = parse("f(x)", ["x"], {"f": lambda x: x**2})
    found = derivative(expression, None, {"x": near}, "x").values
    np.testing.assert_allclose(found, 2.0 * near, rtol=1e-9, atol=1e-6)
    other = derivative(parse("z + f(z)", ["x", "z"], {"f": softplus}), None, {"x": X, "z": Z}, "x")
    assert other.exact and not other.values.any()


def test_whole_numbers():
    found = derivative(parse("x ** 2", ["x"]), None, {"x": np.array([1, 2, 2**40])}, "x")
    np.testing.assert_array_equal(found.values, [2.0, 4.0, 2.0**41])


@pytest.mark.parametrize("code", ["g", "C(x)", "C(x, Sum)"])
def test_levels_have_no_derivative(code):
    data = {"x": X, "g": pd.Categorical(list("aabbc"))}
    with pytest.raises(gc.errors.DataError, match="levels"):
        derivative(parse(code, ["x", "g"]), None, data, "g" if code == "g" else "x")
