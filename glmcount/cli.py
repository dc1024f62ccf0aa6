"""The command line: ``python -m glmcount fit "y ~ x" data.csv``, ``python -m glmcount demo``.

Exit codes: 0 the fit was made (or the demonstration agrees), 1 the data or the model do
not allow it, 2 the command cannot be understood. Results go to standard output or to
``--output``; errors, and the warnings of glmcount, a line each, to standard error.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, is_dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
import pandas as pd

from glmcount import demo
from glmcount.api import fit
from glmcount.command import Commands, as_flags, limit, positive_number, proportion, whole_number
from glmcount.errors import (
    DataError,
    GlmcountError,
    GlmcountWarning,
    NoLikelihoodError,
    NotDefinedError,
    UsageError,
)
from glmcount.families import Family, families, negbin, resolve
from glmcount.numerics.control import Control
from glmcount.records import replace
from glmcount.report import RENDERERS
from glmcount.request import TOLD as FIT_OPTIONS
from glmcount.sources.files import read

if TYPE_CHECKING:
    from glmcount.results import Results

__all__ = ["as_json", "main", "parser", "read"]

OK, REFUSED, MISUSED = 0, 1, 2

# Families whose parameter alpha can be held at a number.
ALPHA_FAMILIES: dict[str, Callable[[float], Family]] = {negbin().name: negbin}

# Options that say what the model is, as the JSON repeats them.
JSON_OPTIONS = (
    "link", "offset", "exposure", "weights", "weights_type", "inflate", "hurdle", "zero",
    "truncated", "censored", "dispersion",
)  # fmt: skip

# Options of `Results.summary` that are not those of the JSON.
TABLE_OPTIONS = ("exponentiate", "keep", "drop", "full")

JSON_FIGURES = (
    "nobs",
    "n_dropped",
    "dropped",
    "df_model",
    "df_resid",
    "llf",
    "llnull",
    "aic",
    "bic",
    "aicc",
    "prsquared",
    "deviance",
    "null_deviance",
    "pearson_chi2",
    "scale",
    "cov_type",
    "method",
    "converged",
    "certificate",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after the program's name; those of the process when absent.

    Examples
    --------
    >>> main(["fit"])
    2
    """
    try:
        options = parser().parse_args(arguments)
    except SystemExit as ending:
        return int(ending.code or 0)
    try:
        with _warnings_in_one_line():
            return int(options.run(options))
    except BrokenPipeError:
        # Whoever reads has seen enough; Python's own flush at its end must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED
    except UsageError as error:
        return _complain(error, MISUSED)
    except (GlmcountError, OSError) as error:
        return _complain(error, REFUSED)


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Examples
    --------
    >>> parser().parse_args(["fit", "y ~ x", "data.csv", "--cov", "HC1"]).cov
    'HC1'
    """
    top = Commands(prog="glmcount", description="Regression models for counts.")
    top.add_argument("--version", action="version", version=f"glmcount {_version()}")
    commands = top.add_subparsers(title="commands", required=True, metavar="fit | demo")
    fitting = commands.add_parser("fit", help="fit a model to a file and print its summary")
    fitting.set_defaults(run=_fit)
    _add_model_options(fitting)
    _add_output_options(fitting)
    demonstration = commands.add_parser("demo", help="fit two published models and compare")
    demonstration.set_defaults(run=_demo)
    return top


def _add_model_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add("formula", help='as "visits ~ hospital + chronic"')
    add(
        "data",
        help="a .csv, .csv.gz, .tsv, .tsv.gz or .parquet file, http, https and file URLs of such"
        " files, or - for CSV from input",
    )
    add(
        "--family",
        metavar="NAME",
        default="poisson",
        help=f"family of the counts: {', '.join(families)} (default: poisson)",
    )
    add("--family-alpha", type=positive_number, metavar="A", help="hold the family's alpha at A")
    add(
        "--sep",
        metavar="CHAR",
        help="separator of a text file: ',' by default, '\\t' for a tab",
    )
    add(
        "--decimal",
        metavar="CHAR",
        help="what stands before decimals in a text file: ',' or, by default, '.'",
    )
    add("--maxiter", type=whole_number, metavar="N", help="most iterations of the fit")
    types: dict[str, Callable[[str], Any]] = {"truncated": whole_number, "censored": limit}
    for name, (metavar, text) in FIT_OPTIONS.items():
        flag = f"--{name.replace('_', '-')}"
        add(flag, metavar=metavar, help=text, type=types.get(name, str))


def _add_output_options(command: argparse.ArgumentParser) -> None:
    add = command.add_argument
    add(
        "--alpha",
        type=proportion,
        default=0.05,
        metavar="A",
        help="one minus the level of the intervals (default: 0.05); not the alpha of a negative"
        " binomial, which --family-alpha holds",
    )
    add("--exponentiate", action="store_true", help="show rate ratios and odds ratios")
    for name, text in (
        ("--keep", 'coefficients to show: a name, a factor, or a pattern as "x*"'),
        ("--drop", "coefficients not to show; like --keep it may be given again"),
    ):
        add(name, action="append", metavar="NAME", help=text)
    add("--full", action="store_true", help="show all coefficients of factors of many levels")
    add("--format", choices=[*RENDERERS, "json"], default="text", help="(default: text)")
    add("--output", metavar="FILE", help="write there instead of to standard output")


def _version() -> str:
    try:
        return metadata.version("glmcount")
    except metadata.PackageNotFoundError:
        return "(not installed)"


def _demo(options: argparse.Namespace) -> int:
    return OK if demo.run() else REFUSED


def _fit(options: argparse.Namespace) -> int:
    shown = {name: getattr(options, name) for name in TABLE_OPTIONS}
    shown = {name: value for name, value in shown.items() if value}
    if options.format == "json" and shown:
        name = next(iter(shown))
        raise UsageError(
            f"--{name} is for tables; the JSON holds the coefficients themselves, and all of them. "
            f"Leave out one of --{name} and --format json."
        )
    family = _family(options.family, options.family_alpha)
    given = {name: getattr(options, name) for name in FIT_OPTIONS}
    given = {name: value for name, value in given.items() if value is not None}
    if options.maxiter is not None:
        given["control"] = Control(maxiter=options.maxiter)
    _check_output(options.output, options.data)
    data = read(options.data, options.sep, options.decimal)
    result = fit(options.formula, data, family=family, **given)
    if options.format == "json":
        asked = _asked(options, family, given)
        text = as_json(result, formula=options.formula, alpha=options.alpha, asked=asked)
    else:
        summary = result.summary(alpha=options.alpha, **shown)
        tables = tuple(
            replace(table, footnotes=tuple(map(as_flags, table.footnotes)))
            for table in summary.tables
        )
        text = replace(summary, tables=tables).render(options.format)
    _write(text, options.output)
    return OK


def _check_output(path: str | None, data: str) -> None:
    """Refuse a place for the output that is not there, or the data's, before anything is fitted."""
    if path is None:
        return
    if Path(path).exists() and Path(data).exists() and Path(path).samefile(data):
        raise DataError(
            f"--output {path} is the file of the data. Write elsewhere.", kind="no_file"
        )
    folder = Path(path).parent
    if not folder.is_dir():
        raise DataError(
            f"--output {path}: the folder {folder} is not there. Make it, or write elsewhere.",
            kind="no_folder",
        )
    if Path(path).is_dir():
        raise DataError(
            f"--output {path} is a folder. Name a file in it, such as {Path(path) / 'fit.txt'}.",
            kind="no_file",
        )


