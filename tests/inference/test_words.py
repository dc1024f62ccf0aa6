"""Hypotheses in words, and tests whose rows are named by them."""

from __future__ import annotations

import numpy as np
import pytest

import glmcount as gc
from glmcount.inference.words import sentences, sums

NAMES = ("x1", "x2", "g[T.b]")


@pytest.mark.parametrize(
    ("row", "value", "text"),
    [
        ([1, 0, 0], 0.0, "x1 = 0"),
        ([0, 1, -1], 0.0, "x2 - g[T.b] = 0"),
        ([-1, 0, 2], -0.5, "-x1 + 2*g[T.b] = -0.5"),
        ([1 / 3, 0, 0], 1e-20, "0.333333*x1 = 1e-20"),
        ([0, 0, 0], 0.0, "0 = 0"),
        ([0, -2.5, 0], -0.0, "-2.5*x2 = 0"),
    ],
)
def test_a_row_reads_as_its_equation(row, value, text):
    assert sentences(np.array([row], dtype=float), np.array([value]), NAMES) == (text,)
    assert sums(np.array([row], dtype=float), NAMES) == (text.partition(" = ")[0],)


@pytest.fixture(scope="module")
def result():
    return gc.fit("art ~ fem + kid5 + ment", gc.datasets.load("biochemists"), family="negbin")


def test_rows_of_t_test_are_named_by_their_hypothesis(result):
    found = result.t_test("kid5 = 0, kid5 - ment = 0.1, alpha = 1")
    assert list(found.term) == ["kid5 = 0", "kid5 - ment = 0.1", "alpha = 1"]
    assert list(result.t_test(np.eye(5)[1:3]).term) == ["fem[T.Women] = 0", "kid5 = 0"]


def test_what_a_name_says_is_the_hypothesis(result):
    rows = np.array([[0.0, 2.0, -1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.25, 0.0]])
    found = result.t_test((rows, [0.0, 0.5]))
    again = result.t_test(", ".join(found.term))
    np.testing.assert_allclose(found.statistic, again.statistic, rtol=1e-12)


def test_a_matrix_is_told_in_words_and_text_as_it_was_written(result):
    joint = result.wald_test(np.eye(5)[1:3])
    assert joint.hypothesis == "fem[T.Women] = 0, kid5 = 0"
    assert str(joint).startswith("Wald test of fem[T.Women] = 0, kid5 = 0: chi2(2) = ")
    assert result.wald_test("kid5=0").hypothesis == "kid5=0"
    assert result.wald_test({"kid5": 0.1}).hypothesis == "kid5 = 0.1"


def test_ratios_are_exp_with_delta_errors_and_the_same_test(result):
    plain = result.t_test("kid5 = 0, ment - kid5 = 0")
    ratio = result.t_test("kid5 = 0, ment - kid5 = 0", exponentiate=True)
    np.testing.assert_allclose(ratio.estimate, np.exp(plain.estimate), rtol=1e-14)
    np.testing.assert_allclose(ratio.std_error, np.exp(plain.estimate) * plain.std_error)
    for end in ("conf_low", "conf_high"):
        np.testing.assert_allclose(ratio[end], np.exp(plain[end]), rtol=1e-14)
    for same in ("term", "statistic", "p_value"):
        assert list(ratio[same]) == list(plain[same])
    assert ratio.attrs["conf_level"] == plain.attrs["conf_level"] == 0.95


@pytest.mark.parametrize("hypothesis", ["alpha = 1", "kid5 - alpha = 0"])
def test_a_natural_scale_has_no_ratio(result, hypothesis):
    with pytest.raises(gc.errors.NotDefinedError) as caught:
        result.t_test(hypothesis, exponentiate=True)
    assert caught.value.kind == "no_rate_ratio"


def test_a_link_without_ratios_refuses_them():
    data = gc.datasets.load("biochemists")
    root = gc.fit("art ~ ment", data, link="sqrt")
    probit = gc.fit("art ~ ment", data, inflate="ment", zero="probit")
    for result, hypothesis in ((root, "ment = 0"), (probit, "inflate_ment = 0")):
        with pytest.raises(gc.errors.NotDefinedError, match="log or logit") as caught:
            result.t_test(hypothesis, exponentiate=True)
        assert caught.value.kind == "no_rate_ratio"
    logit = gc.fit("art ~ ment", data, inflate="ment")
    odds = logit.t_test("inflate_ment = 0", exponentiate=True).estimate[0]
    assert odds == pytest.approx(np.exp(logit.params["inflate_ment"]), rel=1e-14)
