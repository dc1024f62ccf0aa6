"""``llms.txt``: the pages in the order of the index, one line of each (https://llmstxt.org)."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent
PAGE = ROOT / "llms.txt"
INDEX = ROOT / "index.md"

HEAD = """\
# glmcount

> {told}

Python 3.11 or later; `import glmcount as gc`, `r = gc.fit("y ~ x", data, family="negbin")`,
`print(r.summary())`. Names are statsmodels' where it has one. Every Python block of these pages is
run by the tests, and the text below a block is what it prints.
"""

# An item of a list that begins with its link.
ITEM = re.compile(
    r"^(?:-|\d+\.) \[[^\]]*\]\(([^)#]+\.md)\): (.*?)(?=^(?:-|\d+\.) |^$|\Z)",
    re.MULTILINE | re.DOTALL,
)
LINK = re.compile(r"\[[^\]]*\]\(([^)#]+\.md)(?:#[^)]*)?\)", re.DOTALL)
# How a page is made is not what it is about.
MADE = re.compile(r"Written by|Nothing on this page")


def title_and_sentence(page: Path) -> tuple[str, str]:
    """The heading of a page and the first sentence that says what it is about."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    paragraphs = re.split(r"\n\s*\n", text.strip())
    title = paragraphs[0].splitlines()[0].lstrip("# ")
    prose = [" ".join(each.split()) for each in paragraphs[1:] if each[0] not in "#>|-!<"]
    sentences = re.split(r"(?<=[.?!:]) +(?=[A-Z*`\[])", " ".join(prose[:2]))
    chosen = next((each for each in sentences if not MADE.match(each)), "")
    return title, unlinked(chosen).rstrip(":") or title


def unlinked(text: str) -> str:
    """On one line, links as their words."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(text.split()))


def listed() -> str:
    """The whole file."""
    index = INDEX.read_text(encoding="utf-8")
    parts = [HEAD.format(told=title_and_sentence(INDEX)[1])]
    seen: set[str] = set()
    before, *sections = re.split(r"^## ", index, flags=re.MULTILINE)
    # What the index says before its first heading belongs to the first list.
    title, _, rest = sections[0].partition("\n")
    for section in (f"{title}\n{before}\n{rest}", *sections[1:]):
        told_here = {target: unlinked(told) for target, told in ITEM.findall(section)}
        targets = [target for target in LINK.findall(section) if target not in seen]
        if targets:
            parts.append(f"## {section.splitlines()[0].strip()}\n")
            for target in dict.fromkeys(targets):
                title, told = title_and_sentence((ROOT / target).resolve())
                parts.append(f"- [{title}]({target}): {told_here.get(target, told)}")
            parts.append("")
            seen.update(targets)
    return "\n".join(parts).rstrip("\n") + "\n"
