"""Measures cases, keeps what was measured and writes the page: `python -m benchmarks.run`.

This process measures nothing: each measurement has a process of its own, whose environment
lacks the variables that choose OpenBLAS kernels and block sizes. What was measured is kept in
results.json, case by case, so that one case can be measured again without the others;
docs/performance.md and its plots are written from there.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path
from statistics import median

from benchmarks.cases import CASES, GROWTH
from benchmarks.peers import r_versions
from benchmarks.plots import comparison, growth
from benchmarks.report import page, ratios, verdicts

HERE = Path(__file__).parent
RESULTS = HERE / "results.json"
DOCS = HERE.parent / "docs"
# The last would have every import compile our files again.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "PYTHONDONTWRITEBYTECODE")
PACKAGES = (
    "numpy",
    "scipy",
    "pandas",
    "patsy",
    "pyarrow",
    "statsmodels",
    "glum",
    "tabmat",
    "scikit-learn",
    "pyfixest",
)
ALL = [*CASES, *GROWTH]


def _work(*arguments):
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    command = [sys.executable, "-m", "benchmarks.worker", *map(str, arguments)]
    print("  " + " ".join(command[3:]), file=sys.stderr, flush=True)
    done = subprocess.run(
        command,
        env=environment,
        cwd=HERE.parent,
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def _measure(name, pairs):
    if name in GROWTH:
        return {"growth": _work("growth", name, pairs)}
    case = CASES[name]
    return {
        "times": _work("times", name, pairs),
        "memory": {side: _work("memory", name, side) for side in case.memory},
        "threads": _work("threads", name) if case.threads else None,
        "grouping": _work("grouping", name) if case.grouping else None,
    }


def _machine(r):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    installed = {package: version(package) for package in PACKAGES} | r
    versions = ", ".join(f"{package} {number}" for package, number in installed.items())
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB of memory, "
        f"{platform.system()}; Python {platform.python_version()}, {versions}."
    )


def _chosen(parser, words):
    """The cases that a word of the command line names, or else begins the names of."""
    out = []
    for word in words:
        found = [word] if word in ALL else [name for name in ALL if name.startswith(word + "-")]
        if not found:
            parser.error(f"no case is called {word}; cases: {', '.join(ALL)}")
        out += found
    return list(dict.fromkeys(out))


def _possible(names, r):
    """The cases whose peer is installed; says which are left out."""
    absent = {name: CASES[name].r_package for name in names if name in CASES}
    absent = {name: package for name, package in absent.items() if package and package not in r}
    for name, package in absent.items():
        where = "R has no package" if r else "there is no Rscript, hence no"
        print(f"  {name} is left out: {where} {package}", file=sys.stderr)
    return [name for name in names if name not in absent]


def _kept():
    """What was measured before, in the order of the cases; cases that are gone are dropped."""
    if not RESULTS.exists():
        return {}
    kept = json.loads(RESULTS.read_text(encoding="utf-8"))
    return {name: kept[name] for name in ALL if name in kept}


def _keep(name, entry):
    """Store what was measured of one case at once: what follows may fail."""
    kept = _kept() | {name: entry}
    ordered = {name: kept[name] for name in ALL if name in kept}
    RESULTS.write_text(json.dumps(ordered, indent=1) + "\n", encoding="utf-8")


def _write():
    results = _kept()
    (DOCS / "performance.md").write_text(page(results), encoding="utf-8")
    for name in GROWTH:
        if name in results:
            growth(name, results[name], DOCS / f"performance-{name}.svg")
    comparison(results, DOCS / "performance-comparison.svg")


def main():
    """Measure the cases named on the command line, or all, and write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.run",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(ALL)}")
    parser.add_argument("--pairs", type=int, default=5, help="timings of each side (5)")
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page")
    options = parser.parse_args()
    names = [] if options.page else _chosen(parser, options.cases) or ALL
    held = True
    if names:
        r = r_versions()
        about = {"date": date.today().isoformat(), "machine": _machine(r), "pairs": options.pairs}
        for name in _possible(names, r):
            try:
                entry = about | _measure(name, options.pairs)
            except subprocess.CalledProcessError as error:
                # Its own message stands above; the other cases are still to be measured.
                print(f"{name}: {error}", file=sys.stderr)
                held = False
                continue
            _keep(name, entry)
            if name in CASES:
                print(f"{name}: peer / ours {median(ratios(entry)):.3g}", flush=True)
            for asked, found, verdict in verdicts(name, entry):
                print(f"{name}: {asked}: {found}{'' if verdict else ', MISSED'}", flush=True)
                held = held and verdict
    _write()
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
