"""Each mistake of the table is answered by what it says, and what the answer says to write runs."""

from __future__ import annotations

import re
import warnings
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
import statsmodels.formula.api as smf
from scipy.interpolate import CubicSpline

import glmcount as gc
from glmcount.cli import main
from glmcount.errors import GlmcountError, alike
from glmcount.families import base
from glmcount.spellings import formulas, members, models, options
from tests.mistakes import FLAGS, MISTAKES, WARNED

CASES = [(group, each) for group, table in MISTAKES.items() for each in table]
# What no message holds: names of types and of modules, and what Python says of its own syntax.
NEVER = (
    "np.float", "np.int", "np.str", "np.bool", "dtype", "patsy", "Patsy", "NoneType", "ndarray",
    "object at 0x", "<class", "<function", "BitXor", " ast.", "kwargs", "positional", "Q('<",
    "keyword argument", "invalid syntax", "tokeniz", "noun", "Columns: .",
)  # fmt: skip


@cache
def world():
    """Data and results that the lines of the table speak of."""
    rng = np.random.default_rng(7)
    n = 120
    d = pd.DataFrame(
        {
            "x": rng.normal(size=n).round(2),
            "z": rng.uniform(0.5, 3.0, n).round(2),
            "g": rng.choice(list("abc"), n),
            "id": np.repeat(np.arange(24), 5),
            "k": rng.integers(1, 4, n),
            "days": rng.integers(10, 100, n),
            "pop": rng.integers(2_000_000, 9_000_000, n),
            "w": rng.integers(1, 4, n),
        }
    )
    d["time"] = np.arange(n)
    d["y"] = rng.poisson(np.exp(0.5 + 0.3 * d.x))
    d["y2"] = rng.negative_binomial(2, 0.4, n)
    d["income"], d["größe"], d["flag"] = d.z, d.x, d.x > 0
    d["group"] = pd.cut(d.x, 3)
    for name in ("my col", "x.1", "lambda", "a-b", "2019", "1stvisit", "cost ($)", "inf"):
        d[name] = d.x
    d["x.1"] = d.z
    d["class"], d["text"] = d.g, d.y.astype(str)
    d["when"] = pd.date_range("2020-01-01", periods=n)
    d["hole"], d["hole2"] = d.x.where(d.x > -1.0), np.nan
    d["yneg"], d["yfrac"] = d.y - 3, d.y + 0.5
    d["nothing"] = np.where(np.arange(n) == 5, 0, d.days)
    d["neg"] = np.where(np.arange(n) == 5, -1.0, d.w)
    d["succ"] = rng.binomial(10, 0.5, n)
    d["fail"] = 10 - d.succ
    return {
        "d": d, "gc": gc, "glmcount": gc, "np": np, "pd": pd, "sm": sm, "smf": smf, "Path": Path,
        "data": d,
        "r": gc.fit("y ~ x + g", d),
        "rk": gc.fit("y ~ x + C(k)", d),
        "rt": gc.fit("y ~ x + C(k)", d.assign(k=d.k.astype(str))),
        "ro": gc.fit("y ~ x", d, exposure="days"),
        "nb": gc.fit("y2 ~ x", d, family="negbin"),
        "zi": gc.fit("y2 ~ x", d, inflate="x"),
        "rq": gc.fit("y ~ Q('my col') + Q('x.1')", d),
    }  # fmt: skip


def run(line):
    return eval(line, dict(world()))  # noqa: S307


def answer(line):
    """What a line is answered."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises((GlmcountError, TypeError)) as caught:
            run(line)
    return caught.value


def frames(error):
    entry = error.__traceback__
    while entry is not None:
        yield entry.tb_frame.f_globals.get("__name__", "")
        entry = entry.tb_next


def test_the_table_has_two_hundred_mistakes_and_none_twice():
    wrote = [each.wrote for _, each in CASES]
    assert len(set(wrote)) == len(wrote) >= 200


@pytest.mark.parametrize(("group", "mistake"), CASES, ids=[each.wrote for _, each in CASES])
def test_a_mistake_is_answered(group, mistake):
    error = answer(mistake.wrote)
    message = str(error)
    for word in mistake.words:
        assert word in message, message
    for word in (*NEVER, *mistake.never):
        assert word not in message, message
    assert len(message) < 700
    if isinstance(error, GlmcountError):
        assert not any(name.startswith("glmcount") for name in frames(error))
    if mistake.then:
        assert any(word.strip("'") in mistake.then for word in mistake.words), mistake.then
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", gc.errors.DesignWarning)
            result = run(mistake.then)
            if isinstance(result, gc.Results):
                result.summary()


@pytest.mark.parametrize(("line", "words"), WARNED)
def test_what_is_allowed_and_hardly_meant_is_warned_of(line, words):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run(line)
    told = " | ".join(str(each.message) for each in caught)
    for word in words:
        assert word in told


@pytest.mark.parametrize(("arguments", "words"), FLAGS)
def test_the_command_line_answers(capsys, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    frame = world()["d"][["y", "x", "g"]]
    frame.to_csv("d.csv", index=False)
    frame.to_csv("semicolons.csv", index=False, sep=";")
    frame.to_csv("tabs.csv", index=False, sep="\t")
    frame.assign(y=[f"{each},0" for each in frame.y]).to_csv("comma.csv", index=False)
    assert main(arguments) in (1, 2)
    told = capsys.readouterr().err
    for word in words:
        assert word in told
    assert len(told.splitlines()) <= 4
    for word in NEVER:
        assert word not in told


@pytest.mark.parametrize(
    "table",
    [
        formulas.FUNCTIONS, formulas.CONTRASTS, formulas.SETTINGS, formulas.NAMES,
        models.FAMILIES, models.LINKS, models.COVARIANCES,
        options.OPTIONS, options.ARGUMENTS, options.FLAGS, options.PLACED,
        *options.VALUES.values(), *options.OF.values(),
        *members.MODULES.values(), *members.MEMBERS.values(),
    ],
    ids=lambda table: next(iter(table))[:20],
)  # fmt: skip
def test_a_spelling_has_one_answer(table):
    found = {}
    for keys in table:
        for spelling in keys.split():
            assert found.setdefault(alike(spelling), keys) == keys, spelling


def test_families_are_known_where_a_call_has_them_in_the_wrong_place():
    assert set(models.OURS) == set(base.families)


def test_what_is_ours_has_no_answer():
    """A name that is right is not told to be another's."""
    ours = {alike(name) for name in gc.request.OPTIONS}
    for keys in options.OPTIONS:
        assert not ours & set(map(alike, keys.split()))
    result = {alike(name) for name in dir(gc.Results) if not name.startswith("_")}
    exact = {"confint", "fitted_values", "n_obs", "p_values"}
    for keys in members.MEMBERS["Results"]:
        same = {each for each in keys.split() if alike(each) in result}
        assert same <= exact, same


