"""The command line: rows that do not fit their header, addresses, and what the JSON tells."""

from __future__ import annotations

import gzip
import io
import json

import pytest

from glmcount import cli

LINES = ["y,x,t", "1,0,1", "2,1,3", "3,2,2", "4,0,1", "5,1,2", "7,2,1"]


def run(capsys, tmp_path, lines, *more, name="data.csv", formula="y ~ x"):
    path = tmp_path / name
    text = "\n".join(lines) + "\n"
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(text.encode()))
    else:
        path.write_text(text, encoding="utf-8")
    code = cli.main(["fit", formula, str(path), *more])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("name", ["data.csv", "data.csv.gz", "data.tsv", "data.tsv.gz"])
@pytest.mark.parametrize("places", [range(1, 7), [1], [3], [6], [2, 5]])
def test_a_row_longer_than_the_header_is_refused_with_its_line(capsys, tmp_path, name, places):
    lines = [line + (",9" if i in places else "") for i, line in enumerate(LINES)]
    if "tsv" in name:
        lines = [line.replace(",", "\t") for line in lines]
    code, out, err = run(capsys, tmp_path, lines, name=name)
    assert code == 1
    assert out == ""
    assert f"line {min(places) + 1} has 4 fields, the header 3" in err


def test_a_longer_row_of_standard_input_is_refused(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("y,x\n1,2,3\n2,3,4\n"))
    assert cli.main(["fit", "y ~ x", "-"]) == 1
    assert "line 2 has 3 fields" in capsys.readouterr().err


def test_quoted_separators_and_short_rows_are_as_before(capsys, tmp_path):
    lines = ["y,x,g", '1,0,"a,b"', '2,1,"c"', "3,2,c", '4,0,"a,b"', "5,1,c", "7,2"]
    code, _, err = run(capsys, tmp_path, lines, formula="y ~ x + g")
    assert code == 0
    assert "g missing 1" in err


@pytest.mark.parametrize("header", ["y,x,x", "x,y,x", "y, x,x", "y,y,x"])
def test_a_header_that_names_a_column_twice_is_refused(capsys, tmp_path, header):
    code, out, err = run(capsys, tmp_path, [header, *LINES[1:]])
    assert code == 1
    assert out == ""
    assert "more than once" in err
    assert f"'{'y' if header.startswith('y,y') else 'x'}'" in err


def test_the_json_says_what_the_model_is(capsys, tmp_path):
    more = ["--format", "json", "--offset", "log(t)", "--weights", "t", "--family", "nb2"]
    code, out, _ = run(capsys, tmp_path, LINES, *more, "--weights-type", "importance")
    found = json.loads(out)
    assert code == 0
    assert found["family"] == "negbin"
    assert found["link"] == "log"
    assert found["offset"] == "log(t)"
    assert found["weights"] == "t"
    assert found["weights_type"] == "importance"
    assert found["exposure"] is None
    plain = json.loads(run(capsys, tmp_path, LINES, "--format", "json", "--link", "sqrt")[1])
    assert (plain["family"], plain["link"]) == ("poisson", "sqrt")
    assert (plain["offset"], plain["weights"]) == (None, None)
    zero = json.loads(
        run(capsys, tmp_path, LINES, "--format", "json", "--inflate", "1", "--exposure", "t")[1]
    )
    assert (zero["inflate"], zero["exposure"]) == ("1", "t")


@pytest.mark.parametrize(
    "path", ["s3://bucket/d.csv", "gs://b/d.csv", "ftp://h/d.csv", "hdfs://d.parquet"]
)
def test_addresses_that_cannot_be_read_are_named(capsys, path):
    assert cli.main(["fit", "y ~ x", path]) == 1
    err = capsys.readouterr().err
    assert path.split(":")[0] + " addresses cannot be read" in err
    assert "http, https, file" in err


def test_addresses_that_can_be_read_are_in_the_help(capsys, tmp_path):
    assert cli.main(["fit", "--help"]) == 0
    assert "URL" in capsys.readouterr().out
    path = tmp_path / "d.csv"
    path.write_text("\n".join(LINES) + "\n", encoding="utf-8")
    assert cli.main(["fit", "y ~ x", path.as_uri()]) == 0
    assert cli.main(["fit", "y ~ x", (tmp_path / "no.csv").as_uri()]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_an_output_that_has_no_place_is_refused_before_the_fit(capsys, tmp_path):
    for place in (tmp_path / "no" / "out.txt", tmp_path):
        code, _, err = run(capsys, tmp_path, ["y,x", "no,data"], "--output", str(place))
        assert code == 1
        assert "--output" in err
        assert str(place) in err
