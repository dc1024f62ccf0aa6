"""The likelihood ratio of a summary: its degrees of freedom, and where there is none."""

from __future__ import annotations

import re

import numpy as np
import pytest

import glmcount as gc
from tests.made import counts

DATA = counts(150, 11)


def line(result):
    """Degrees of freedom and value, as the summary prints them; None where it prints none."""
    text = str(result.summary())
    assert max(map(len, text.splitlines())) <= 79
    found = re.search(r"LR chi2\((\d+)\) +(\d+\.\d\d), p (<?\d\.\d{3})", text)
    return None if found is None else (int(found[1]), float(found[2]), found[3])


def test_long_s_biochemists():
    # Stata's nbreg: LR chi2(5) = 97.96, Prob > chi2 = 0.0000.
    data = gc.datasets.load("biochemists")
    r = gc.fit("art ~ fem + mar + kid5 + phd + ment", data, family="negbin")
    assert line(r) == (5, 97.96, "<0.001")


@pytest.mark.parametrize(
    ("options", "df"),
    [
        ({}, 4),
        ({"family": "negbin"}, 4),
        ({"hurdle": "x"}, 5),
        ({"hurdle": "x + z", "family": "negbin1"}, 6),
        ({"family": "negbin", "dispersion": "z"}, 5),
        ({"link": "sqrt"}, 4),
    ],
)
def test_every_column_beyond_constants_counts(options, df):
    r = gc.fit("y ~ x + z + g", DATA, **options)
    found = line(r)
    assert found[0] == df == r.llr_df
    assert found[1] == round(2.0 * (r.llf - r.llnull), 2)


def test_aliased_columns_do_not_count():
    with pytest.warns(gc.errors.DroppedColumnWarning):
        r = gc.fit("y ~ x + I(2 * x)", DATA)
    assert line(r)[0] == 1


def test_where_there_is_none():
    weights = {"weights": "w", "weights_type": "probability"}
    assert line(gc.fit("y ~ 1", DATA)) is None
    assert line(gc.fit("y ~ x", DATA, cov="HC1")) is None
    assert line(gc.fit("y ~ x", DATA, **weights)) is None
    assert line(gc.fit("y ~ x", DATA, family="quasipoisson")) is None
    assert line(gc.fit("y ~ x", DATA, cov="opg")) is not None


def test_without_a_constant_every_column_counts():
    assert line(gc.fit("y ~ 0 + x + z", DATA))[0] == 2
    X = np.column_stack([np.ones(150), DATA["x"]])
    assert line(gc.fit_arrays(DATA["y"], X))[0] == 1