def test_messages_of_every_kind_are_in_plain_words():
    """The page of troubles has a message of each kind of error and warning, as it is printed."""
    page = (Path(__file__).parents[1] / "docs/start/troubleshooting.md").read_text("utf-8")
    blocks = re.findall(r"```text\n(.*?)```", page, flags=re.S)
    assert len(blocks) > 200
    for block in blocks:
        for word in NEVER:
            assert word not in block, block
        assert not re.search(r"\b1 (row|value|column|coefficient|draw|level|cluster)s\b", block)


def test_natural_splines_are_those_of_r():
    """What is said of ns(x, 3): the same curves, with knots at the same quantiles."""
    x = np.sort(np.random.default_rng(3).normal(size=200))
    data = {"y": np.random.default_rng(4).poisson(2.0, 200), "x": x}
    told = re.search(r"cr\(.*?'\)", str(answer("gc.fit('y ~ ns(x, 3)', d)")))[0]
    ours = np.asarray(gc.fit(f"y ~ {told}", data).design_matrix())
    knots = np.quantile(x, [0.0, 1 / 3, 2 / 3, 1.0])
    curves = [CubicSpline(knots, unit, bc_type="natural")(x) for unit in np.eye(4)]
    basis, _ = np.linalg.qr(np.column_stack(curves))
    assert ours.shape == (200, 4)
    np.testing.assert_allclose(basis @ (basis.T @ ours), ours, atol=1e-12)


FIT_TABLES = [
    options.OPTIONS, models.FAMILIES, models.LINKS, models.COVARIANCES,
    *(options.VALUES[name] for name in ("missing", "weights_type", "separation", "information")),
]  # fmt: skip


def test_options_in_answers_are_accepted():
    """``name='value'`` in an answer is an option with a value that a request takes."""
    found = set()
    for text in (text for table in FIT_TABLES for text in table.values()):
        plain = re.sub(r"\{0\|([^}]*)\}", r"\1", text)
        found |= set(re.findall(r"(?<![\w.(])(\w+)='([\w+ .]+)'", plain))
    given = {(name, value) for name, value in found if name in gc.request.OPTIONS}
    assert {name for name, _ in given} >= {"family", "cov", "link", "inflate", "weights_type"}
    for name, value in sorted(given):
        gc.request.Request(**{name: value})


def test_calls_in_answers_run():
    """``glmcount.f(...)`` in an answer is a call that runs, dots filled in."""
    calls = set()
    for text in (text for table in FIT_TABLES for text in table.values()):
        plain = re.sub(r"\{0\|([^}]*)\}", r"\1", text)
        calls |= set(re.findall(r"glmcount\.(?:families\.)?(?:\w+)\((?:[^()]*)\)", plain))
    assert len(calls) > 12
    for call in sorted(calls):
        if call.startswith("glmcount.fit"):
            continue
        run(call.replace("=...", "=3"))


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("kind", "r.contrasts('g', kind={})"),
        ("adjust", "r.contrasts('g', adjust={})"),
        ("test", "r.anova(test={})"),
        ("which", "zi.predict(d, which={})"),
        ("df", "gc.cluster('id', df={})"),
        ("like", "gc.cluster('id', like={})"),
        ("comparison", "r.comparisons('x', comparison={})"),
        ("slope", "r.slopes('x', slope={})"),
        ("zero", "gc.fit('y2 ~ x', d, hurdle='x', zero={})"),
    ],
)
def test_values_in_answers_are_accepted(name, call):
    values = set()
    for text in options.VALUES[name].values():
        values |= set(re.findall(rf"{name}=('[\w-]+'(?:, at=[\d.]+|, at=\[[\d, ]+\])?)", text))
    assert values
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        for value in values:
            run(call.format(value))


def test_code_in_answers_about_results_names_what_there_is():
    """``r.something`` in any answer is an attribute of a result."""
    tables = [options.OPTIONS, options.ARGUMENTS, *members.MODULES.values()]
    tables += members.MEMBERS.values()
    tables += [*options.OF.values(), *options.VALUES.values()]
    texts = [text for table in tables for text in table.values()]
    asked = {name for text in texts for name in re.findall(r"\br\.(\w+)", text)}
    assert len(asked) > 20
    assert [name for name in sorted(asked) if not hasattr(gc.Results, name)] == []
    named = {name for text in texts for name in re.findall(r"\bglmcount\.(\w+)", text)}
    assert [name for name in sorted(named) if not hasattr(gc, name)] == []
