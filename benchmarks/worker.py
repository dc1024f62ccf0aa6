"""One measurement in a process of its own: `python -m benchmarks.worker WHAT CASE ...`.

Prints its answer as a line of JSON. `run.py` calls it with a clean environment.
"""

import gc
import json
import os
import resource
import sys
from time import perf_counter, process_time

import numpy as np

from benchmarks.cases import CASES


def _timed(fit, frame, repeats):
    gc.collect()
    begin = perf_counter()
    for _ in range(repeats):
        answer = fit(frame)
    spent = (perf_counter() - begin) / repeats
    return spent if answer.seconds is None else answer.seconds, answer


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


def times(name, pairs):
    """Ours and the peer's in turn, each first in every other pair, after one small fit.

    `others` is the share of all cores that was not ours to use meanwhile.
    """
    case = CASES[name]
    frame = case.frame()
    fits = {"ours": case.ours(), "peer": case.peer()}
    for fit in fits.values():
        fit(frame.head(20_000))
    seconds = {"ours": [], "peer": []}
    answers = {}
    begin, busy = perf_counter(), _busy() - _own()
    for pair in range(int(pairs)):
        for side in sorted(fits, reverse=bool(pair % 2)):
            spent, answers[side] = _timed(fits[side], frame, case.repeats)
            seconds[side].append(spent)
    taken = _busy() - _own() - busy
    others = taken / (perf_counter() - begin) / os.cpu_count()
    ours, peer = answers["ours"], answers["peer"]
    out = {"seconds": seconds, "others": others, "converged": peer.converged}
    out["agreement"] = _largest((ours.coefficients - peer.coefficients) / ours.errors)
    out["errors"] = None if peer.errors is None else _largest(peer.errors / ours.errors - 1.0)
    return out


def _resident():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def memory(name, side):
    """Megabytes that the first fit of the process adds to what is held with the DataFrame.

    The peak after the fit is compared with what is resident before it, not with the peak
    before it, which drawing the data may have raised.
    """
    case = CASES[name]
    fit = case.ours() if side == "ours" else case.peer()
    frame = case.frame()
    gc.collect()
    resident, peak = _resident(), _peak()
    fit(frame)
    return {
        "added": (_peak() - resident) / 2**20,
        "slack": (peak - resident) / 2**20,
        "frame": float(frame.memory_usage(deep=True).sum()) / 2**20,
    }


def threads(name):
    """Whether one and two threads give the same bits."""
    case = CASES[name]
    frame, fit = case.frame(), case.ours()
    one, two = fit(frame, threads=1), fit(frame, threads=2)
    pairs = ((one.coefficients, two.coefficients), (one.errors, two.errors))
    return {"same": all(a.tobytes() == b.tobytes() for a, b in pairs)}


WORK = {"times": times, "memory": memory, "threads": threads}

if __name__ == "__main__":
    print(json.dumps(WORK[sys.argv[1]](*sys.argv[2:])))
