"""What the pages for beginners say of the formula language and of messages is complete and true."""

from __future__ import annotations

import ast
import re
import warnings
from pathlib import Path

import make_troubleshooting
import numpy as np
import pandas as pd
import patsy
import pytest
import refresh

import glmcount as gc
from glmcount.language.node import ARITHMETIC, COMPARISONS, LOGIC, WORDS
from glmcount.language.parse import parse

START = refresh.ROOT / "docs" / "start"
FORMULAS = (START / "formulas.md").read_text(encoding="utf-8")
# A cell of a table: a bar inside code is written \|.
CELL = re.compile(r"(?<!\\)\|")


def tables(first: str) -> dict[str, list[list[str]]]:
    """Rows of the tables whose first column is called so, by the heading above each."""
    found: dict[str, list[list[str]]] = {}
    heading, inside = "", False
    for line in FORMULAS.splitlines():
        if line.startswith("#"):
            heading, inside = line.strip("# "), False
        elif line.startswith(f"| {first} |"):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not line.startswith("|---"):
            cells = [cell.strip().replace(r"\|", "|") for cell in CELL.split(line)[1:-1]]
            found.setdefault(heading, []).append(cells)
    return found


def code(cell: str) -> str:
    """The code of a cell."""
    return re.fullmatch(r"(`+) ?(.*?) ?\1", cell)[2]


def data() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "y": rng.poisson(3.0, 90),
            "x": rng.uniform(1.0, 9.0, 90),
            "z": rng.normal(size=90),
            "t": rng.uniform(1.0, 5.0, 90),
            "g": np.tile(["a", "b", "c"], 30),
            "k": np.repeat([1, 2, 3], 30),
            "odd name": rng.normal(size=90),
        }
    )
    frame.loc[:3, "z"] = np.nan
    return frame


