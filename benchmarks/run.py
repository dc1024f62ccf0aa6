"""Measures every case, prints the table and writes results.md: `python -m benchmarks.run`.

This process measures nothing: each measurement has a process of its own, whose environment
lacks the variables that choose OpenBLAS kernels and block sizes.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from benchmarks.cases import CASES
from benchmarks.fits import r_versions
from benchmarks.report import page, verdicts

RESULTS = Path(__file__).parent / "results.md"
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
PACKAGES = ("numpy", "scipy", "pandas", "patsy", "statsmodels", "glum", "tabmat")


def _work(*arguments):
    environment = {name: value for name, value in os.environ.items() if name not in UNSET}
    command = [sys.executable, "-m", "benchmarks.worker", *map(str, arguments)]
    print("  " + " ".join(command[3:]), file=sys.stderr, flush=True)
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _measure(name, pairs):
    return {
        "times": _work("times", name, pairs),
        "ours": _work("memory", name, "ours"),
        "peer": None if CASES[name].r_package else _work("memory", name, "peer"),
        "threads": _work("threads", name) if CASES[name].threads else None,
    }


def _machine(r):
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    installed = {package: version(package) for package in PACKAGES} | r
    versions = ", ".join(f"{package} {number}" for package, number in installed.items())
    return (
        f"Machine: {os.cpu_count()} cores ({platform.machine()}), {memory:.0f} GB of memory, "
        f"{platform.system()}; Python {platform.python_version()}, {versions}."
    )


def _possible(names, r):
    """The cases whose peer is installed; says which are left out."""
    absent = {name: CASES[name].r_package for name in names}
    absent = {name: package for name, package in absent.items() if package and package not in r}
    for name, package in absent.items():
        where = "R has no package" if r else "there is no Rscript, hence no"
        print(f"  {name} is left out: {where} {package}", file=sys.stderr)
    return [name for name in names if name not in absent]


def main():
    """Measure the cases named on the command line, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"of {', '.join(CASES)}")
    parser.add_argument("--pairs", type=int, default=5, help="timings of each side (5)")
    options = parser.parse_args()
    if unknown := set(options.cases) - set(CASES):
        parser.error(f"no case is called {', '.join(sorted(unknown))}; cases: {', '.join(CASES)}")
    r = r_versions()
    names = _possible(options.cases or CASES, r)
    machine = _machine(r)
    measured = [(CASES[name], _measure(name, options.pairs)) for name in names]
    text = page(machine, measured, options.pairs)
    print(text)
    if not options.cases:
        RESULTS.write_text(text, encoding="utf-8")
    return 0 if all(held for one in measured for *_, held in verdicts(*one)) else 1


if __name__ == "__main__":
    sys.exit(main())
