"""Write ``docs/start/troubleshooting.md``: every kind of error and warning, with a real message.

    python docs/make_troubleshooting.py            # exit 1 and a diff when the page is out of date
    python docs/make_troubleshooting.py --write    # rewrite the page

What is said of a kind stands in ``docs/troubles/*.toml``, one table a kind: ``code`` that makes
the message, ``why`` it is there and what to ``do``. ``same`` is the kind whose `why` and `do` serve
too, ``shell`` the command line that is shown in the place of the code. Where no short example of a
user's has the message ``rare`` says what it takes; the code, if there is any, is then not shown,
and else ``message`` is the text as the source has it.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import difflib
import sys
import tempfile
import tomllib
import warnings
from dataclasses import dataclass
from pathlib import Path

import kinds as source

import glmcount as gc

HERE = Path(__file__).resolve().parent
PAGE = HERE / "start" / "troubleshooting.md"
TROUBLES = HERE / "troubles"

SETUP = """\
import numpy as np
import pandas as pd

import glmcount as gc

data = pd.DataFrame(
    {
        "y": [1, 3, 2, 6, 4, 5, 2, 2, 0, 3, 7, 1],
        "x": [0, 1] * 6,
        "z": [0.5, 1.5, 2.5, 1.0, 3.0, 0.2, 2.2, 1.1, 0.7, 2.9, 1.8, 0.4],
        "g": list("aabbccaabbcc"),
        "unit": [1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6],
        "time": range(1, 13),
        "n": [2] * 12,
    }
)
r = gc.fit("y ~ x", data)
"""

HEAD = """\
# Troubleshooting, by message

Every error and warning has a *kind*, one word that names the problem, and a class that names its
group. Here is each kind with a message as it is printed, why it is there and what to do. An error
ends at your own line; `gc.errors.full_tracebacks(True)` shows every frame below it. Search the page
for words of your message, or for the kind:

```python
import warnings

import glmcount as gc

try:
    gc.fit("y ~ x", {"y": [1, -3], "x": [0, 1]})
except gc.errors.GlmcountError as error:
    print(type(error).__name__, error.kind)

with warnings.catch_warnings():
    warnings.simplefilter("ignore", gc.errors.SampleWarning)  # silence one class
    r = gc.fit("y ~ x", {"y": [1, 3], "x": [0, 1]})
print([warning.kind for warning in r.warnings])
```

```text
DataError negative_response
['saturated']
```

Warnings of a fit stay in `r.warnings`. To make errors of a class of them:
`warnings.simplefilter("error", gc.errors.SeparationWarning)`. All errors are `GlmcountError`, and
`ValueError` too; all warnings are `GlmcountWarning`.

Written by `make docs` from `docs/troubles`; edit there, not here. The examples share this:

