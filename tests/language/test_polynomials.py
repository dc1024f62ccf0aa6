"""Orthonormal polynomials: exactly orthogonal, of rising degree, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glmcount.errors import FormulaError, FormulaTooComplexError
from glmcount.language.polynomials import MANY, orthonormal

SCORES = st.lists(st.integers(-30, 30), min_size=1, max_size=9, unique=True)


@settings(deadline=None)
@given(SCORES | st.integers(1, 60))
def test_columns_are_orthonormal_polynomials_that_rise_at_the_end(scores):
    count = scores if isinstance(scores, int) else len(scores)
    found = orthonormal(count, None if isinstance(scores, int) else scores)
    np.testing.assert_allclose(found.T @ found, np.eye(count), rtol=0, atol=1e-12)
    at = np.arange(count, dtype=float) if isinstance(scores, int) else np.array(scores, float)
    assert (found[np.argmax(at)] > 0).all()
    # Of degree k: orthogonal to what is, on a usual scale, any power below.
    scaled = (at - at.mean()) / max(np.ptp(at), 1.0)
    for degree in range(1, min(count, 6)):
        left = scaled[:, None] ** np.arange(degree)
        np.testing.assert_allclose(found[:, degree] @ left, 0.0, atol=1e-11)


def test_scores_that_are_equal_or_too_many():
    with pytest.raises(FormulaError, match="differ from level to level") as caught:
        orthonormal(3, [1.0, 1.0, 2.0])
    assert caught.value.kind == "contrast_size"
    with pytest.raises(FormulaTooComplexError, match="at most 1,000 levels"):
        orthonormal(MANY + 1, np.arange(MANY + 1.0))
