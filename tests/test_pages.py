"""The pages as a browser shows them; what needs one is left out where there is none."""

from __future__ import annotations

import pytest

pytest.importorskip("markdown_it", reason="needs markdown-it-py, which the test extra installs")

import check_pages

needs_browser = pytest.mark.skipif(
    check_pages.chromium() is None, reason="needs Chromium on the path"
)


def site(folder, text):
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    (folder / "built").mkdir()
    return folder / "built", [page], folder


@pytest.mark.parametrize(
    "page", check_pages.pages(), ids=lambda page: page.relative_to(check_pages.ROOT).as_posix()
)
def test_links_lead_to_files_and_anchors(page):
    assert list(check_pages.broken_links(page)) == []


@needs_browser
def test_pages_fit_telephones_and_desks(tmp_path):
    assert check_pages.faults(tmp_path, check_pages.pages()) == []


@needs_browser
def test_what_is_wrong_with_a_page_is_found(tmp_path):
    text = '# A\n\n![picture](none.png)\n\n<div style="width: 800px">wide</div>\n'
    assert check_pages.faults(*site(tmp_path, text)) == [
        "page.md: none.png: there is no such file",
        "page.md: 426 px wider than a phone",
        "page.md: the picture picture does not load (phone)",
        "page.md: the picture picture does not load (desktop)",
    ]


def test_a_link_to_no_anchor_is_found(tmp_path):
    _, (page,), root = site(tmp_path, "# A `b` c!\n\n[x](#a-b-c), [y](#d), [z](page.md#d)\n")
    assert list(check_pages.broken_links(page, root)) == [
        "#d: page.md has no such anchor",
        "page.md#d: page.md has no such anchor",
    ]


def test_equal_headings_have_anchors_of_their_own(tmp_path):
    text = check_pages.rendered("# A\n\n# A\n\n# `r.b(c=1)`\n")
    assert check_pages.Links(text).anchors == {"a", "a-1", "rbc1"}
