"""The documentation: every Python block runs and prints what the page shows."""

from __future__ import annotations

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import agreements
import api_digest
import make_reference
import make_troubleshooting
import numpy as np
import page_list
import pytest
import refresh
import surface
from scipy.special import gammaln

import glmcount as gc
from tests import golden_files, test_golden, test_golden_parts

PAGES = {str(page.relative_to(refresh.ROOT)): page for page in refresh.pages()}


def write(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


@pytest.mark.parametrize("name", PAGES)
def test_a_page_shows_what_its_blocks_print(name):
    assert refresh.differences(PAGES[name]) == ""


@pytest.mark.parametrize("name", PAGES)
def test_links_between_pages_lead_somewhere(name):
    page = PAGES[name]
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_index_leads_to_every_page():
    index = PAGES["docs/index.md"]
    targets = re.findall(r"\]\(([^)#]+)\)", index.read_text(encoding="utf-8"))
    found = {(index.parent / target).resolve() for target in targets}
    assert [name for name, page in PAGES.items() if page not in {*found, index}] == []


def test_the_page_on_clusters_has_the_figures_of_the_study():
    study = PAGES["docs/study_clusters.md"].read_text(encoding="utf-8")
    (row,) = re.findall(r"^\| 12 \| 25% \| Poisson \| (.*) \|$", study, re.MULTILINE)
    usual, _, cr3, cr2, bootstrap, *_ = row.split(" | ")
    page = " ".join(PAGES["docs/how-to/clusters.md"].read_text(encoding="utf-8").split())
    assert f"CR1 {usual} %, CR3 with t {cr3} %, CR2 with Satterthwaite's {cr2} %" in page
    assert f"the score bootstrap {bootstrap} %" in page


@pytest.mark.parametrize("page", make_reference.WRITTEN, ids=lambda page: page.name)
def test_what_is_made_of_docstrings_is_up_to_date(page):
    assert page.read_text(encoding="utf-8") == make_reference.WRITTEN[page]()


def test_the_list_of_pages_has_its_shape_and_every_page():
    """Heading, quote, then links with a line each (llmstxt.org)."""
    title, quote, *rest = page_list.PAGE.read_text(encoding="utf-8").split("\n\n")
    assert title.startswith("# ") and quote.startswith("> ") and "\n" not in quote
    lines = [line for part in rest for line in part.splitlines() if line.startswith("- ")]
    items = [re.fullmatch(r"- \[(.+?)\]\((.+?)\): (\S.+)", line) for line in lines]
    assert all(items)
    found = {(page_list.ROOT / item[2]).resolve() for item in items}
    assert set(PAGES.values()) - found == {page_list.INDEX}


def test_the_digest_has_a_line_of_each_name():
    digest = api_digest.PAGE.read_text(encoding="utf-8")
    names = [
        each.name
        for each in (*surface.named(), *surface.returned(), *surface.contracts())
        if not inspect.ismodule(each.value)
    ]
    lines = re.findall(r"^- `([\w.]+)", digest, re.MULTILINE)
    assert [name for name in names if lines.count(name) != 1] == []


def test_the_troubleshooting_has_every_kind_with_its_message_as_it_is_printed():
    # In a process of its own: other pages register families and covariances, which messages list.
    made = subprocess.run(
        [sys.executable, make_troubleshooting.__file__],
        env={**os.environ, "PYTHONPATH": str(refresh.ROOT)},
        capture_output=True,
        text=True,
    )
    told = f"run docs/make_troubleshooting.py --write\n{made.stdout}{made.stderr}"
    assert made.returncode == 0, told


def test_the_learn_page_asks_torch():
    page = PAGES["docs/learn/poisson-mle.md"].read_text(encoding="utf-8")
    assert [block.mark for block in refresh.blocks(page)].count("torch") == 1


def test_the_torch_stand_in_is_the_negative_log_likelihood_up_to_its_terms():
    eta, y = np.array([0.3, -1.0, 2.0, 1.5]), np.array([0.0, 1.0, 2.0, 30.0])
    log_likelihood = np.sum(y * eta - np.exp(eta) - gammaln(y + 1))
    losses = {
        full: refresh.torch_stand_in().nn.PoissonNLLLoss(
            log_input=True, full=full, reduction="sum"
        )(eta, y)
        for full in (False, True)
    }
    assert losses[False] == pytest.approx(-log_likelihood - gammaln(y + 1).sum(), rel=1e-14)
    # Stirling's series: the next term is 1 / (12 y), and only counts above 1 get any of it.
    short = 1 / (12 * y[2:]) - 1 / (360 * y[2:] ** 3)
    assert losses[True] + short.sum() == pytest.approx(-log_likelihood, abs=1e-4)


def test_blocks_share_a_namespace_within_a_page(tmp_path):
    text = "```python\na = 1\n```\nprose\n```python\nprint(a + 1)\n```\n\n```text\n2\n```\n"
    assert refresh.differences(write(tmp_path, text)) == ""


def test_a_wrong_output_is_found_and_put_right(tmp_path):
    text = "```python\nprint(1 + 1)\n```\n\n```text\n3\n```\nprose\n"
    page = write(tmp_path, text)
    assert "-3\n+2\n" in refresh.differences(page)
    assert refresh.refreshed(page) == text.replace("3\n", "2\n")


@pytest.mark.parametrize(("shown", "same"), [("3e-15", True), ("1.5e-13", True), ("3e-11", False)])
def test_only_the_digits_of_a_rounding_error_may_differ(tmp_path, shown, same):
    text = f"```python\nprint('rho 1e-15')\n```\n\n```text\nrho {shown}\n```\n"
    assert (refresh.differences(write(tmp_path, text)) == "") is same


def test_a_block_that_prints_must_show_it(tmp_path):
    with pytest.raises(SystemExit, match=r"page\.md:2: this block prints"):
        refresh.refreshed(write(tmp_path, "```python\nprint(1)\n```\n\nprose\n"))


def test_a_broken_block_names_the_line_of_the_page(tmp_path):
    page = write(tmp_path, "# Title\n\n```python\n1 / 0\n```\n")
    with pytest.raises(ZeroDivisionError) as caught:
        refresh.outputs(page)
    assert caught.traceback[-1].lineno + 1 == 4


def test_the_evidence_has_every_published_figure_beside_its_source():
    page = PAGES["docs/evidence.md"].read_text(encoding="utf-8")
    for case in (*test_golden.RECORDS, *test_golden_parts.RECORDS):
        record = {**test_golden.RECORDS, **test_golden_parts.RECORDS}[case]
        if golden_files.is_local(record):
            continue
        printed = golden_files.printed(record)
        if printed:
            section = page.partition(f"\n### {case}\n")[2].partition("\n### ")[0]
            assert record["source"] in section, case
        for path, literal, loose in printed:
            assert f"| {path[1:]} | {'~' if loose else ''}{literal} |" in section, (case, path)
        if "params" in record["values"]:
            assert f"\n| {case} |" in page


def test_the_evidence_says_where_packages_of_r_give_another_number():
    page = PAGES["docs/evidence.md"].read_text(encoding="utf-8")
    assert [row for row in agreements.disagreements() if row not in page] == []


def test_the_evidence_has_the_profile_intervals_that_r_prints():
    page = PAGES["docs/evidence.md"].read_text(encoding="utf-8")
    rows = list(agreements.printed_profiles())
    assert len(rows) >= 5
    assert [row for row in rows if row not in page] == []


def test_the_evidence_has_what_agrees_with_packages_of_r():
    page = PAGES["docs/evidence.md"].read_text(encoding="utf-8")
    section = page.partition("## Inference beside R and Stata")[2].partition("\n## ")[0]
    rows = [row.split(" | ") for row in agreements.agreements()]
    # The largest difference is one of rounding: its digits are those of the machine.
    for what, beside, cases, figures, largest in rows:
        assert f"{what} | {beside} | {cases} | {figures} | " in section
        assert float(largest.strip("< |")) <= (5e-6 if "std error" in what else 5e-7), what
    assert section.count("\n|") == len(rows) + 2


BUILT_IN = ("ValueError", "ImportError", "TypeError", "AttributeError")


def test_the_tree_of_errors_has_every_class():
    every = {
        name
        for name, value in vars(gc.errors).items()
        if isinstance(value, type) and issubclass(value, gc.errors.GlmcountError | Warning)
    }
    tree = gc.errors.__doc__.split("::")[1].split("A class names")[0]
    told = set(re.findall(r"\w+(?:Error|Warning)\b", tree)) - set(BUILT_IN)
    assert told - {"UserWarning"} == every
    assert every <= set(gc.errors.__all__)
