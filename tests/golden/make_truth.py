"""Writes truth/<case>.json: every golden case to 25 digits, by tests/truth.py.

Run from the repository root, after make_golden.R and make_golden_statsmodels.py:
``python -m tests.golden.make_truth [case ...]``. The crabs have no truth file, their data
being no part of the project. It also checks that the names in a golden file are patsy's.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pandas as pd
import patsy

from tests import golden_files, truth

HERE = Path(__file__).resolve().parent

SHOWN = 25
OFFSET = re.compile(r"\+ offset\((.*)\)$")


def evaluate(expression: Any, frame: pd.DataFrame) -> np.ndarray:
    """An option of the call: a list, or an expression on the columns."""
    if isinstance(expression, list):
        return np.array(expression, dtype=float)
    matrix = patsy.dmatrix(f"I({expression}) - 1", frame, patsy.EvalEnvironment([{"np": np}]))
    return np.asarray(matrix)[:, 0]


def arrays(record: dict[str, Any]) -> dict[str, Any]:
    """Design, response, offset and weights of a case, and the names of the columns kept."""
    frame = golden_files.data(record["data"])
    formula, call = record["formula"], record["call"]
    offset = np.zeros(len(frame))
    found = OFFSET.search(formula)
    if found:
        formula = formula[: found.start()]
        offset += evaluate(found.group(1), frame)
    if "offset" in call:
        offset += evaluate(call["offset"], frame)
    if "exposure" in call:
        offset += np.log(evaluate(call["exposure"], frame))
    y, X = patsy.dmatrices(formula, frame, patsy.EvalEnvironment([{"np": np}]))
    aliased = record["values"].get("aliased", [])
    names = [name for name in X.design_info.column_names if name not in aliased]
    places = [X.design_info.column_names.index(name) for name in names]
    weights = evaluate(call["weights"], frame) if "weights" in call else None
    return {
        "X": np.asarray(X)[:, places],
        "y": np.asarray(y)[:, 0],
        "offset": offset,
        "weights": weights,
        "names": names,
    }


def solve(record: dict[str, Any]) -> dict[str, Any]:
    """The truth of one case, as text."""
    inputs = arrays(record)
    values = record["values"]
    family = record["call"]["family"]
    names = inputs.pop("names")
    given = set(values["params"]) - {"alpha"}
    if set(names) != given:
        raise ValueError(f"{record['case']}: patsy has {set(names) ^ given} otherwise")
    inputs["start"] = np.array([values["params"][name] for name in names])
    inputs["link"] = record["call"].get("link", "log")
    if family in ("poisson", "quasipoisson"):
        found = truth.poisson(**inputs)
    elif family == "negbin":
        found = truth.negbin(**inputs, alpha=values["alpha"])
        names = [*names, "alpha"]
    else:
        fixed = 1.0 if family == "geometric" else family["alpha"]
        found = truth.negbin_fixed(**inputs, alpha=fixed)
    used = found.bse_observed if family == "negbin" else found.bse_expected
    out = {
        "case": record["case"],
        "digits": SHOWN,
        "params": texts(names, found.params),
        "bse": texts(names, used),
        "bse_observed": texts(names, found.bse_observed),
        "bse_expected": texts(names, found.bse_expected),
        "llf": mp.nstr(found.llf, SHOWN),
        "condition": found.condition,
    }
    if found.alpha is not None:
        out["alpha"] = mp.nstr(found.alpha, SHOWN)
    return out


def texts(names: list[str], values: list[Any]) -> dict[str, str]:
    """Names with numbers as text."""
    return {name: mp.nstr(value, SHOWN) for name, value in zip(names, values, strict=True)}


def main(cases: list[str]) -> None:
    """Write the truth files of `cases`, or of all."""
    (HERE / "truth").mkdir(exist_ok=True)
    for case in cases or golden_files.names():
        record = golden_files.read(case)
        if golden_files.is_local(record):
            continue
        text = json.dumps(solve(record), indent=1)
        (HERE / "truth" / f"{case}.json").write_text(text + "\n", encoding="utf-8")
        print("written", case, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
