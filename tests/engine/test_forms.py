"""Quadratic forms by row against the design written out."""

from __future__ import annotations

import numpy as np
import pytest

from glmcount.engine import forms
from glmcount.engine.forms import quadratic
from tests.engine.test_tables import drawn


@pytest.mark.parametrize("n", [1, 500])
def test_forms_are_those_of_the_design_written_out(n, monkeypatch):
    monkeypatch.setattr(forms, "FORM_ROWS", 64)
    layout, strip, design, rng = drawn(n)
    matrix = rng.normal(size=(layout.size, layout.size))
    matrix = matrix + matrix.T
    factors = rng.normal(size=n), rng.normal(size=n)
    for chosen in (factors, (1.0, None), (None, factors[1]), (factors[0], 1.0)):
        wide = np.zeros_like(design)
        for own, factor in zip(layout.slices, chosen, strict=True):
            if factor is not None:
                wide[:, own] = design[:, own] * np.reshape(factor, (-1, 1))
        expected = np.einsum("ni,ij,nj->n", wide, matrix, wide)
        found = quadratic(layout, strip, matrix, chosen)
        np.testing.assert_allclose(found, expected, rtol=0, atol=1e-10 * np.abs(expected).max())


def test_of_no_equation_it_is_zero():
    layout, strip, _, _ = drawn(5)
    assert quadratic(layout, strip, np.eye(layout.size), (None, None)).tolist() == [0.0] * 5
