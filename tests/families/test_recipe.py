"""Families in other processes: made again from a recipe, or by the names of their functions."""

from __future__ import annotations

import dataclasses
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from glmcount import families
from glmcount.errors import UsageError
from glmcount.families.combine.hold import hold
from glmcount.families.combine.links import Link
from tests.laws.problems import EVERY

READ = """
import pickle, sys
import numpy as np
for family, y, etas in pickle.load(open(sys.argv[1], "rb")):
    jet = family.terms(y, etas)
    mean, variance = family.moments(etas)
    out = [jet.value, *jet.d1, mean.value, variance.value]
    print(" ".join(float(v).hex() for entry in out if entry is not None for v in np.ravel(entry)))
"""


def sample(family):
    rng = np.random.default_rng(3)
    low = family.link in ("identity", "sqrt")
    ranges = [(0.5, 2.0), *family.typical[1:]] if low else family.typical
    etas = tuple(rng.uniform(low, high, 5) for low, high in ranges)
    y = family.sample(rng, etas)
    return np.stack([y, *(y + 2.0 for _ in family.columns)]), etas


def told(family, y, etas):
    jet = family.terms(y, etas)
    mean, variance = family.moments(etas)
    out = [jet.value, *jet.d1, mean.value, variance.value]
    return " ".join(float(v).hex() for entry in out if entry is not None for v in np.ravel(entry))


def every():
    yield from EVERY.values()
    for name in ("poisson", "negbin", "pig", "negbinp"):
        for link in ("identity", "sqrt"):
            count = families.compose(families.resolve(name), link)
            yield count
            yield families.hurdle(count)
            yield families.truncated(count)
    yield families.negbin(alpha=0.5)
    yield families.negbinp(power=1.5)
    yield families.genpoisson(power=1.7)
    yield families.genpoisson(under=True)
    yield families.negbin_canonical()
    yield hold(families.negbin(), [0.3])


def test_every_family_is_the_same_in_a_fresh_process(tmp_path):
    cases = [(family, *sample(family)) for family in every()]
    path: Path = tmp_path / "families.pkl"
    path.write_bytes(pickle.dumps(cases))
    code = [sys.executable, "-c", READ, str(path)]
    run = subprocess.run(code, capture_output=True, text=True, check=True)
    assert run.stdout.split("\n")[:-1] == [told(*case) for case in cases]


def test_what_has_a_name_is_one_value():
    for name in ("poisson", "negbin", "geometric", "pig"):
        family = families.resolve(name)
        assert pickle.loads(pickle.dumps(family)) is family  # noqa: S301


def test_functions_without_a_name_are_refused():
    own = families.resolve("poisson").with_(name="own", sample=lambda rng, etas: etas[0])
    with pytest.raises(UsageError, match="sample of the family 'own'") as refused:
        pickle.dumps(own)
    assert refused.value.kind == "not_picklable"
    link = Link("own", lambda lp: (lp, np.ones(1), np.zeros(1)), np.log)
    with pytest.raises(UsageError, match="own"):
        pickle.dumps(families.compose(families.poisson, link))


def test_what_a_function_was_given_needs_a_name_too():
    twice = families.reparametrise(families.poisson, lambda etas: (etas[0] + etas[0],))
    with pytest.raises(UsageError, match="what reparametrise was given"):
        pickle.dumps(twice)


def test_a_changed_law_has_no_recipe():
    assert families.poisson.with_(name="other").recipe is None
    assert families.poisson.recipe.maker == "resolve"


def test_a_copy_made_by_hand_has_no_recipe_and_is_looked_at():
    """`dataclasses.replace` is no function of ours, which could make the copy again."""
    own = dataclasses.replace(families.negbin(), label="Own", name="own", aliases=())
    again = pickle.loads(pickle.dumps(own))  # noqa: S301
    assert (again.name, again.label) == ("own", "Own")
    odd = dataclasses.replace(families.poisson, name="odd", aliases=(), terms=lambda y, etas: None)
    with pytest.raises(UsageError, match="terms"):
        families.register(odd)
    assert "odd" not in families.families