def anchors(page: Path) -> list[str]:
    """What GitHub calls the headings of a page."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


HERE = tables("here")
PIECES = [code(row[0]) for rows in HERE.values() for row in rows]
REFUSED = [code(row[0]) for rows in tables("refused").values() for row in rows]


@pytest.mark.parametrize("piece", PIECES)
def test_what_the_table_of_formulas_has_is_a_formula(piece):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", gc.errors.MissingRowsWarning)
        assert gc.fit(f"y ~ {piece}", data()).converged


@pytest.mark.parametrize("piece", REFUSED)
def test_what_it_calls_refused_is_refused(piece):
    with pytest.raises((gc.errors.FormulaError, gc.errors.DataError)):
        gc.fit(f"y ~ {piece}", data())


def test_the_table_of_formulas_has_every_word_and_operator():
    factors = [code(row[0]) for title, rows in HERE.items() if title != "Terms" for row in rows]
    nodes = [node for piece in factors for node in parse(piece, list(data())).tree.walk()]
    words = {n.name for n in nodes if n.kind in ("elementary", "transform", "contrast", "factor")}
    words |= {word for word in ("I", "Q") if any(f"{word}(" in piece for piece in PIECES)}
    assert words == WORDS
    signs = {n.name for n in nodes if n.kind in ("arithmetic", "logic", "compare")}
    assert signs == {*ARITHMETIC.values(), *LOGIC.values(), *COMPARISONS.values(), "~"}


def test_its_columns_are_those_of_the_four_languages():
    assert {len(row) for rows in HERE.values() for row in rows} == {5}
    assert len(PIECES) == len(set(PIECES))


@pytest.mark.parametrize("page", sorted(START.glob("*.md")), ids=lambda page: page.stem)
def test_links_into_pages_meet_a_heading(page):
    links = re.findall(r"\]\(([^):#]*)#([^)]+)\)", page.read_text(encoding="utf-8"))
    aims = [(page.parent / name if name else page, at) for name, at in links]
    assert [(aim.name, at) for aim, at in aims if at not in anchors(aim)] == []
    assert len(anchors(page)) == len(set(anchors(page)))


COMING = (START / "coming-from.md").read_text(encoding="utf-8")
CALLS = [
    call
    for line in COMING.splitlines()
    if line.startswith("| `")
    for call in re.findall(r"`([^`]*)`", CELL.split(line)[1])
    if call.startswith(("r", "gc."))
]


@pytest.fixture(scope="module")
def fitted():
    frame = data().fillna({"z": 0.0})
    frame["y"] = np.random.default_rng(6).poisson(np.exp(0.3 * frame.x))
    frame["o"], frame["n"], frame["w"] = np.log(frame.t), 2, frame.t
    frame["h"], frame["time"] = np.tile(list("uvwxyq"), 15), np.arange(90)
    r0, r = gc.fit("y ~ x + g", frame), gc.fit("y ~ x + z + g", frame)
    X = np.column_stack([np.ones(90), frame.x])
    s = gc.fit("y ~ t + h", frame)
    return {"gc": gc, "d": frame, "r0": r0, "r": r, "s": s, "y": frame.y.to_numpy(), "X": X}


@pytest.mark.parametrize("call", CALLS)
def test_what_is_written_here_for_other_programs_runs(call, fitted):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", gc.errors.GlmcountWarning)
        found = eval(call, dict(fitted))  # noqa: S307
    assert np.size(getattr(found, "bse", found)) > 0


def patterns() -> list[re.Pattern[str]]:
    """The texts of the source, with anything in the place of what is filled in."""
    found = []
    for path in make_troubleshooting.source.PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(re.compile(re.escape(node.value)))
            elif isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(v.value) if isinstance(v, ast.Constant) else ".+" for v in node.values
                ]
                found.append(re.compile("".join(parts)))
    return found


def test_each_kind_says_why_it_is_there_and_what_to_do():
    chapters = make_troubleshooting.sections()
    known = {each.kind: each for chapter in chapters for each in chapter.troubles}
    for chapter in chapters:
        for each in chapter.troubles:
            about = known.get(each.same, each)
            assert chapter.shared or each.same == "options" or (about.why and about.do), each.kind
            assert bool(each.code) is not bool(each.message), each.kind
            assert not each.message or each.rare, each.kind


def test_messages_without_an_example_are_those_of_the_source():
    texts = patterns()
    for chapter in make_troubleshooting.sections():
        for each in chapter.troubles:
            if each.message:
                text = each.message.partition(": ")[2]
                assert any(pattern.fullmatch(text) for pattern in texts), each.kind


def test_a_kind_without_an_entry_is_told(monkeypatch):
    found = {**make_troubleshooting.source.kinds(), "new_kind": {"UsageError"}}
    monkeypatch.setattr(make_troubleshooting.source, "kinds", lambda: found)
    with pytest.raises(SystemExit, match="no entry in docs/troubles for: new_kind"):
        make_troubleshooting.page()


def test_an_example_that_gives_another_kind_is_told():
    with pytest.raises(SystemExit, match="the example of alpha gives nothing"):
        make_troubleshooting.said("alpha", "1 + 1", {})


def test_kinds_are_read_off_every_way_of_raising():
    found = make_troubleshooting.source.kinds()
    assert found["negative_response"] == {"DataError"}  # a literal
    assert found["data_changed"] == {"DataChangedError"}  # the class's own
    assert found["hypothesis"] == {"FormulaError", "UsageError"}  # through a function
    assert found["double_offset"] == {"DesignWarning"}  # of a pair
    assert {"weights_length", "alpha_boundary", "control"} <= set(found)  # computed, a constant


THEIRS = [(code(row[0]), row[4]) for rows in HERE.values() for row in rows]


@pytest.mark.parametrize(("piece", "cell"), THEIRS, ids=PIECES)
def test_what_the_table_has_of_statsmodels_makes_the_same_columns(piece, cell):
    # statsmodels reads formulas by patsy, which takes a condition on what is missing for False.
    frame = data() if "isnan" in piece else data().fillna({"z": 0.25})
    scope = patsy.EvalEnvironment([{"np": np}])
    if "of the call" in cell:
        with pytest.raises(patsy.PatsyError, match="offset"):
            patsy.dmatrix(piece, frame, eval_env=scope)
        return
    with np.errstate(all="ignore"):
        ours = gc.fit(f"y ~ {piece}", frame).design_matrix()
        theirs = patsy.dmatrix(piece if cell == "same" else code(cell), frame, eval_env=scope)
    # In their own order: patsy has factors before numbers.
    assert ours.shape == theirs.shape
    same = [
        [np.allclose(a, b, 1e-9, 1e-9) for b in np.asarray(theirs).T] for a in ours.T.to_numpy()
    ]
    assert np.any(same, axis=0).all() and np.any(same, axis=1).all()
