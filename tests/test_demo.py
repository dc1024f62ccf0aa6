"""The demonstration agrees with what is published, and says so where it does not."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from glmcount import cli, demo


@pytest.fixture(scope="module")
def lines():
    written = []
    agrees = demo.run(written.append)
    return agrees, "\n".join(written).splitlines()


def test_every_printed_digit_is_met(lines):
    agrees, text = lines
    assert agrees
    assert text[-1] == "published 44 figures, here the same 44: equal to every printed digit"


def test_two_summaries_stand_above_the_comparison(lines):
    titles = [line.strip() for line in lines[1] if "regression" in line]
    assert len(titles) >= 2
    assert titles[0].startswith("Poisson")
    assert titles[1].lower().startswith("negative binomial")


def made(published, **changes):
    """A result that is what is published, to the last of the digits printed."""
    figures = {name: float(printed[-1]) for name, printed in published.figures}
    params = {term: float(coef) for term, coef, _ in published.terms}
    params["alpha"] = 1 / figures.get("theta", 1.0)
    values = {
        "params": params,
        "bse": {term: float(error) for term, _, error in published.terms},
        "llf": figures["log-likelihood"],
        "aic": figures["AIC"],
        "bic": figures["BIC"],
        "deviance": figures.get("deviance"),
        "null_deviance": figures.get("null deviance"),
    }
    return SimpleNamespace(**{**values, **changes})


@pytest.mark.parametrize("published", [demo.POISSON, demo.NEGBIN])
def test_published_figures_agree_with_themselves(published):
    assert demo.differences(published, made(published)) == []


def test_one_wrong_digit_is_found_and_named():
    assert demo.differences(demo.POISSON, made(demo.POISSON, bic=36010.46)) == [
        "Poisson, BIC: published 36010.4, here 36010.46"
    ]
    wrong = replace(demo.NEGBIN, terms=(("Intercept", "0.929", "0.056"),))
    assert demo.differences(wrong, made(demo.NEGBIN)) == [
        "Negative binomial, standard error of Intercept: published 0.056, here 0.055"
    ]


def test_disagreement_is_written_and_ends_with_1(monkeypatch, capsys):
    wrong = replace(demo.POISSON, figures=(("AIC", ("35958",)),))
    monkeypatch.setattr(demo, "POISSON", wrong)
    assert cli.main(["demo"]) == 1
    text = capsys.readouterr().out.splitlines()
    assert text[-2].startswith("Poisson, AIC: published 35958, here 35959.2")
    assert text[-1] == "published 38 figures, here 1 differ"


def test_agreement_ends_with_0(monkeypatch):
    monkeypatch.setattr(demo, "run", lambda: True)
    assert cli.main(["demo"]) == 0
