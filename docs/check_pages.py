"""Open every page in headless Chromium, on a telephone and on a desk, and look for faults.

    python docs/check_pages.py                       # exit 1 and a list where there are some
    python docs/check_pages.py --shots build/pages   # and a picture of each page at each width

Pages are rendered by markdown-it-py, with the anchors that GitHub gives headings. A fault is a
page that is wider than its window, a picture that does not load, and a link to a file or to an
anchor that is not there. Addresses elsewhere are not followed.
"""

from __future__ import annotations

import argparse
import functools
import html.parser
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote

import refresh
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = refresh.ROOT
SIZES = {"phone": (390, 844), "desktop": (1280, 900)}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    # Until the pages in frames have said what they say.
    "--virtual-time-budget=10000",
)
TIMEOUT = 300

STYLE = """
body { margin: 0 auto; max-width: 50rem; padding: 1rem; line-height: 1.5; color: #1f2328;
  font-family: system-ui, "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
pre { overflow-x: auto; background: #f6f8fa; padding: .8rem; border-radius: 6px;
  line-height: 1.35; }
code { font-family: "DejaVu Sans Mono", monospace; font-size: .85em; overflow-wrap: anywhere; }
pre code { overflow-wrap: normal; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
td, th { border: 1px solid #d1d9e0; padding: .3rem .6rem; vertical-align: top; }
td code, th code { overflow-wrap: normal; }
img { max-width: 100%; }
blockquote { margin-left: 0; padding-left: 1rem; border-left: .25rem solid #d1d9e0;
  color: #59636e; }
"""

# Each page tells the page that frames it how wide it is, and which of its pictures failed.
TELL = """
addEventListener("load", () => parent.postMessage({
  page: document.body.dataset.page,
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  lost: [...document.images].filter(i => !i.complete || !i.naturalWidth).map(i => i.alt || i.src),
}, "*"))
"""

# A window of headless Chromium is at least 500 pixels wide, so that pages are opened in frames.
FRAMES = """<!doctype html><meta charset="utf-8"><style>body {{ margin: 0 }}
iframe {{ border: 0; display: block }}</style><pre id="told" hidden></pre><script>
addEventListener("message", event => {{ told.textContent += JSON.stringify(event.data) + "\\n" }})
</script>{frames}"""


def pages() -> list[Path]:
    """README, the pages of the documentation, and those beside README."""
    return [*refresh.pages(), ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]


def plain(token: Token) -> str:
    """The words of a heading, without marks."""
    return "".join(each.content for each in token.children or [])


def anchor(words: str, taken: set[str]) -> str:
    """The anchor that GitHub gives a heading."""
    found = re.sub(r"[^\w\- ]", "", words.strip().lower()).replace(" ", "-")
    number, name = 0, found
    while name in taken:
        number += 1
        name = f"{found}-{number}"
    taken.add(name)
    return name


def rendered(text: str) -> str:
    """The body of a page as HTML; tables in boxes that scroll."""
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    tokens, taken = reader.parse(text), set()
    for before, token in pairwise(tokens):
        if before.type == "heading_open":
            before.attrSet("id", anchor(plain(token), taken))
    made = reader.renderer.render(tokens, reader.options, {})
    return made.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )


def whole(page: Path, root: Path) -> str:
    """A page as an HTML document."""
    name = page.relative_to(root).as_posix()
    body = re.sub(r'(href="[^":#]+)\.md(["#])', r"\1.html\2", rendered(page.read_text("utf-8")))
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}</title><style>{STYLE}</style><script>{TELL}</script></head>"
        f'<body data-page="{name}">{body}</body></html>'
    )


class Links(html.parser.HTMLParser):
    """What a page leads to, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value and (name, tag) in (("href", "a"), ("src", "img")):
                self.targets.append(value)
            if value and name in ("id", "name"):
                self.anchors.add(value)


@functools.cache
def links(page: Path) -> Links:
    """What a page leads to, read once."""
    return Links(rendered(page.read_text("utf-8")))


def broken_links(page: Path, root: Path = ROOT) -> Iterator[str]:
    """Links of a page to files and anchors that are not there."""
    for target in links(page).targets:
        if re.match(r"[a-z]+:", target):
            continue
        place, _, mark = unquote(target).partition("#")
        file = (page.parent / place).resolve() if place else page
        if not file.exists() or root not in (file, *file.parents):
            yield f"{target}: there is no such file"
            continue
        found = links(file).anchors if file.suffix == ".md" else {mark}
        if mark and mark not in found:
            yield f"{target}: {file.name} has no such anchor"


def chromium() -> str | None:
    """The browser, where there is one on the path."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None)