def _asked(
    options: argparse.Namespace, family: str | Family, given: Mapping[str, Any]
) -> dict[str, Any]:
    """What the model is beside its formula, each option by its name; null where not given."""
    model = resolve(family)
    told = {name: given.get(name) for name in JSON_OPTIONS}
    return {
        "family": model.name,
        "family_alpha": options.family_alpha,
        **told,
        "link": told["link"] or model.link,
        "weights_type": told["weights_type"] or "frequency",
    }


def _family(name: str, alpha: float | None) -> str | Family:
    if alpha is None:
        return name
    make = ALPHA_FAMILIES.get(resolve(name).name)
    if make is None:
        raise UsageError(
            f"--family-alpha: family {name!r} has no parameter alpha to hold; "
            f"those that have: {', '.join(ALPHA_FAMILIES)}.",
            kind="family_parameter",
        )
    return make(alpha)


def as_json(
    result: Results,
    *,
    formula: str,
    alpha: float = 0.05,
    asked: Mapping[str, Any] | None = None,
) -> str:
    """The figures of a result as strict JSON: NaN, infinity and what is not defined are null.

    Under separation ``"separation"`` has the rows (counted from 0) and which coefficient is
    ``"inf"`` or ``"-inf"``, or has ``"no limit"``.

    Parameters
    ----------
    result : Results
        A fitted model.
    formula : str
        Repeated in the output.
    alpha : float
        One minus the level of the intervals.
    asked : mapping, optional
        What else the model is: family, link, offset and so on, each by its option.
    """
    limits = result.conf_int(alpha)
    content = {
        "glmcount": _version(),
        "formula": formula,
        **(asked or {}),
        "params": result.params,
        "bse": result.bse,
        "tvalues": result.tvalues,
        "pvalues": result.pvalues,
        "conf_level": 1 - alpha,
        "conf_int": {str(name): [*limits.loc[name]] for name in limits.index},
        **{name: _defined(result, name) for name in JSON_FIGURES},
        "warnings": [str(warning) for warning in result.warnings],
        **_infinite(result),
    }
    return json.dumps(_plain(content), indent=2, ensure_ascii=False, allow_nan=False)


