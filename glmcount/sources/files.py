"""Files of columns, as the command line takes them: CSV, TSV and parquet, told by their names."""

from __future__ import annotations

import csv
import gzip
import io
import re
import sys
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import pandas as pd

from glmcount.allowed import refuse
from glmcount.errors import DataError, MissingExtraError, UsageError, some
from glmcount.records import dataclass

__all__ = ["READERS", "read"]

SCHEME = re.compile(r"([a-z][a-z0-9+.-]+)://", re.IGNORECASE)
SCHEMES = ("http", "https", "file")
SIGNS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LARGE = 2.0**53  # whole numbers up to which doubles hold every one


def read(path: str, separator: str | None = None, decimal: str | None = None) -> pd.DataFrame:
    r"""The data frame in a file, by its ending; ``-`` reads CSV from standard input.

    Parameters
    ----------
    path : str
    separator : str, optional
        What stands between the fields of a text file: one character, or ``\t`` for a tab; by
        default a comma, of .tsv files a tab.
    decimal : {".", ","}, optional
        What stands before the decimals of numbers in a text file; a point by default.

    Raises
    ------
    UsageError
        If the separator is not one character, or the decimals' sign no point or comma.
    DataError
        If the ending is unknown, the file cannot be read as what it says, or its rows do not
        fit its header.
    MissingExtraError
        If the file is parquet and pyarrow is not installed.
    """
    scheme = SCHEME.match(path)
    if scheme and scheme[1].lower() not in SCHEMES:
        raise DataError(
            f"{path}: {scheme[1]} addresses cannot be read. Accepted: files, and "
            f"{', '.join(SCHEMES)} URLs. Copy it to a file first, or pipe its CSV "
            "into glmcount fit FORMULA -.",
            kind="unknown_scheme",
        )
    ending = next((each for each in READERS if path.lower().endswith(each)), None)
    source: str | TextIO = path
    if path == "-":
        source, ending = sys.stdin, ".csv"
    if ending is None:
        told = f"{path}: the name must end in one of {', '.join(READERS)}."
        if "~" in path:
            told = f"{path!r} is no file. The formula comes first: glmcount fit 'y ~ x' data.csv."
        elif path.lower().endswith((".xlsx", ".xls", ".dta", ".sav", ".rds")):
            told += " Save the table as CSV first."
        raise DataError(told, kind="unknown_format")
    try:
        return READERS[ending](source, _signs(separator, decimal, ending))
    except (MissingExtraError, DataError, UsageError):
        raise
    except (OSError, EOFError, ValueError, ImportError, zlib.error) as error:
        told = " ".join(str(error).split())
        reason = getattr(error, "strerror", None) or told or type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}", kind="unreadable_file") from error


@dataclass(frozen=True)
class Signs:
    """What separates the fields of a text file, and what its decimals."""

    separator: str
    decimal: str = "."


def _signs(separator: str | None, decimal: str | None, ending: str) -> Signs:
    found = _separator(separator, ending)
    if decimal is None:
        return Signs(found)
    if ending == ".parquet":
        raise UsageError("A parquet file has numbers. Leave --decimal out.", kind="separator")
    if decimal not in (".", ","):
        refuse("--decimal", decimal, "',' or '.'", "separator")
    return Signs(found, decimal)


def _separator(given: str | None, ending: str) -> str:
    """What separates the fields of a file with that ending."""
    if given is None:
        return "\t" if ending.startswith(".tsv") else ","
    if ending == ".parquet":
        raise UsageError("A parquet file has no separator. Leave --sep out.", kind="separator")
    found = "\t" if given == r"\t" else given
    if len(found) != 1 or found in '"\r\n':
        refuse("--sep", given, r"one character, such as ';', or \t for a tab", "separator")
    return found


