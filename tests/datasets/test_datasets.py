"""The data sets that come with the package: shapes, sums, types, pages, refusals."""

from __future__ import annotations

import re
from importlib import resources

import pandas as pd
import pytest

from glmcount import datasets
from glmcount.errors import UsageError

ROWS = {
    "nmes1988": 4406,
    "biochemists": 915,
    "epilepsy": 236,
    "quine": 146,
    "discoveries": 100,
    "warpbreaks": 54,
    "dobson": 9,
}
COLUMNS = {
    "nmes1988": "visits nvisits ovisits novisits emergency hospital health chronic adl region age "
    "afam gender married school income employed insurance medicaid",
    "biochemists": "art fem mar kid5 phd ment",
    "epilepsy": "patient visit treatment age before seizures",
    "quine": "Eth Sex Age Lrn Days",
    "discoveries": "year discoveries",
    "warpbreaks": "breaks wool tension",
    "dobson": "outcome treatment counts",
}
# Totals of the response, from R: sum(NMES1988$visits) and so on.
TOTALS = {
    "nmes1988": ("visits", 25442),
    "biochemists": ("art", 1549),
    "epilepsy": ("seizures", 1948),
    "quine": ("Days", 2403),
    "discoveries": ("discoveries", 310),
    "warpbreaks": ("breaks", 1520),
    "dobson": ("counts", 150),
}
LEVELS = {
    ("nmes1988", "health"): {"poor": 554, "average": 3509, "excellent": 343},
    ("nmes1988", "insurance"): {"no": 985, "yes": 3421},
    ("biochemists", "fem"): {"Men": 494, "Women": 421},
    ("epilepsy", "treatment"): {"placebo": 112, "progabide": 124},
    ("quine", "Age"): {"F0": 27, "F1": 46, "F2": 40, "F3": 33},
    ("warpbreaks", "tension"): {"L": 18, "M": 18, "H": 18},
    ("dobson", "treatment"): {"t1": 3, "t2": 3, "t3": 3},
}


@pytest.mark.parametrize("name", ROWS)
def test_rows_and_columns(name):
    frame = datasets.load(name)
    assert len(frame) == ROWS[name]
    assert list(frame.columns) == COLUMNS[name].split()


@pytest.mark.parametrize("name", ROWS)
def test_total_of_the_response(name):
    column, total = TOTALS[name]
    assert datasets.load(name)[column].sum() == total


@pytest.mark.parametrize(("name", "column"), LEVELS)
def test_counts_of_a_factor(name, column):
    assert datasets.load(name)[column].value_counts().to_dict() == LEVELS[name, column]


@pytest.mark.parametrize("name", ROWS)
def test_no_value_is_missing_and_factors_are_strings(name):
    frame = datasets.load(name)
    assert not frame.isna().any().any()
    for column in frame:
        assert not isinstance(frame[column].dtype, pd.CategoricalDtype)
        numeric = frame[column].dtype in ("int64", "float64")
        assert numeric or all(isinstance(value, str) for value in frame[column])


def test_numbers_are_read_in_full():
    assert datasets.load("biochemists")["phd"][0] == 2.5199999809265137
    assert datasets.load("nmes1988")["income"][1] == 2.7478


def test_each_call_gives_a_frame_of_its_own():
    changed = datasets.load("dobson")
    changed.loc[0, "counts"] = 0
    assert datasets.load("dobson")["counts"][0] == 18


@pytest.mark.parametrize("name", ROWS)
def test_the_page_names_rows_columns_and_source(name):
    page = datasets.describe(name)
    assert page.startswith(f"{name}: ")
    assert re.search(rf"^{ROWS[name]} rows", page, flags=re.MULTILINE)
    described = re.findall(r"^(\w+) {2,}\S", page, flags=re.MULTILINE)
    assert described == COLUMNS[name].split()
    assert "\nSource: " in page
    assert "Exported from: " in page or "Typed in from " in page


def test_every_set_has_numbers_and_a_page():
    files = {entry.name for entry in resources.files(datasets).iterdir()}
    pages = {file.removesuffix(".txt") for file in files if file.endswith(".txt")}
    numbers = {file.split(".")[0] for file in files if ".csv" in file}
    assert pages == numbers == set(ROWS)


def test_the_compressed_file_carries_no_date():
    header = (resources.files(datasets) / "nmes1988.csv.gz").read_bytes()[:10]
    assert header[:3] == b"\x1f\x8b\x08"
    assert header[3] == 0, "no file name inside"
    assert header[4:8] == b"\x00\x00\x00\x00"


@pytest.mark.parametrize("verb", [datasets.load, datasets.describe])
def test_an_unknown_name_is_refused_with_the_nearest(verb):
    with pytest.raises(UsageError, match=r"'nmes1980'.*Did you mean 'nmes1988'") as caught:
        verb("nmes1980")
    assert caught.value.kind == "usage"
    names = "biochemists, discoveries, dobson, epilepsy, nmes1988, quine, warpbreaks"
    assert names in str(caught.value)


@pytest.mark.parametrize("name", ["../datasets/quine", "", "quine.csv", "__init__"])
def test_a_name_is_no_path(name):
    with pytest.raises(UsageError, match="no data set"):
        datasets.load(name)
