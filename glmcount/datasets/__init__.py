"""Small data sets of counts, for examples and tests.

Each set is two files in this folder: the numbers (``<name>.csv`` or ``<name>.csv.gz``)
and a page about them (``<name>.txt``: what they are, the columns, where they come from).
Adding the two files adds the set.
"""

from __future__ import annotations

from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, NoReturn

import pandas as pd

from glmcount.errors import UnknownNameError, UsageError, near
from glmcount.front import public, refuse_name

__all__ = ["describe", "load"]

_NUMBERS = (".csv.gz", ".csv")

if not TYPE_CHECKING:

    @public
    def __getattr__(name: str) -> NoReturn:
        if name in {each.partition(".")[0] for each in _files()} - {"", "__init__"}:
            raise UnknownNameError(
                f"glmcount.datasets has no {name!r}. Write glmcount.datasets.load({name!r})."
            )
        refuse_name("glmcount.datasets", name, __all__)


def _files() -> dict[str, Traversable]:
    """Files of this folder by their name."""
    return {entry.name: entry for entry in resources.files(__name__).iterdir()}


def _find(name: str, endings: tuple[str, ...]) -> Traversable:
    """The file `name` with one of `endings`; an unknown name is a `UsageError`."""
    files = _files()
    for ending in endings:
        if f"{name}{ending}" in files:
            return files[f"{name}{ending}"]
    names = sorted(file.removesuffix(".txt") for file in files if file.endswith(".txt"))
    raise UsageError(
        f"no data set is called {name!r}.{near(name, names)} Available: {', '.join(names)}."
    )


@public
def load(name: str) -> pd.DataFrame:
    """Read one of the data sets that come with glmcount.

    Parameters
    ----------
    name : str
        ``"biochemists"``, ``"discoveries"``, ``"dobson"``, ``"epilepsy"``, ``"nmes1988"``,
        ``"quine"`` or ``"warpbreaks"``.

    Returns
    -------
    pandas.DataFrame
        A new frame: factors as strings, numbers as int64 or float64, no missing values.

    Raises
    ------
    UsageError
        When no data set has that name.

    Examples
    --------
    >>> from glmcount.datasets import load
    >>> load("quine").shape
    (146, 5)
    """
    file = _find(name, _NUMBERS)
    compression = "gzip" if file.name.endswith(".gz") else None
    with file.open("rb") as stream:
        return pd.read_csv(stream, compression=compression, keep_default_na=False)


@public
def describe(name: str) -> str:
    """What a data set is: its rows, each column, and where the numbers come from.

    Parameters
    ----------
    name : str
        As for `load`.

    Returns
    -------
    str
        A page of plain text.

    Raises
    ------
    UsageError
        When no data set has that name.

    Examples
    --------
    >>> from glmcount.datasets import describe
    >>> print(describe("dobson").splitlines()[0])
    dobson: a randomised controlled trial with a made-up outcome
    """
    return _find(name, (".txt",)).read_text(encoding="utf-8")