def _infinite(result: Results) -> dict[str, object]:
    """What JSON has no numbers for: the infinite coefficients, and the rows that make them so."""
    found = getattr(result, "separation", None)
    if found is None:
        return {}
    words = {1: "inf", -1: "-inf", 0: "no limit"}
    signs = zip(found.columns, found.signs, strict=True)
    told = {name: words[sign] for name, sign in signs}
    return {"separation": {"rows": list(found.where), "infinite": told}}


def _defined(result: Results, name: str) -> object:
    """A figure of the result, or None where the model does not have it."""
    try:
        return getattr(result, name)
    except (NoLikelihoodError, NotDefinedError):
        return None


def _plain(value: Any) -> Any:
    """`value` in the terms of JSON; what JSON has no term for, as text."""
    if isinstance(value, np.ndarray | np.generic | pd.Index):
        value = value.tolist()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping | pd.Series):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    return str(value)


def _write(text: str, path: str | None) -> None:
    if path is not None:
        Path(path).write_text(text + "\n", encoding="utf-8")
        return
    # A name that the terminal has no letters for must not cost the table.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), flush=True)


@contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Every warning of glmcount as one line; others as Python shows them."""
    with warnings.catch_warnings():
        usual = warnings.showwarning

        def show(
            message: Warning | str,
            category: type[Warning],
            filename: str,
            lineno: int,
            file: TextIO | None = None,
            line: str | None = None,
        ) -> None:
            if issubclass(category, GlmcountWarning):
                print(f"glmcount: warning: {_one_line(as_flags(str(message)))}", file=sys.stderr)
            else:
                usual(message, category, filename, lineno, file, line)

        warnings.showwarning = show
        warnings.simplefilter("always", GlmcountWarning)
        yield


def _one_line(message: object) -> str:
    return " ".join(str(message).split())


def _complain(error: Exception, code: int) -> int:
    print(f"glmcount: error: {as_flags(str(error))}", file=sys.stderr)
    return code