def built(folder: Path, chosen: list[Path], root: Path) -> dict[str, Path]:
    """Pages written to `folder` as HTML, their pictures beside them, by their names."""
    out = {}
    for page in chosen:
        name = page.relative_to(root).as_posix()
        out[name] = folder / Path(name).with_suffix(".html")
        out[name].parent.mkdir(parents=True, exist_ok=True)
        out[name].write_text(whole(page, root), encoding="utf-8")
        for picture in (*page.parent.glob("*.svg"), *page.parent.glob("*.png")):
            shutil.copy(picture, out[name].parent)
    return out


def opened(frames: Path, size: tuple[int, int], *wanted: str) -> str:
    """What Chromium says of a page in a window of that size."""
    browser = chromium()
    assert browser is not None
    with tempfile.TemporaryDirectory() as profile:
        window = f"--window-size={size[0]},{size[1]}"
        command = [browser, *FLAGS, f"--user-data-dir={profile}", window, *wanted, frames.as_uri()]
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    return run.stdout


def framed(folder: Path, shown: list[Path], size: tuple[int, int]) -> Path:
    """A page that shows others, each in a frame of that size."""
    width, height = size
    frames = "".join(
        f'<iframe src="{each.relative_to(folder).as_posix()}" width="{width}" height="{height}">'
        "</iframe>"
        for each in shown
    )
    out = folder / "frames.html"
    out.write_text(FRAMES.format(frames=frames), encoding="utf-8")
    return out


def told(
    folder: Path, shown: dict[str, Path], size: tuple[int, int]
) -> dict[str, dict[str, object]]:
    """How wide each page is beyond its window, and which of its pictures failed."""
    page = opened(framed(folder, list(shown.values()), size), size, "--dump-dom")
    found = re.search(r'<pre id="told"[^>]*>(.*?)</pre>', page, re.DOTALL)
    lines = html.unescape(found[1]).splitlines() if found else []
    return {each["page"]: each for each in map(json.loads, lines)}


def faults(folder: Path, chosen: list[Path], root: Path = ROOT) -> list[str]:
    """Everything that is wrong with some pages, which are built in `folder`."""
    out = [
        f"{page.relative_to(root)}: {each}" for page in chosen for each in broken_links(page, root)
    ]
    shown = built(folder, chosen, root)
    for device, size in SIZES.items():
        measured = told(folder, shown, size)
        for name in shown:
            if name not in measured:
                out.append(f"{name}: it did not load at the width of a {device}")
                continue
            if measured[name]["wide"] > 0:
                out.append(f"{name}: {measured[name]['wide']} px wider than a {device}")
            for picture in measured[name]["lost"]:
                out.append(f"{name}: the picture {picture} does not load ({device})")
    return out


def shoot(folder: Path, chosen: list[Path], shots: Path, height: int | None) -> None:
    """A picture of each page at each width."""
    shots.mkdir(parents=True, exist_ok=True)
    for name, page in built(folder, chosen, ROOT).items():
        for device, (width, own) in SIZES.items():
            size = width, height or own
            picture = shots / f"{name.replace('/', '-').removesuffix('.md')}-{device}.png"
            opened(framed(folder, [page], size), size, f"--screenshot={picture.resolve()}")


def main() -> int:
    """Check all pages."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", nargs="*", type=Path, help="the pages; all when none is named")
    parser.add_argument("--shots", type=Path, help="a folder for pictures of the pages")
    parser.add_argument("--height", type=int, help="of the pictures; a screen's where not given")
    options = parser.parse_args()
    if chromium() is None:
        print(f"There is no Chromium on the path: none of {', '.join(CHROMIUM)}.", file=sys.stderr)
        return 2
    chosen = [page.resolve() for page in options.pages] or pages()
    with tempfile.TemporaryDirectory() as scratch:
        found = faults(Path(scratch), chosen)
        if options.shots:
            shoot(Path(scratch), chosen, options.shots, options.height)
    print("\n".join(found) or f"{len(chosen)} pages, nothing wrong.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