"""


@dataclass(frozen=True)
class Trouble:
    """What is said of one kind."""

    kind: str
    code: str = ""
    why: str = ""
    do: str = ""
    same: str = ""
    shell: str = ""
    rare: str = ""
    message: str = ""


@dataclass(frozen=True)
class Section:
    """A file of troubles; of `shared` ones only the examples differ."""

    title: str
    about: str
    troubles: tuple[Trouble, ...]
    shared: bool = False


def sections() -> list[Section]:
    """The files, in the order of their names."""
    out = []
    for path in sorted(TROUBLES.glob("*.toml")):
        told = tomllib.loads(path.read_text(encoding="utf-8"))
        title, about, shared = told.pop("title"), told.pop("about"), told.pop("shared", False)
        troubles = tuple(Trouble(kind, **fields) for kind, fields in told.items())
        out.append(Section(title, about, troubles, shared))
    return out


def said(kind: str, code: str, shared: dict[str, object]) -> str:
    """The class and the message of that kind which `code` brings about."""
    # Each example may change its data; functions and modules are no part of it.
    namespace = {
        name: copy.deepcopy(value) if name in ("data", "r") else value
        for name, value in shared.items()
    }
    modules = dict(sys.modules)
    problem: BaseException | None = None
    with (
        tempfile.TemporaryDirectory() as scratch,
        contextlib.chdir(scratch),
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        try:
            exec(compile(code.strip(), f"<{kind}>", "exec"), namespace)
        except gc.errors.GlmcountError as error:
            problem = error
        finally:
            sys.modules.update(modules)
            for name in set(sys.modules) - set(modules):
                if sys.modules[name] is None:
                    del sys.modules[name]
    seen = (problem, *(warning.message for warning in caught))
    for one in seen:
        if getattr(one, "kind", None) == kind:
            return f"{type(one).__name__}: {one}"
    came = [
        getattr(one, "kind", repr(one)) for one in (problem, *(w.message for w in caught)) if one
    ]
    raise SystemExit(f"the example of {kind} gives {came or 'nothing'}")


def session(code: str) -> str:
    """Code as it is typed: the first line of each statement has a prompt."""
    lines = [line for line in code.strip().splitlines() if line]
    first = {node.lineno for node in ast.parse("\n".join(lines)).body}
    return "\n".join(
        f"{'>>>' if number in first else '...'} {line}".rstrip()
        for number, line in enumerate(lines, 1)
    )


def entry(trouble: Trouble, owners: set[str], known: dict[str, Trouble], shared: dict) -> str:
    """What the page has of one kind."""
    parts = [f"### `{trouble.kind}`", " or ".join(f"`{owner}`" for owner in sorted(owners))]
    if trouble.code and not trouble.rare:
        shown = f"$ {trouble.shell}" if trouble.shell else session(trouble.code)
        fence = "sh" if trouble.shell else "pycon"
        parts.append(f"```{fence}\n{shown}\n```")
    message = said(trouble.kind, trouble.code, shared) if trouble.code else trouble.message
    parts.append(f"```text\n{message.strip()}\n```")
    about = known.get(trouble.same, trouble)
    parts += [text for text in (trouble.rare, about.why) if text]
    if trouble.same == "options":
        parts.append("See [values of options](#values-of-options).")
    if about.do:
        parts.append(f"**What to do.** {about.do}")
    return "\n\n".join(parts)


def overview(found: dict[str, set[str]]) -> str:
    """The classes, each with its kinds."""
    rows = ["| class | what it says | kinds |", "|---|---|---|"]
    for name in gc.errors.__all__:
        own = [kind for kind, owners in found.items() if name in owners]
        if own:
            says = getattr(gc.errors, name).__doc__.split("\n")[0]
            links = ", ".join(f"[{kind}](#{kind})" for kind in own)
            rows.append(f"| `{name}` | {says} | {links} |")
    return "\n".join(rows)


def page() -> str:
    """The whole page."""
    found = source.kinds()
    chapters = sections()
    known = {trouble.kind: trouble for chapter in chapters for trouble in chapter.troubles}
    if missing := sorted(set(found) - set(known)):
        raise SystemExit(f"no entry in docs/troubles for: {', '.join(missing)}")
    if excess := sorted(set(known) - set(found)):
        raise SystemExit(f"docs/troubles has entries of kinds that are not raised: {excess}")
    shared: dict[str, object] = {"__name__": "__main__"}
    exec(SETUP, shared)
    parts = [f"{HEAD}```python\n{SETUP}```", overview(found)]
    for chapter in chapters:
        parts.append(f"## {chapter.title}")
        if chapter.about:
            parts.append(chapter.about)
        parts += [entry(each, found[each.kind], known, shared) for each in chapter.troubles]
    text = "\n\n".join(parts) + "\n"
    return "\n".join(line.rstrip() for line in text.split("\n"))


def main() -> int:
    """Compare or rewrite the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="rewrite the page")
    options = parser.parse_args()
    old, new = PAGE.read_text(encoding="utf-8") if PAGE.exists() else "", page()
    if options.write:
        PAGE.write_text(new, encoding="utf-8")
        return 0
    diff = difflib.unified_diff(old.splitlines(), new.splitlines(), PAGE.name, "as generated")
    print("\n".join(diff))
    return int(old != new)


if __name__ == "__main__":
    sys.exit(main())
