"""Whether memory grows: mixed fits in threads, and ten thousand refits one after another.

    python -m benchmarks.soak                 # two minutes of threads, then 10,000 refits
    python -m benchmarks.soak --seconds 20 --refits 1000

Prints what the process holds in memory at the beginning, after a warming up, and as it goes on.
"""

import argparse
import gc as collector
import os
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import numpy as np

import glmcount as gc

ASKED = (
    {"family": "negbin"},
    {"family": "poisson", "cov": "HC1"},
    {"inflate": "x"},
    {"family": "negbin", "hurdle": "g"},
    {"family": "negbin1"},
    {"family": "genpoisson2"},
    {"family": "negbin", "dispersion": "x"},
    {"truncated": 0},
)
THREADS = 4


def held():
    """Megabytes that the process holds."""
    collector.collect()
    with open("/proc/self/statm", encoding="ascii") as figures:
        return int(figures.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def drawn(rng, n):
    """A table of counts with a number and a factor."""
    x, g = rng.normal(size=n), rng.choice(list("abc"), n)
    return {"x": x, "g": g, "y": rng.poisson(np.exp(0.5 + 0.3 * x) * rng.gamma(2.0, 0.5, n))}


def mixed(number):
    """One fit with what a user then looks at."""
    rng = np.random.default_rng(number)
    data, asked = drawn(rng, int(rng.integers(60, 400))), ASKED[number % len(ASKED)]
    if "truncated" in asked:
        data["y"] = data["y"] + 1
    result = gc.fit("y ~ x + g", data, **asked)
    str(result.summary())
    result.predict({"x": [0.0, 1.0], "g": ["a", "c"]})


def soaked(seconds):
    """Mixed fits in threads for so long; what is held, every eighth of it."""
    numbers, end = count(), time.monotonic() + seconds
    told = []

    def work():
        while time.monotonic() < end:
            mixed(next(numbers))

    with ThreadPoolExecutor(THREADS) as pool:
        running = [pool.submit(work) for _ in range(THREADS)]
        while time.monotonic() < end:
            time.sleep(seconds / 8)
            told.append(held())
        for each in running:
            each.result()
    return next(numbers), told


def refits(times):
    """Refits of a negative binomial model; what is held, every fifth of them."""
    rng = np.random.default_rng(0)
    data = drawn(rng, 100)
    result, told = gc.fit("y ~ x + g", data, family="negbin"), []
    for number in range(times + 1):
        if number % max(times // 5, 1) == 0:
            told.append(held())
        result.refit(y=rng.permutation(data["y"]))
    return told


def main():
    """Print what is held."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--refits", type=int, default=10_000)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"at the beginning {held():.1f} MB")
    fits, told = soaked(options.seconds)
    print(f"{fits:,} fits in {THREADS} threads:", ", ".join(f"{mb:.1f}" for mb in told), "MB")
    told = refits(options.refits)
    print(f"{options.refits:,} refits:", ", ".join(f"{mb:.1f}" for mb in told), "MB")


if __name__ == "__main__":
    main()
