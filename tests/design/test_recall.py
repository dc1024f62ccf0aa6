"""A kept plan is a plan made anew: nothing of one fit reaches another."""

import gc as collector
import threading
import weakref

import numpy as np
import pandas as pd
import pytest

import glmcount as gc
from glmcount.design import recall as plans


def forget():
    plans._model.cache_clear()
    plans._part.cache_clear()
    plans._parts.held.clear()
    plans._layouts.held.clear()


@pytest.fixture(autouse=True)
def empty():
    forget()


def frame(**columns):
    rng = np.random.default_rng(3)
    return pd.DataFrame({"y": rng.poisson(3.0, 60), "x": rng.normal(2.0, 1.0, 60), **columns})


def anew(formula, data, **options):
    forget()
    return gc.fit(formula, data, **options)


FACTORS = [
    ["a", "b", "c"],
    ["b", "c", "d"],
    ["a", "b"],
    [True, False],
    [1, 0],
    [1.0, 0.0],
    pd.Categorical(["c", "a", "b"], categories=["c", "b", "a"]),
    [1, 2, 3],
]


@pytest.mark.parametrize("formula", ["y ~ C(g) * x", "y ~ 0 + C(g)", "y ~ C(g, Sum)"])
def test_the_same_formula_over_other_levels_and_types(formula):
    data = [frame(g=pd.Series(list(levels) * 60)[:60]) for levels in FACTORS]
    kept = [gc.fit(formula, each) for each in (*data, *data)]
    for each, found in zip((*data, *data), kept, strict=True):
        direct = anew(formula, each)
        pd.testing.assert_series_equal(found.params, direct.params, check_exact=True)
        assert found.llf == direct.llf


def test_a_column_that_turns_from_number_to_factor():
    numbers = frame(g=np.tile([1.0, 2.0, 3.0], 20))
    texts = numbers.assign(g=numbers.g.astype(str))
    assert list(gc.fit("y ~ g", numbers).params.index) == ["Intercept", "g"]
    assert len(gc.fit("y ~ g", texts).params) == 3
    assert list(gc.fit("y ~ g", numbers).params.index) == ["Intercept", "g"]


def test_codings_are_told_apart():
    data = frame(g=np.tile(["a", "b", "c"], 20))
    for coding in ("Treatment('b')", "Treatment('c')", "Sum", "Treatment('b')", "Poly", "Helmert"):
        formula = f"y ~ C(g, {coding})"
        found = gc.fit(formula, data).params
        pd.testing.assert_series_equal(found, anew(formula, data).params, check_exact=True)
    one = gc.fit("y ~ C(g, [[1, 0], [0, 1], [0, 0]])", data).params
    other = gc.fit("y ~ C(g, [[0, 0], [1, 0], [0, 1]])", data).params
    assert one.iloc[0] != other.iloc[0]


def test_what_a_transform_learns_is_of_its_own_data():
    near, far = frame(), frame()
    far["x"] += 100.0
    first = gc.fit("y ~ center(x)", near)
    second = gc.fit("y ~ center(x)", far)
    new = pd.DataFrame({"x": [2.0, 102.0]})
    assert first.predict(new)[0] == pytest.approx(second.predict(new)[1], rel=1e-12)
    assert first.predict(new)[0] != pytest.approx(second.predict(new)[0], rel=1e-3)


def test_the_columns_there_are_belong_to_the_key():
    data = frame(C=np.linspace(0, 1, 60))
    gc.fit("y ~ C", data)
    with pytest.raises(gc.errors.GlmcountError):
        gc.fit("y ~ C", frame())


def test_functions_of_the_user_are_not_kept():
    data = frame()
    one = gc.fit("y ~ f(x)", data, env={"f": lambda x: x})
    two = gc.fit("y ~ f(x)", data, env={"f": lambda x: 2.0 * x})
    assert one.params.iloc[1] == pytest.approx(2.0 * two.params.iloc[1], rel=1e-10)

    class Held:
        def __call__(self, x):
            return x

    function = Held()
    gone = weakref.ref(function)
    gc.fit("y ~ f(x)", data, env={"f": function})
    del function
    collector.collect()
    assert gone() is None


def test_no_data_are_kept():
    class Marked(np.ndarray):
        pass

    x = np.linspace(0.0, 1.0, 60).view(Marked)
    gone = weakref.ref(x)
    gc.fit("y ~ center(x) + C(g)", {"y": np.arange(60), "x": x, "g": ["a", "b"] * 30})
    del x
    collector.collect()
    assert gone() is None


def test_shared_tables_cannot_be_written():
    parts = gc.fit("y ~ C(g)", frame(g=["a", "b"] * 30))._state.rows.spec.equations[0].parts
    with pytest.raises(ValueError, match="read-only"):
        parts[1].table[0, 0] = 5.0


def test_a_second_fit_parses_nothing(monkeypatch):
    data = frame(g=["a", "b"] * 30)
    data["y"] = np.random.default_rng(1).negative_binomial(1, 0.2, 60)
    first = gc.fit("y ~ C(g) * x", data, family="negbin", dispersion="x")

    def refuse(*_args, **_kwargs):
        raise AssertionError("parsed again")

    for name in ("parse_model", "parse_part", "build_parts", "layout_of"):
        monkeypatch.setattr(plans, name, refuse)
    second = gc.fit("y ~ C(g) * x", data.iloc[::-1], family="negbin", dispersion="x")
    np.testing.assert_allclose(second.params, first.params, rtol=1e-6)


def test_the_number_kept_is_bounded():
    data = frame()
    for k in range(plans.KEPT + 20):
        gc.fit(f"y ~ I(x + {k})", data)
    assert plans._model.cache_info().currsize <= plans.KEPT
    assert len(plans._parts.held) <= plans.KEPT
    assert len(plans._layouts.held) <= plans.KEPT


def test_threads_share_plans():
    data = [frame(g=[*(["a", "b"] * 29), *extra]) for extra in (["a", "b"], ["c", "d"])]
    truth = [gc.fit("y ~ C(g) + x", each).llf for each in data]
    wrong = []

    def work():
        for _ in range(10):
            for each, llf in zip(data, truth, strict=True):
                plans._parts.held.clear()
                if gc.fit("y ~ C(g) + x", each).llf != llf:
                    wrong.append(each)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_formula_of_hundreds_of_columns_is_read():
    rng = np.random.default_rng(4)
    names = [f"x{j}" for j in range(290)]
    data = {name: rng.normal(size=600) for name in names} | {"y": rng.poisson(1.0, 600)}
    assert list(gc.fit("y ~ " + " + ".join(names), data).params.index) == ["Intercept", *names]
