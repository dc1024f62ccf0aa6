"""What an installation gets: the packages, the files beside them, one version everywhere."""

from __future__ import annotations

import configparser
import fnmatch
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import glmcount

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "glmcount"


def setup_cfg() -> configparser.ConfigParser:
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


def requirements(text: str) -> dict[str, str]:
    lines = [line.strip() for line in text.splitlines()]
    found = [re.fullmatch(r"([a-z0-9-]+)([>=]=)(.+)", line) for line in lines]
    return {match[1]: match[2] + match[3] for match in found if match}


def test_every_room_is_a_package():
    rooms = {path.parent for path in PACKAGE.rglob("*.py")}
    assert [room for room in sorted(rooms) if not (room / "__init__.py").exists()] == []


def test_every_data_file_is_shipped():
    patterns = setup_cfg()["options.package_data"]["glmcount"].split()
    files = [
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts
    ]
    missed = [name for name in files if not any(fnmatch.fnmatch(name, p) for p in patterns)]
    assert "py.typed" in files
    assert missed == []


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^version: (.+)$", citation, re.MULTILINE)[1] == glmcount.__version__
    assert re.search(r"^## (\S+)", changes, re.MULTILINE)[1] == glmcount.__version__


def test_the_oldest_releases_are_the_floors():
    floors = requirements(setup_cfg()["options"]["install_requires"])
    oldest = requirements((ROOT / "tests" / "oldest.txt").read_text(encoding="utf-8"))
    assert {name: bound.removeprefix(">=") for name, bound in floors.items()} == {
        name: bound.removeprefix("==").removesuffix(".*") for name, bound in oldest.items()
    }


def test_linters_and_pytest_are_pinned():
    test = requirements(setup_cfg()["options.extras_require"]["test"])
    assert [name for name in ("pytest", "ruff", "mypy") if not test[name].startswith("==")] == []


@pytest.fixture
def beside_a_clone(tmp_path):
    """Python started in the folder that holds a clone, as installed: by no path of the tests."""
    clone = tmp_path / "glmcount"
    (clone / "glmcount").mkdir(parents=True)
    (clone / "setup.cfg").write_text("[metadata]\nname = glmcount\n", encoding="utf-8")
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}

    def run(code):
        command = [sys.executable, "-c", code]
        return subprocess.run(command, cwd=tmp_path, env=plain, capture_output=True, text=True)

    known = run("import importlib.metadata as m; m.distribution('glmcount')")
    if known.returncode:
        pytest.skip("glmcount is not installed here, only found by its path")
    return run


def test_a_folder_named_glmcount_does_not_hide_the_package(beside_a_clone):
    """A folder without ``__init__.py`` is a package too, an empty one, unless a real one is found
    by the path, where an installation in place has to put it."""
    found = beside_a_clone("import glmcount; print(glmcount.fit.__name__, glmcount.__version__)")
    assert found.stdout.split() == ["fit", glmcount.__version__], found.stderr


def test_python_would_find_the_folder(beside_a_clone):
    """That the test above stands where the mistake is made."""
    found = beside_a_clone("import os, sys; print(sys.path[0] == '', os.listdir())")
    assert found.stdout.strip() == "True ['glmcount']"


def test_every_target_says_how_long_it_takes():
    targets = re.findall(r"^([a-z-]+):.*## (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"help", "demo", "test", "lint", "docs", "pages", "clean"} <= {
        name for name, _ in targets
    }
    assert [told for _, told in targets if not re.search(r" \(\d+ (s|minutes?)\)$", told)] == []
