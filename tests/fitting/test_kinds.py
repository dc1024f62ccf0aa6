"""A start from the means of the kinds of rows: exact where they are all there is to fit."""

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.engine.layout import linear
from glmcount.fitting import start
from glmcount.fitting.kinds import Kinds


def rows(n=240):
    rng = np.random.default_rng(17)
    out = pd.DataFrame(
        {
            "g": rng.choice(list("abc"), n),
            "h": rng.choice(list("uv"), n),
            "k": rng.integers(0, 3, n),
            "x": rng.normal(size=n),
            "t": rng.uniform(0.5, 3.0, n),
            "w": rng.integers(1, 4, n),
        }
    )
    out["y"] = rng.poisson(np.exp(0.8 + 0.4 * (out.g == "b") - 0.5 * (out.h == "v")) * out.t)
    return out


ROWS = rows()


def kinds_of(result) -> Kinds | None:
    """What the fit's small problem knows of its kinds of rows."""
    state = result._state
    return state.encoder.tables[id(state.fit.layout)].memo.get("kinds")


def without(monkeypatch):
    monkeypatch.setattr(start, "kinds_of", lambda *known: None)


@pytest.mark.parametrize("formula", ["y ~ g * h", "y ~ 0 + g:h", "y ~ g * C(h, Sum)"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weights": "w"},
        {"exposure": "t", "weights": "w"},
        {"link": "sqrt"},
        {"link": "identity"},
        {"family": gc.families.negbin(alpha=0.5)},
    ],
)
def test_where_every_kind_has_a_parameter_the_start_is_the_maximum(formula, options):
    result = gc.fit(formula, ROWS, **options)
    assert len(result.history) == 1
    w = ROWS.w if "weights" in options else 1.0
    t = ROWS.t if "exposure" in options else 1.0
    cells = pd.DataFrame({"count": w * ROWS.y, "size": w * t, "g": ROWS.g, "h": ROWS.h})
    sums = cells.groupby(["g", "h"])[["count", "size"]].sum()
    expected = (sums["count"] / sums["size"]).loc[list(zip(ROWS.g, ROWS.h, strict=True))]
    np.testing.assert_allclose(result.fittedvalues, expected.to_numpy() * t, rtol=1e-13)


@pytest.mark.parametrize("formula", ["y ~ g + h", "y ~ g + k", "y ~ 0 + g + h + k"])
@pytest.mark.parametrize("options", [{}, {"exposure": "t"}, {"link": "sqrt", "weights": "w"}])
def test_with_more_kinds_the_start_is_near_and_the_fit_the_same(formula, options, monkeypatch):
    begun = gc.fit(formula, ROWS, **options)
    assert kinds_of(begun) is not None
    without(monkeypatch)
    plain = gc.fit(formula, ROWS, **options)
    assert kinds_of(plain) is None
    assert begun.history[0].decrement < 0.5 * plain.history[0].decrement
    gap = np.abs(begun.params - plain.params)
    assert (gap <= 1e-10 * begun.bse).all()
    np.testing.assert_allclose(begun.bse, plain.bse, rtol=1e-10)


@pytest.mark.parametrize(
    ("formula", "options"),
    [
        ("y ~ g + x", {}),
        ("y ~ k + t", {}),
        ("y ~ bs(x, df=4)", {}),
        ("y ~ g", {"link": "sqrt", "offset": "t"}),
        ("y ~ g", {"family": "genpoisson"}),
        ("y ~ g", {"family": gc.families.resolve("negbin").with_(collapse="eta")}),
    ],
)
def test_other_problems_have_no_such_kinds(formula, options):
    assert kinds_of(gc.fit(formula, ROWS, **options)) is None


def test_a_kind_without_counts_leaves_the_start_to_the_others():
    zero = ROWS.assign(y=ROWS.y.where(ROWS.g != "c", 0))
    with pytest.warns(gc.errors.SeparationWarning):
        result = gc.fit("y ~ g", zero)
    assert kinds_of(result) is not None
    assert result.params["g[T.c]"] < -10.0


def test_means_outside_a_links_domain_are_not_begun_from():
    """A straight line through the means of the kinds that is negative at its end."""
    g = np.repeat([0, 2, 3], 12)
    y = np.select([g == 0, g == 2], [60, 12], 1)
    result = gc.fit("y ~ g", {"y": y, "g": g}, link="identity")
    kinds, state = kinds_of(result), result._state
    assert kinds is not None
    begun = kinds.start(np.asarray(y, dtype=float), state.family)
    assert linear(state.fit.layout, state.encoder.strips[0], begun, 0).min() < 0
    assert result.converged
    assert result.fittedvalues.min() > 0


def test_a_refit_with_other_counts_begins_from_their_own_means():
    fit = gc.fit("y ~ g * h", ROWS)
    drawn = ROWS.y.sample(frac=1.0, random_state=3).to_numpy()
    again, anew = fit.refit(y=drawn), gc.fit("y ~ g * h", ROWS.assign(y=drawn))
    assert kinds_of(again) is kinds_of(fit)
    pd.testing.assert_series_equal(again.params, anew.params, rtol=0, atol=0)
    pd.testing.assert_series_equal(again.bse, anew.bse, rtol=0, atol=0)