def _read_text(source: str | TextIO, signs: Signs) -> pd.DataFrame:
    """A file of text, every row of which has the fields of its header."""
    separator = signs.separator
    text = None if isinstance(source, str) else source.read()

    def again() -> str | TextIO:
        return str(source) if text is None else io.StringIO(text)

    _check_header(again(), separator)
    with warnings.catch_warnings():
        # By default pandas takes the first column for labels where rows are longer.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            frame = pd.read_csv(
                again(), sep=separator, decimal=signs.decimal, index_col=False, low_memory=False
            )
            return _with_whole(frame, again, separator)
        except (pd.errors.ParserWarning, pd.errors.ParserError) as problem:
            found = _longer_row(source, text, separator)
            if found is None:
                raise ValueError(str(problem)) from problem
            line, fields, expected = found
            raise DataError(
                f"{'Standard input' if text is not None else source}: line {line} has {fields} "
                f"fields, the header {expected}. Give every line one field for each column; a "
                "field that holds the separator stands in double quotes.",
                kind="unreadable_file",
            ) from problem


def _with_whole(
    frame: pd.DataFrame, again: Callable[[], str | TextIO], separator: str
) -> pd.DataFrame:
    """The same with columns of whole numbers as such, where missing ones made doubles of them."""
    doubles = frame.select_dtypes("float64")
    names = [n for n in doubles if doubles[n].isna().any() and (doubles[n].dropna() % 1 == 0).all()]
    large = [name for name in names if doubles[name].abs().max() >= LARGE]
    texts = pd.read_csv(again(), sep=separator, usecols=large, dtype=str) if large else None
    for name in names:
        if texts is None or name not in large:
            frame[name] = frame[name].astype("Int64")
        elif texts[name].dropna().str.fullmatch(r"\s*[-+]?\d+\s*").all():
            items = [int(text) if isinstance(text, str) else None for text in texts[name]]
            frame[name] = pd.Series(items, index=frame.index, dtype=object)
    return frame


def _check_header(source: str | TextIO, separator: str) -> None:
    header = pd.read_csv(source, sep=separator, header=None, nrows=1, dtype=str)
    names = [str(name).strip() for name in header.iloc[0].dropna()]
    other = next((sign for sign in ";\t|" if sign != separator and sign in names[0]), None)
    if len(names) == 1 and other is not None:
        raise DataError(
            f"The header is one column, {names[0]!r}: its fields are parted by {SIGNS[other]}. "
            f"Write --sep {other!r}.",
            kind="unreadable_file",
        )
    repeated = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    if repeated:
        raise DataError(
            f"The header names {some(map(repr, repeated))} more than once. Rename all but one of "
            "each: a formula could not say which is meant.",
            kind="duplicate_column",
        )


def _longer_row(
    source: str | TextIO, text: str | None, separator: str
) -> tuple[int, int, int] | None:
    """(line, its fields, fields of the header) of the first row that is longer."""
    with _lines(source, text) as lines:
        reader = csv.reader(lines, delimiter=separator)
        expected = len(next(reader, []))
        for row in reader:
            if len(row) > expected:
                return reader.line_num, len(row), expected
    return None


def _lines(source: str | TextIO, text: str | None) -> TextIO:
    if text is not None:
        return io.StringIO(text)
    path = str(source)
    if SCHEME.match(path) or not Path(path).exists():
        return io.StringIO()
    if path.lower().endswith(".gz"):
        return io.TextIOWrapper(gzip.open(path), encoding="utf-8", newline="")
    return open(path, encoding="utf-8", newline="")


def _read_parquet(source: str | TextIO, signs: Signs) -> pd.DataFrame:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError(
            "Reading parquet needs pyarrow: pip install 'glmcount[arrow]' (or pip install pyarrow)."
        ) from error
    # By default whole numbers beside missing ones would become doubles, which merge large ones.
    return pyarrow.parquet.read_table(source).to_pandas(integer_object_nulls=True)


READERS: dict[str, Callable[[str | TextIO, Signs], pd.DataFrame]] = {
    ".csv": _read_text,
    ".csv.gz": _read_text,
    ".tsv": _read_text,
    ".tsv.gz": _read_text,
    ".parquet": _read_parquet,
}
