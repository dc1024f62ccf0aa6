"""Threads are kept from pass to pass, and no more of them than are of use."""

from __future__ import annotations

import gc as collector
import threading
import time

import numpy as np

from glmcount.sources import folds


def ours():
    return [one for one in threading.enumerate() if one.name.startswith("glmcount")]


def test_threads_of_many_numbers_of_workers_do_not_pile_up():
    for workers in range(2, 12):
        found = list(folds.by_threads(lambda k: k * k, ((k,) for k in range(40)), workers))
        np.testing.assert_array_equal(found, np.arange(40) ** 2)
    assert len(folds._pools) == folds.POOLS
    collector.collect()
    until = time.monotonic() + 20.0
    while len(ours()) > 10 + 11 and time.monotonic() < until:
        time.sleep(0.01)
    assert len(ours()) <= 10 + 11


def test_a_pool_that_is_left_ends_what_it_began():
    parts = folds.by_threads(lambda k: k, ((k,) for k in range(30)), 2)
    first = next(parts)
    for workers in range(3, 9):
        list(folds.by_threads(lambda k: k, ((k,) for k in range(4)), workers))
    assert [first, *parts] == list(range(30))


def test_the_threads_asked_for_last_are_those_that_work_again():
    one = folds._pool(3)
    folds._pool(4)
    assert folds._pool(3) is one
    folds._pool(5)
    assert folds._pool(3) is one
