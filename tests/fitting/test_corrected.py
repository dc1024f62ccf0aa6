"""Combinations of columns as exact as the rows: by whole numbers, and by polynomials' signs."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.engine.layout import linear
from glmcount.errors import GlmcountWarning
from glmcount.fitting.corrected import corrected
from glmcount.fitting.rank import Dependence
from glmcount.records import replace
from tests.made import run_of
from tests.test_one_file import in_parts


def table():
    """Whole numbers: u and v are near to each other, which give w in all levels but one."""
    rng = np.random.default_rng(4)
    x, z = rng.integers(-9, 10, 80), rng.integers(-9, 10, 80)
    g = np.resize(list("abc"), 80)
    u, v = 5_000 * x + z, 5_000 * x - z
    w = np.where(g == "c", 0, 3 * u - 2 * v)
    return pd.DataFrame({"y": rng.poisson(2.0, 80), "u": u, "v": v, "w": w, "g": g})


def told(run, stays, error=0.0):
    """The columns of the rows that stay, their Gram matrix, and the last of the others.

    By a combination with an error along the direction that the matrix hardly tells of.
    """

    def columns(strip):
        return [np.stack([linear(run.layout, strip, unit, 0) for unit in np.eye(run.layout.size)])]

    x = np.concatenate(run.rows.fold(columns, lambda a, b: a + b), axis=1) * stays
    own, last = x[:-1], x[-1]
    gram = x @ x.T
    scale = np.linalg.norm(own, axis=1)
    combination = np.zeros(len(x))
    combination[:-1] = np.linalg.lstsq(own.T, last, rcond=None)[0]
    weakest = np.linalg.eigh(gram[:-1, :-1] / np.outer(scale, scale))[1][:, 0] / scale
    combination[:-1] += error * weakest * np.linalg.norm(last)
    found = Dependence(len(x) - 1, combination, left_of(x, combination), False)
    return x, gram, found


def left_of(x, combination):
    return float(np.linalg.norm(x[-1] - combination @ x) / np.linalg.norm(x[-1]))


def counting(stays):
    return lambda strip: [stays[strip.first : strip.first + strip.n]]


@pytest.mark.parametrize("formula", ["y ~ u + v + w", "y ~ g + g:u + g:v + w"])
@pytest.mark.parametrize("rows", [80, 33])
def test_an_error_of_the_squares_is_taken_out_by_the_rows(formula, rows):
    data = table()
    run = run_of(formula, in_parts(data, rows))
    stays = np.ones(80) if "g" in formula else np.where(data["g"] == "c", 0.0, 1.0)
    x, gram, found = told(run, stays, 1e-7)
    assert found.residual > 2e-11
    (better,) = corrected(run.rows, run.layout, gram, (found,), counting(stays))
    assert better.exact and better.residual < 1e-14
    assert better.residual == pytest.approx(left_of(x, better.combination), abs=1e-15)
    exact = [3.0, -2.0] if "g" not in formula else [3.0, 3.0, 0.0, -2.0, -2.0, 0.0]
    assert better.combination[-1 - len(exact) : -1] == pytest.approx(exact, abs=1e-10)


def test_what_is_no_combination_keeps_what_it_leaves():
    data = table()
    data["w"] = data["w"] + 1e-3 * np.random.default_rng(0).normal(size=80)
    run = run_of("y ~ u + v + w", data)
    stays = np.where(data["g"] == "c", 0.0, 1.0)
    _, gram, found = told(run, stays)
    assert 1e-9 < found.residual < 1e-7
    (same,) = corrected(run.rows, run.layout, gram, (found,), counting(stays))
    assert not same.exact and same.residual == pytest.approx(found.residual, rel=1e-6)


def test_what_is_exact_costs_no_look_at_the_rows(monkeypatch):
    run = run_of("y ~ u + v + w", table())
    _, gram, found = told(run, np.ones(80))
    fine = replace(found, residual=0.0)
    monkeypatch.setattr(run.rows, "fold", None)
    assert corrected(run.rows, run.layout, gram, (fine,), counting(np.ones(80))) == (fine,)


@pytest.mark.parametrize("degree", [3, 4, 5, 6, 7])
@pytest.mark.parametrize("rows", [20, 4])
def test_separation_by_a_polynomial_is_told_by_the_signs_of_its_roots(degree, rows):
    """A polynomial of that degree is zero at so many counts above zero, its roots.

    It is the only one, and has one sign beyond its largest root, the other before it.
    """
    formula = "y ~ " + " + ".join(f"x{k}" for k in range(1, degree + 1))
    for seed in range(12):
        rng = np.random.default_rng(seed)
        roots = (np.arange(degree) + rng.uniform(0.1, 0.9, degree)) / degree
        beyond = 1.0 + rng.uniform(0.02, 0.2, 2)
        between = np.array([beyond[0], 0.5 * (roots[-1] + roots[-2])])
        for zeros, where in ((beyond, (degree, degree + 1)), (between, None)):
            x = np.concatenate([roots, zeros])
            data = pd.DataFrame({f"x{k}": x**k for k in range(1, degree + 1)})
            data["y"] = np.concatenate([rng.integers(1, 6, degree), [0, 0]])
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", GlmcountWarning)
                r = gc.fit(formula, in_parts(data, rows))
            assert not r.aliased
            assert (r.separation and r.separation.where) == where, seed
