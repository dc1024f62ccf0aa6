"""The command line: what it hands to `fit`, what it reads and writes, how it ends."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from glmcount import api, cli, datasets
from glmcount.errors import (
    DataError,
    MissingExtraError,
    MissingRowsWarning,
    NoLikelihoodError,
    UsageError,
)
from glmcount.families import negbin
from glmcount.report import RENDERERS
from glmcount.report.summary import summarise
from tests.report.samples import POISSON

DATA = pd.DataFrame({"y": [1, 0, 3, 2, 4, 7], "x": [0.5, 1.5, 0.1, 0.3, 0.9, 0.2], "t": 2.0})
FORMULA = "visits ~ hospital + chronic + gender"


@dataclass(frozen=True)
class Certificate:
    rho: float
    leverage: np.ndarray


class Stub:
    """A result with known figures; a quasi-likelihood, so that some refuse."""

    params = pd.Series({"Intercept": 1.0, "x": -np.inf})
    bse = pd.Series({"Intercept": 0.5, "x": np.nan})
    tvalues = params / 0.5
    pvalues = pd.Series({"Intercept": 0.0455, "x": np.nan})
    nobs, n_dropped, dropped = np.float64(6.0), np.int64(0), {"x missing": 2}
    df_model, df_resid, aicc, prsquared, llnull = 1, 4, np.nan, None, np.nan
    deviance, null_deviance, pearson_chi2, scale = 1.5, np.inf, np.float64(2.5), 1.25
    cov_type, method, converged = "HC1", "newton", np.bool_(True)
    certificate = Certificate(2e-9, np.array([1.0, np.nan]))
    warnings = (MissingRowsWarning("2 rows left out"),)

    def _refuse(self):
        raise NoLikelihoodError("no likelihood")

    llf = aic = bic = property(_refuse)

    def conf_int(self, alpha):
        limits = {0: self.params - alpha, 1: self.params + alpha}
        return pd.DataFrame(limits)

    def summary(self, **options):
        return summarise(POISSON, **options)


@pytest.fixture
def called(monkeypatch):
    """Replace `fit` by one that notes what it was given."""
    calls = []

    def fit(formula, data, **keywords):
        calls.append((formula, data, keywords))
        return Stub()

    monkeypatch.setattr(cli, "fit", fit)
    return calls


@pytest.fixture
def csv(tmp_path):
    path = tmp_path / "data.csv"
    DATA.to_csv(path, index=False)
    return str(path)


def test_only_what_is_given_is_handed_on(called, csv):
    assert cli.main(["fit", "y ~ x", csv]) == 0
    ((formula, data, keywords),) = called
    assert formula == "y ~ x"
    assert keywords == {"family": "poisson"}
    pd.testing.assert_frame_equal(data, DATA)


def test_every_option_is_handed_on_under_its_name(called, csv):
    given = {name: f"<{name}>" for name in cli.FIT_OPTIONS} | {"truncated": 2}
    words = [w for name, v in given.items() for w in (f"--{name.replace('_', '-')}", str(v))]
    assert cli.main(["fit", "y ~ x", csv, "--family", "geometric", *words]) == 0
    assert called[0][2] == {"family": "geometric", **given}


@pytest.mark.parametrize("name", ["negbin", "nb2"])
def test_alpha_of_the_family_is_held(called, csv, name):
    assert cli.main(["fit", "y ~ x", csv, "--family", name, "--family-alpha", "0.5"]) == 0
    assert called[0][2]["family"].label == negbin(alpha=0.5).label


def test_alpha_of_a_family_without_one_is_misuse(called, csv, capsys):
    assert cli.main(["fit", "y ~ x", csv, "--family-alpha", "0.5"]) == 2
    assert "'poisson' has no parameter alpha" in capsys.readouterr().err
    assert called == []


@pytest.mark.parametrize("format", list(RENDERERS))
def test_formats(called, csv, capsys, format):
    words = ["--exponentiate", "--alpha", "0.1", "--format", format]
    assert cli.main(["fit", "y ~ x", csv, *words]) == 0
    expected = summarise(POISSON, exponentiate=True, alpha=0.1).render(format)
    assert capsys.readouterr().out == expected + "\n"


def test_output_goes_to_a_file(called, csv, tmp_path, capsys):
    target = tmp_path / "out.txt"
    assert cli.main(["fit", "y ~ x", csv, "--output", str(target)]) == 0
    assert target.read_text(encoding="utf-8") == str(summarise(POISSON)) + "\n"
    assert capsys.readouterr().out == ""


def test_output_that_cannot_be_written_is_an_error(called, csv, tmp_path, capsys):
    assert cli.main(["fit", "y ~ x", csv, "--output", str(tmp_path / "no" / "out")]) == 1
    assert capsys.readouterr().err.startswith("glmcount: error: ")


def test_json_is_strict_and_complete(called, csv, capsys):
    assert cli.main(["fit", "y ~ x", csv, "--format", "json", "--alpha", "0.25"]) == 0

    def refuse(constant):
        raise AssertionError(f"{constant} is not JSON")

    found = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert found.pop("glmcount")
    assert found == {
        "formula": "y ~ x",
        "family": "poisson",
        "family_alpha": None,
        "link": "log",
        "offset": None,
        "exposure": None,
        "weights": None,
        "weights_type": "frequency",
        "inflate": None,
        "hurdle": None,
        "zero": None,
        "truncated": None,
        "censored": None,
        "dispersion": None,
        "params": {"Intercept": 1.0, "x": None},
        "bse": {"Intercept": 0.5, "x": None},
        "tvalues": {"Intercept": 2.0, "x": None},
        "pvalues": {"Intercept": 0.0455, "x": None},
        "conf_level": 0.75,
        "conf_int": {"Intercept": [0.75, 1.25], "x": [None, None]},
        "nobs": 6.0,
        "n_dropped": 0,
        "dropped": {"x missing": 2},
        "df_model": 1,
        "df_resid": 4,
        "llf": None,
        "llnull": None,
        "aic": None,
        "bic": None,
        "aicc": None,
        "prsquared": None,
        "deviance": 1.5,
        "null_deviance": None,
        "pearson_chi2": 2.5,
        "scale": 1.25,
        "cov_type": "HC1",
        "method": "newton",
        "converged": True,
        "certificate": {"rho": 2e-9, "leverage": [1.0, None]},
        "warnings": ["2 rows left out"],
    }


def test_ratios_in_json_are_misuse(called, csv, capsys):
    assert cli.main(["fit", "y ~ x", csv, "--format", "json", "--exponentiate"]) == 2
    assert "--exponentiate" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["fit"],
        ["fit", "y ~ x"],
        ["fit", "y ~ x", "d.csv", "--format", "docx"],
        ["fit", "y ~ x", "d.csv", "--alpha", "1"],
        ["fit", "y ~ x", "d.csv", "--alpha", "a"],
        ["fit", "y ~ x", "d.csv", "--family-alpha", "-1"],
        ["fit", "y ~ x", "d.csv", "--family-alpha", "nan"],
        ["fit", "y ~ x", "d.csv", "--freq-weights", "w"],
        ["unknown"],
    ],
)
def test_a_command_that_cannot_be_understood_ends_with_2(words, capsys):
    assert cli.main(words) == 2
    assert "glmcount fit --help" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["fit", "--help"]])
def test_asking_about_the_program_ends_with_0(words, capsys):
    assert cli.main(words) == 0
    assert "glmcount" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("error", "code"), [(DataError("row 3 is negative"), 1), (UsageError("no such cov"), 2)]
)
def test_errors_of_glmcount_are_a_message_and_a_code(monkeypatch, csv, capsys, error, code):
    def fit(formula, data, **keywords):
        raise error

    monkeypatch.setattr(cli, "fit", fit)
    assert cli.main(["fit", "y ~ x", csv]) == code
    captured = capsys.readouterr()
    assert captured.err == f"glmcount: error: {error}\n"
    assert captured.out == ""


def test_warnings_of_glmcount_are_one_line_each_and_others_as_ever(monkeypatch, csv, capsys):
    def fit(formula, data, **keywords):
        for _ in range(2):
            warnings.warn(MissingRowsWarning("2 rows\n    left out"), stacklevel=1)
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.warn("from elsewhere", UserWarning, stacklevel=1)
        return Stub()

    shown = []
    monkeypatch.setattr(cli, "fit", fit)
    monkeypatch.setattr(warnings, "showwarning", lambda message, *rest: shown.append(str(message)))
    assert cli.main(["fit", "y ~ x", csv]) == 0
    assert capsys.readouterr().err == "glmcount: warning: 2 rows left out\n" * 2
    assert shown == ["from elsewhere"]


def test_reading_by_ending(tmp_path):
    csv, tsv = tmp_path / "a.CSV", tmp_path / "a.tsv"
    DATA.to_csv(csv, index=False)
    DATA.to_csv(tsv, sep="\t", index=False)
    for plain in (csv, tsv):
        packed = Path(f"{plain}.gz".lower())
        packed.write_bytes(gzip.compress(plain.read_bytes()))
        pd.testing.assert_frame_equal(cli.read(str(plain)), DATA)
        pd.testing.assert_frame_equal(cli.read(str(packed)), DATA)


@pytest.mark.parametrize(("given", "separator"), [(";", ";"), ("|", "|"), (r"\t", "\t")])
def test_reading_with_another_separator(tmp_path, capsys, given, separator):
    path = tmp_path / "a.csv"
    DATA.to_csv(path, sep=separator, index=False)
    pd.testing.assert_frame_equal(cli.read(str(path), given), DATA)
    assert cli.main(["fit", "y ~ x", str(path), "--sep", given]) == 0
    assert "6 rows used" in capsys.readouterr().out
    path.write_text(f"y{separator}x\n1{separator}2{separator}3\n")
    with pytest.raises(DataError, match="line 2 has 3 fields"):
        cli.read(str(path), given)


@pytest.mark.parametrize("given", ["", ";;", "\n", '"', r"\n"])
def test_a_separator_is_one_character(csv, capsys, given):
    assert cli.main(["fit", "y ~ x", csv, "--sep", given]) == 2
    assert "--sep must be one character" in capsys.readouterr().err


def test_parquet_has_no_separator(tmp_path, capsys):
    assert cli.main(["fit", "y ~ x", str(tmp_path / "a.parquet"), "--sep", ";"]) == 2
    assert "--sep" in capsys.readouterr().err


def test_most_iterations(called, csv, capsys):
    assert cli.main(["fit", "y ~ x", csv, "--maxiter", "7"]) == 0
    assert called[0][2]["control"].maxiter == 7
    for wrong in ("0", "x"):
        assert cli.main(["fit", "y ~ x", csv, "--maxiter", wrong]) == 2
    assert "maxiter" in capsys.readouterr().err


def test_reading_parquet(tmp_path):
    pytest.importorskip("pyarrow")
    DATA.to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(cli.read(str(tmp_path / "a.parquet")), DATA)


def test_parquet_without_pyarrow_names_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match="pip install 'glmcount"):
        cli.read(str(tmp_path / "a.parquet"))


def test_reading_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("y,x\n1,2\n"))
    assert cli.read("-").to_dict("list") == {"y": [1], "x": [2]}


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("missing.csv", None, "unreadable_file"),
        ("empty.csv", b"", "unreadable_file"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n", "unreadable_file"),
        ("latin.csv", b"a\n\xff\xfe\xff\n", "unreadable_file"),
        ("notgz.csv.gz", b"a,b\n1,2\n", "unreadable_file"),
        ("cut.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 999, mtime=0)[:-12], "unreadable_file"),
        ("not.parquet", b"PAR0", "unreadable_file"),
        ("data.xlsx", b"", "unknown_format"),
    ],
)
def test_files_that_cannot_be_read(tmp_path, capsys, name, content, kind):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        cli.read(str(path))
    assert caught.value.kind == kind
    assert cli.main(["fit", "y ~ x", str(path)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"glmcount: error: {path}")
    assert err.count("\n") == 1


def test_a_terminal_without_the_letters_still_gets_the_table(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    cli._write("größe 1.0", None)
    assert raw.getvalue() == b"gr\\xf6\\xdfe 1.0\n"


# From here on nothing is replaced: the whole way from a file to a result.


@pytest.fixture(scope="module")
def visits(tmp_path_factory):
    path = tmp_path_factory.mktemp("visits") / "visits.csv"
    datasets.load("nmes1988").to_csv(path, index=False)
    return str(path)


@pytest.fixture(scope="module")
def fitted():
    return api.fit(FORMULA, datasets.load("nmes1988"))


@pytest.mark.parametrize("format", list(RENDERERS))
def test_a_file_gives_what_the_frame_gives(visits, fitted, capsys, format):
    assert cli.main(["fit", FORMULA, visits, "--format", format]) == 0
    captured = capsys.readouterr()
    assert captured.out == fitted.summary().render(format) + "\n"
    assert captured.err == ""


def test_json_of_a_real_fit(visits, fitted, capsys):
    assert cli.main(["fit", FORMULA, visits, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["params"] == fitted.params.to_dict()
    assert found["bse"] == fitted.bse.to_dict()
    assert found["llf"] == fitted.llf
    assert found["nobs"] == 4406
    assert found["converged"] is True
    assert found["certificate"]["rho"] < 1e-6


PARTS = {
    "inflate": (
        ["--inflate", "chronic", "--zero", "probit"],
        {"inflate": "chronic", "zero": "probit"},
    ),
    "hurdle": (["--hurdle", "1"], {"hurdle": "1"}),
    "dispersion": (
        ["--dispersion", "school", "--family", "negbin"],
        {"dispersion": "school", "family": "negbin"},
    ),
    "censored": (["--censored", "10"], {"censored": 10}),
    "censored by expression": (["--censored", "school + 3"], {"censored": "school + 3"}),
}


@pytest.mark.parametrize("name", PARTS)
def test_parts_are_those_of_the_call(visits, capsys, name):
    words, options = PARTS[name]
    assert cli.main(["fit", "visits ~ chronic", visits, *words, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = api.fit("visits ~ chronic", datasets.load("nmes1988"), **options)
    assert found["params"] == expected.params.to_dict()
    assert found["llf"] == expected.llf
    assert found["deviance"] is None or "dispersion" in options
    assert cli.main(["fit", "visits ~ chronic", visits, *words]) == 0
    assert "Converged" in capsys.readouterr().out


def test_truncation_by_the_command_line(tmp_path, capsys):
    data = datasets.load("nmes1988").query("visits > 0")
    path = tmp_path / "some.csv"
    data.to_csv(path, index=False)
    words = ["fit", "visits ~ chronic", str(path), "--truncated", "0", "--format", "json"]
    assert cli.main(words) == 0
    expected = api.fit("visits ~ chronic", data, truncated=0)
    assert json.loads(capsys.readouterr().out)["llf"] == expected.llf


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["--inflate", "1", "--hurdle", "1"], 2, "choose one"),
        (["--zero", "probit"], 2, "inflate= or hurdle="),
        (["--truncated", "x"], 2, "x is not a whole number"),
        (["--truncated", "0"], 1, "1 or more"),
        (["--inflate", "chronc"], 1, "^"),
    ],
)
def test_parts_that_are_no_model_end_with_a_message(visits, capsys, words, code, text):
    assert cli.main(["fit", "visits ~ chronic", visits, *words]) == code
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    "family",
    [
        "poisson",
        "quasipoisson",
        "negbin",
        "geometric",
        "negbin1",
        "genpoisson",
        "compoisson",
        "pig",
    ],
)
def test_every_family_writes_text_and_json(visits, capsys, family):
    for format in ("text", "json"):
        words = ["fit", "visits ~ chronic", visits, "--family", family, "--format", format]
        assert cli.main(words) == 0
    assert capsys.readouterr().out.rstrip().endswith("}")


def test_robust_covariance_and_exposure(visits, capsys):
    words = ["--cov", "HC1", "--exposure", "age", "--format", "json"]
    assert cli.main(["fit", "visits ~ chronic", visits, *words]) == 0
    found = json.loads(capsys.readouterr().out)
    expected = api.fit("visits ~ chronic", datasets.load("nmes1988"), cov="HC1", exposure="age")
    assert found["bse"] == expected.bse.to_dict()


@pytest.mark.parametrize(
    ("words", "code", "text"),
    [
        (["visits ~ chronc"], 1, "chronic"),
        (["visits ~ chronic +* 2"], 1, "^"),
        (["visits ~ chronic", "--family", "poison"], 2, "poisson"),
        (["visits ~ chronic", "--cov", "HC9"], 2, "HC1"),
    ],
)
def test_real_errors_name_what_to_do_and_show_no_traceback(visits, capsys, words, code, text):
    assert cli.main(["fit", words[0], visits, *words[1:]]) == code
    err = capsys.readouterr().err
    assert err.startswith("glmcount: error: ")
    assert text in err
    assert "Traceback" not in err


def test_negative_counts_are_a_data_error(tmp_path, capsys):
    DATA.assign(y=-DATA["y"]).to_csv(tmp_path / "d.csv", index=False)
    assert cli.main(["fit", "y ~ x", str(tmp_path / "d.csv")]) == 1
    assert "negative" in capsys.readouterr().err


def test_missing_rows_are_said_on_standard_error(tmp_path, capsys):
    DATA.assign(x=[np.nan, *DATA["x"][1:]]).to_csv(tmp_path / "d.csv", index=False)
    assert cli.main(["fit", "y ~ x", str(tmp_path / "d.csv")]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("glmcount: warning: ") == captured.err.count("\n") >= 1
    assert "1 dropped" in captured.out


def test_the_module_runs_as_a_program(visits):
    words = [sys.executable, "-m", "glmcount", "fit", "visits ~ chronic", visits]
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.splitlines()[1] == "=" * 79
    bad = subprocess.run([*words[:4], "y ~ x"], capture_output=True, text=True, check=False)
    assert bad.returncode == 2


def test_some_of_the_coefficients(visits, capsys):
    formula = "visits ~ chronic + C(age) + hospital"
    assert cli.main(["fit", formula, visits]) == 0
    every = capsys.readouterr().out
    assert " levels: coef " in every
    assert cli.main(["fit", formula, visits, "--keep", "chronic", "--keep", "hosp*"]) == 0
    some = capsys.readouterr().out
    assert "C(age)  " not in some and "\nIntercept" not in some
    assert {"chronic", "hospital"} <= {line.split()[0] for line in some.splitlines() if line}
    assert cli.main(["fit", formula, visits, "--drop", "C(age)", "--exponentiate"]) == 0
    ratios = capsys.readouterr().out
    assert "C(age)  " not in ratios and "IRR" in ratios and "\nIntercept" in ratios
    assert cli.main(["fit", formula, visits, "--full"]) == 0
    assert len(capsys.readouterr().out.splitlines()) > len(every.splitlines()) + 20
    assert cli.main(["fit", formula, visits, "--keep", "chronc"]) == 2
    assert "'chronic'" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--keep", "x"], ["--drop", "x"], ["--full"]])
def test_the_json_has_all_coefficients(called, csv, capsys, words):
    assert cli.main(["fit", "y ~ x", csv, "--format", "json", *words]) == 2
    assert words[0] in capsys.readouterr().err


def test_warnings_have_options_as_the_command_line_has_them(capsys, tmp_path):
    """A response of rates: what to write instead are flags, and no calls of pandas."""
    path = tmp_path / "rates.csv"
    path.write_text("y;x\n" + "".join(f"{i % 4}.5;{i % 7},{i % 5}\n" for i in range(60)))
    assert cli.main(["fit", "y ~ x", str(path), "--sep", ";"]) == 0
    told = capsys.readouterr().err
    for words in ("--cov HC1", "--family quasipoisson", "by --decimal ','"):
        assert words in told
    assert "cov=" not in told
    assert "pandas" not in told


def test_decimal_commas_are_read(capsys, tmp_path):
    path = tmp_path / "commas.csv"
    points = tmp_path / "points.csv"
    rows = [(1, 0.5), (2, 1.5), (3, 0.75), (2, 2.5), (4, 3.0)]
    points.write_text("y,x\n" + "".join(f"{y},{x}\n" for y, x in rows))
    path.write_text("y;x\n" + "".join(f"{y};{x}\n".replace(".", ",") for y, x in rows))
    assert cli.main(["fit", "y ~ x", str(points), "--format", "json"]) == 0
    wanted = json.loads(capsys.readouterr().out)
    call = ["fit", "y ~ x", str(path), "--sep", ";"]
    assert cli.main([*call, "--decimal", ",", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["params"] == wanted["params"]
    # Without it they are levels, and what to write is told as flags, in the table too.
    assert cli.main(call) == 0
    told = capsys.readouterr()
    for text in (told.err, " ".join(told.out.split())):
        assert "Make numbers of it by --decimal ','" in text
        assert "pandas" not in text
    assert cli.main(["fit", "y ~ x", str(points), "--decimal", ";"]) == 2
    assert "--decimal must be ',' or '.'" in capsys.readouterr().err
    # Commas may do both where numbers stand in quotes.
    points.write_text("y,x\n" + "".join(f'{y},"{x}"\n'.replace(".", ",") for y, x in rows))
    call = ["fit", "y ~ x", str(points), "--decimal", ",", "--format", "json"]
    assert cli.main(call) == 0
    assert json.loads(capsys.readouterr().out)["params"] == wanted["params"]
    # Else a row has more fields than the header.
    points.write_text("y,x\n" + "".join(f"{y},{x}\n".replace(".", ",") for y, x in rows))
    assert cli.main(call) == 1
    assert "fields" in capsys.readouterr().err
    assert cli.main(["fit", "y ~ x", "a.parquet", "--decimal", ","]) == 2
    assert "--decimal out" in capsys.readouterr().err


def test_what_is_folded_is_told_as_flags(visits, capsys):
    assert cli.main(["fit", "visits ~ chronic + C(age)", visits]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "--full or --keep 'C(age)' shows each" in told
    assert "summary(" not in told
