"""One measurement in a process of its own: `python -m benchmarks.worker WHAT CASE ...`.

Prints its answer as a line of JSON. `run.py` calls it with a clean environment.
"""

import cProfile
import gc
import json
import os
import pstats
import resource
import sys
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import scipy.linalg  # noqa: F401 - our first fit loads it: no memory of the rows

from benchmarks.cases import CASES, GROWTH

SMALL = 20_000
# Our file whose one entry turns rows into cells.
GROUPING = "glmcount/cells/compress.py"


def _timed(fit, repeats=1):
    """Seconds of one run: by the clock, or by what the fit says of itself."""
    gc.collect()
    spent = 0.0
    for _ in range(repeats):
        begin = perf_counter()
        answer = fit()
        spent += perf_counter() - begin if answer.seconds is None else answer.seconds
    return spent / repeats, answer


def _largest(difference):
    return float(np.abs(difference).max())


def _busy():
    """Seconds that all cores together have been busy, or were taken away by a host."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, *interrupts = map(int, file.readline().split()[1:9])
    return (user + nice + system + sum(interrupts)) / os.sysconf("SC_CLK_TCK")


def _own():
    """Seconds of this process and of those it started and that have ended."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return process_time() + children.ru_utime + children.ru_stime


class Others:
    """The share of all cores that was not ours to use since this was made."""

    def __init__(self):
        self.begin, self.busy = perf_counter(), _busy() - _own()

    def share(self):
        taken = _busy() - _own() - self.busy
        return taken / (perf_counter() - self.begin) / os.cpu_count()


def times(name, pairs):
    """Ours and the peer's in turn, each first in every other pair, after one small fit."""
    case = CASES[name]
    frame = case.frame()
    sides = {"ours": case.ours, "peer": case.peer}
    small = None if frame is None else frame.head(SMALL)
    for side in sides.values():
        side(small)()
    fits = {side: load(frame) for side, load in sides.items()}
    seconds = {"ours": [], "peer": []}
    answers = {}
    others = Others()
    for pair in range(int(pairs)):
        for side in sorted(fits, reverse=bool(pair % 2)):
            spent, answers[side] = _timed(fits[side], case.repeats)
            seconds[side].append(spent)
    return {"seconds": seconds, "others": others.share()} | _compared(case, **answers)


def _compared(case, ours, peer):
    out = {"converged": peer.converged, "note": peer.note, "agreement": None, "errors": None}
    if case.agreement is not None:
        coefficients, errors = ours.coefficients[peer.part], ours.errors[peer.part]
        out["agreement"] = _largest((coefficients - peer.coefficients) / errors)
        if peer.errors is not None:
            out["errors"] = _largest(peer.errors / errors - 1.0)
    return out


def _peak():
    """The most megabytes that were resident since the last `_forget`."""
    with open("/proc/self/status", encoding="ascii") as file:
        found = next(line for line in file if line.startswith("VmHWM:"))
    return int(found.split()[1]) / 2**10


def _forget():
    """Let the peak be what is resident now: drawing the data and imports may have raised it."""
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def memory(name, side):
    """Megabytes that the first fit of the process adds to what is held with the DataFrame."""
    case = CASES[name]
    frame = case.frame()
    fit = case.ours(frame) if side == "ours" else case.peer(frame)
    gc.collect()
    _forget()
    resident = _peak()
    fit()
    added = _peak() - resident
    return {"added": added, "frame": float(frame.memory_usage(deep=True).sum()) / 2**20}


def threads(name):
    """Whether one and two threads give the same bits."""
    case = CASES[name]
    fit = case.ours(case.frame())
    one, two = fit(threads=1), fit(threads=2)
    pairs = ((one.coefficients, two.coefficients), (one.errors, two.errors))
    return {"same": all(a.tobytes() == b.tobytes() for a, b in pairs)}


def grouping(name):
    """The share of our fit, on one thread, that is spent turning rows into cells."""
    case = CASES[name]
    frame = case.frame()
    case.ours(frame.head(SMALL))()
    fit = case.ours(frame)
    profile = cProfile.Profile()
    begin = perf_counter()
    profile.runcall(fit, threads=1)
    total = perf_counter() - begin
    entries = pstats.Stats(profile).stats.items()
    # The longest is the function from which the others of the file are called.
    spent = max(
        (each[3] for (file, *_), each in entries if Path(file).match(GROUPING)), default=0.0
    )
    return {"seconds": spent, "share": spent / total}


def growth(name, rounds):
    """Our fit at one size after another, in turn upwards and downwards."""
    case = GROWTH[name]
    frame = case.frame()
    fits = {size: case.fit(frame, size) for size in case.sizes}
    fits[case.sizes[0]]()
    seconds = {size: [] for size in case.sizes}
    steps = {}
    others = Others()
    for turn in range(int(rounds)):
        for size in sorted(case.sizes, reverse=bool(turn % 2)):
            spent, answer = _timed(fits[size])
            seconds[size].append(spent)
            steps[size] = int(answer.note)
    return {"seconds": seconds, "steps": steps, "others": others.share()}


WORK = {
    "times": times,
    "memory": memory,
    "threads": threads,
    "grouping": grouping,
    "growth": growth,
}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](*sys.argv[2:])))
