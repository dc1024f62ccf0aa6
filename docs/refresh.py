"""Run the Python blocks of the Markdown pages; compare, or rewrite, the outputs shown.

A page's blocks run in order in one fresh namespace. What a block prints is the content of the
``text`` block that follows it; a block that prints must have one. A block marked
``python torch`` runs against PyTorch where that is installed, else against `torch_stand_in`.

    python docs/refresh.py            # exit 1 and a diff when a page is out of date
    python docs/refresh.py --write    # put the real outputs into the pages
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import importlib.util
import io
import re
import sys
import tempfile
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent

BLOCK = re.compile(
    r"^```python(?P<mark>[ \w]*)\n(?P<code>.*?)^```\n"
    r"(?:\n*^```text\n(?P<shown>.*?)^```$)?",
    re.MULTILINE | re.DOTALL,
)

# A number of rounding size, such as the rho of a converged fit: its digits are those of the
# machine's linear algebra library, so a page may show any.
ROUNDING = re.compile(r"\b\d(?:\.\d+)?e-(?:1[2-9]|[2-9]\d|\d{3})\b")


@dataclass(frozen=True)
class Block:
    """One ``python`` block and the ``text`` block below it.

    Parameters
    ----------
    line : int
        Line of the page on which the code starts.
    mark : str
        What stands after ``python`` in the fence.
    code : str
        The code.
    shown : str or None
        The output the page shows; None without a ``text`` block.
    span : tuple of int
        Where `shown` lies in the page's text.
    """

    line: int
    mark: str
    code: str
    shown: str | None
    span: tuple[int, int]


def pages() -> list[Path]:
    """README and every Markdown page of the documentation."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(text: str) -> list[Block]:
    """The Python blocks of a page, in order."""
    return [
        Block(
            line=text.count("\n", 0, found.start("code")) + 1,
            mark=found["mark"].strip(),
            code=found["code"],
            shown=found["shown"],
            span=found.span("shown"),
        )
        for found in BLOCK.finditer(text)
    ]


def torch_stand_in() -> types.ModuleType:
    """The little of PyTorch that the pages use: its Poisson loss in three lines of numpy."""

    def poisson_loss(*, log_input: bool, full: bool, reduction: str) -> object:
        assert log_input and reduction == "sum"

        def loss(eta: np.ndarray, y: np.ndarray) -> np.float64:
            large = np.where(y > 1, y, 2.0)
            stirling = large * np.log(large) - large + 0.5 * np.log(2 * np.pi * large)
            return np.sum(np.exp(eta) - y * eta + full * np.where(y > 1, stirling, 0.0))

        return loss

    torch = types.ModuleType("torch")
    torch.from_numpy = np.asarray  # type: ignore[attr-defined]
    torch.nn = types.SimpleNamespace(PoissonNLLLoss=poisson_loss)  # type: ignore[attr-defined]
    return torch


@contextlib.contextmanager
def torch_importable() -> Iterator[None]:
    """A context in which ``import torch`` works, by the stand-in if need be."""
    if importlib.util.find_spec("torch") is not None:
        yield
        return
    # Only around the block that asks for it: other libraries look for torch in sys.modules.
    sys.modules["torch"] = torch_stand_in()
    try:
        yield
    finally:
        del sys.modules["torch"]


def run(block: Block, page: Path, namespace: dict[str, object]) -> str:
    """What `block` prints, run in `namespace`."""
    # Empty lines in front make the line numbers of a traceback those of the page.
    code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
    about = torch_importable() if block.mark == "torch" else contextlib.nullcontext()
    with about, contextlib.redirect_stdout(io.StringIO()) as stream:
        exec(code, namespace)
    return "".join(line.rstrip() + "\n" for line in stream.getvalue().splitlines())


def outputs(page: Path) -> list[str]:
    """What each block of `page` prints, run in a scratch directory."""
    namespace: dict[str, object] = {"__name__": "__main__"}
    found = blocks(page.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):
        return [run(block, page, namespace) for block in found]


def refreshed(page: Path) -> str:
    """The text of `page` with the outputs its blocks print now."""
    text = page.read_text(encoding="utf-8")
    pairs = list(zip(blocks(text), outputs(page), strict=True))
    for block, printed in reversed(pairs):
        if block.shown is not None:
            if ROUNDING.sub("~0", printed) == ROUNDING.sub("~0", block.shown):
                continue
            text = text[: block.span[0]] + printed + text[block.span[1] :]
        elif printed:
            raise SystemExit(f"{page}:{block.line}: this block prints and no text block follows it")
    return text


def differences(page: Path) -> str:
    """A diff from the page as it stands to the page as it should be; empty when equal."""
    old, new = page.read_text(encoding="utf-8"), refreshed(page)
    return "".join(
        difflib.unified_diff(
            old.splitlines(keepends=True), new.splitlines(keepends=True), str(page), "as run"
        )
    )


def main() -> int:
    """Compare or rewrite all pages, or those named."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, help="the pages; all when none is named")
    parser.add_argument("--write", action="store_true", help="rewrite the outputs in the pages")
    options = parser.parse_args()
    stale = 0
    for page in options.pages or pages():
        found = differences(page.resolve())
        print(found, end="")
        stale += bool(found)
        if options.write and found:
            page.write_text(refreshed(page.resolve()), encoding="utf-8")
    return 0 if options.write else int(stale > 0)


if __name__ == "__main__":
    sys.exit(main())
