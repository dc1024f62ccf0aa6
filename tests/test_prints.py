"""What a user prints reads in a terminal and in a notebook: no arrays, functions or addresses."""

from __future__ import annotations

import html.parser
import re
import warnings

import numpy as np
import pandas as pd
import pytest

import glmcount as gc

RNG = np.random.default_rng(5)
N = 200
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "a<b": RNG.normal(size=N),
        "g": RNG.choice(list("abc"), N),
        "c": RNG.integers(0, 60, N),
    }
)
DATA["y"] = RNG.poisson(np.exp(0.3 + 0.3 * DATA.x))


def made():
    """One of everything that is printed, by name."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        r = gc.fit("y ~ x + g", DATA)
        small = gc.fit("y ~ 1", DATA)
        apart = gc.fit("y ~ d", {"y": [1, 2, 3, 0, 0], "d": [0, 0, 0, 1, 1]})
        drawn = r.with_cov(gc.bootstrap(49, rng=1))
        return {
            "result": r,
            "summary": r.summary(),
            "prediction": r.get_prediction(),
            "one prediction": r.get_prediction({"x": 1, "g": "a"}),
            "probabilities": r.get_prediction(which="prob", at=[0, 1]),
            "wald_test": r.wald_test("x = 0"),
            "wald_test of a matrix": r.wald_test(np.eye(4)[1:]),
            "wald_test, draws": drawn.wald_test("x = 0"),
            "score_test": r.score_test("Q('a<b')"),
            "score_bootstrap": r.score_bootstrap("x = 0", "c", reps=99, rng=1),
            "lr_test": gc.lr_test(small, r),
            "vuong_test": gc.vuong_test(gc.fit("y ~ x", DATA), gc.fit("y ~ g", DATA)),
            "test_dispersion": r.test_dispersion(),
            "equivalence": r.equivalence("x", -0.5, 0.5),
            "power": gc.power(small, "Intercept = 0", reps=20, rng=1),
            "separation": apart.separation,
            "certificate": r.certificate,
            "certificate at infinity": apart.certificate,
            "certificate of a mixture": gc.fit("y ~ x", DATA, inflate="1").certificate,
            "influence": r.get_influence(),
            "pooled": gc.pool([r, r.refit(y=DATA.y + DATA.c % 2)]),
            "model": r.model,
            "cluster": gc.cluster("c"),
            "cluster by an array": gc.cluster(DATA.c.to_numpy()),
            "two-way cluster": gc.cluster(["c", "g"], kind="CR0", df="t", psd=True),
            "hac": gc.hac("c", lags=2, adjust=True),
            "hac by order": gc.hac("order", panel="g", lags=1),
            "driscoll_kraay": gc.driscoll_kraay("c"),
            "jackknife": gc.jackknife("c"),
            "bootstrap": gc.bootstrap(99, rng=1),
            "family": gc.families.poisson,
        }


MADE = made()
WITHOUT_HTML = {"family"}


@pytest.mark.parametrize("name", MADE)
def test_it_reads_in_a_terminal(name):
    text = repr(MADE[name])
    assert text == str(MADE[name])
    for word in ("array(", "np.", "<function", " at 0x", "dtype", "Series", "<lambda>"):
        assert word not in text
    assert not re.search(r"\w+\(\w+=", text), "a constructor"
    assert max(map(len, text.splitlines())) <= 200


class Reader(html.parser.HTMLParser):
    """Whether tags close in their order, and the text between them."""

    def __init__(self):
        super().__init__()
        self.open, self.text = [], []

    def handle_starttag(self, tag, attrs):
        if tag not in ("br", "hr"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("name", [name for name in MADE if name not in WITHOUT_HTML])
def test_it_reads_in_a_notebook(name):
    reader = Reader()
    reader.feed(MADE[name]._repr_html_())
    assert reader.open == []
    text = " ".join(reader.text)
    for word in ("array(", "<function", " at 0x"):
        assert word not in text


def test_what_they_say():
    assert str(MADE["separation"]).splitlines() == [
        "Separation: 2 rows are without doubt, of 5",
        "  rows (counted from 0)  3, 4",
        "  coefficients           d -> -inf",
    ]
    certificate = str(MADE["certificate"])
    assert "proven: the log-likelihood is concave" in certificate
    assert "rho" in certificate and "decrement" in certificate
    assert "r.separation" in str(MADE["certificate at infinity"])
    assert "200 predictions" in str(MADE["prediction"]) and "..." in str(MADE["prediction"])
    frame = MADE["one prediction"].summary_frame()
    assert frame.to_string() in str(MADE["one prediction"])
    influence = MADE["influence"]
    assert str(influence.cooks_distance[0].idxmax()) == str(influence).splitlines()[2].split()[0]
    assert re.search(r"clusters +c, g\n.*kind +CR0\n.*freedom +t", str(MADE["two-way cluster"]))
    assert "an array" in str(MADE["cluster by an array"])
    assert "&lt;b" in MADE["score_test"]._repr_html_()
    assert re.search(r"draws +99", str(MADE["bootstrap"]))
    assert "4 parameters" not in str(MADE["model"]) and "Intercept, x" in str(MADE["model"])


def test_a_fit_without_an_end_has_a_certificate_that_says_so():
    with pytest.warns(gc.errors.ConvergenceWarning, match=r"r\.certificate"):
        r = gc.fit("y ~ x", DATA, control=gc.Control(maxiter=1))
    assert "not reached" in str(r.certificate)


def test_quotes_in_latex_open_and_close():
    r = gc.fit("y ~ C(g, Treatment('b')) + x", DATA)
    text = r.summary().as_latex()
    assert "Treatment(`b')" in text
    assert '"' not in text
    wide = gc.fit("y ~ x", DATA.assign(y=DATA.y**3)).summary()
    assert 'family="negbin"' in wide.as_text()
    assert "family=``negbin''" in wide.as_latex()
