"""What is loaded when, each in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import glmcount as gc
from glmcount import inference
from glmcount.later import waiting

PACKAGE = Path(gc.__file__).parent
# What neither an import nor a fit with its summary loads; all else is loaded by the import.
WAITING = {
    "": "__main__ cli command demo",
    "design": "slopes",
    "diagnostics": "dispersion influence openness verdicts",
    "families": "nesting",
    "fitting": "crowd held pilot search walls",
    "inference": """
        anova contrasts drawn equivalence hypotheses levels multiplicity pooling profile profiled
        ratio responses score score_bootstrap tests together vuong words
    """,
    "language": "derivative",
    "numerics": "mixtures",
    "prediction": """
        caption choices counts edges effect_table effects estimable grid margins newdata partition
        predict pulls quantities scales simulate standardise variables
    """,
    "results": "comparing pooled power redrawn vuong",
    "sources": "files",
}
LOADED = "print(json.dumps([name for name in sys.modules if name.startswith('glmcount')]))"
FIT = "r = glmcount.fit('y ~ x', {'y': [1, 3, 2, 6], 'x': [0, 1, 0, 1]})\n"


def told(code):
    """What a fresh process prints at the end of its last line."""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(run.stdout.splitlines()[-1])


@pytest.mark.parametrize("then", ["", f"{FIT}r.summary()"], ids=["import", "fit and summary"])
def test_what_waits_is_not_loaded_and_all_else_is(then):
    files = (path.relative_to(PACKAGE.parent).with_suffix("") for path in PACKAGE.rglob("*.py"))
    every = {".".join(path.parts).removesuffix(".__init__") for path in files}
    waits = {
        ".".join(filter(None, ("glmcount", room, name)))
        for room, names in WAITING.items()
        for name in names.split()
    }
    assert set(told(f"import json, sys, glmcount\n{then}\n{LOADED}")) == every - waits


def test_two_threads_may_ask_first():
    code = (
        "import json, sys, threading, glmcount\n"
        f"{FIT}barrier, found = threading.Barrier(4), []\n"
        "def ask():\n"
        "    barrier.wait()\n"
        "    found.append(float(r.predict({'x': [1]}).iloc[0]))\n"
        "    found.append(float(r.anova().iloc[0, 0]))\n"
        "threads = [threading.Thread(target=ask) for _ in range(4)]\n"
        "[each.start() for each in threads]\n"
        "[each.join() for each in threads]\n"
        "print(json.dumps(found))"
    )
    found = told(code)
    assert len(found) == 8
    assert len({round(value, 9) for value in found}) == 2


def test_names_of_the_package_are_there_before_they_are_loaded():
    code = (
        "import json, sys, glmcount\n"
        "listed = [name for name in glmcount.__all__ if name not in dir(glmcount)]\n"
        "from glmcount import pool, power\n"
        "same = power is glmcount.power and power.__module__ == 'glmcount.results.power'\n"
        "print(json.dumps([listed, same]))"
    )
    assert told(code) == [[], True]


def test_a_result_is_read_where_nothing_else_is_loaded(tmp_path):
    path = tmp_path / "result.pickle"
    told(
        f"import json, pickle, sys, glmcount\n{FIT}open({str(path)!r}, 'wb').write(pickle.dumps(r))"
        "\nprint(json.dumps(0))"
    )
    code = f"import json, pickle\nr = pickle.load(open({str(path)!r}, 'rb'))\n"
    found = told(code + "print(json.dumps(str(r.t_test('x = 0'))))")
    r = gc.fit("y ~ x", {"y": [1, 3, 2, 6], "x": [0, 1, 0, 1]})
    assert found == str(r.t_test("x = 0"))


def test_a_stand_in_is_the_module_to_who_asks():
    stand_in = waiting("json", "decoder scanner")("decoder")
    import json.decoder

    assert isinstance(stand_in, ModuleType)
    assert stand_in.JSONDecoder is json.decoder.JSONDecoder
    assert dir(stand_in) == dir(json.decoder)
    assert vars(stand_in) is vars(json.decoder)
    stand_in.told = 1
    assert json.decoder.told == 1
    del stand_in.told
    assert not hasattr(json.decoder, "told")


def test_what_a_room_does_not_have_is_no_name_of_it():
    with pytest.raises(AttributeError, match=r"glmcount\.inference.*nothing"):
        inference.nothing  # noqa: B018
    with pytest.raises(ImportError, match="nothing"):
        from glmcount.inference import nothing  # noqa: F401
