"""How partitions are gone over here: in order, by threads of the process where they pay."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from types import FunctionType
from typing import Any, TypeVar

from glmcount.errors import DataError

__all__ = ["by_threads", "in_order", "is_plain", "processors"]

T = TypeVar("T")


def in_order(parts: Iterator[T], add: Callable[[T, T], T]) -> T:
    """The fold of what comes.

    Raises
    ------
    DataError
        If nothing comes.
    """
    found = list(islice(parts, 1))
    if not found:
        raise DataError("The data have no rows.", kind="empty_data")
    total = found[0]
    for part in parts:
        total = add(total, part)
    return total


def by_threads(
    work: Callable[..., T], parts: Iterator[tuple[Any, ...]], workers: int
) -> Iterator[T]:
    """``work(*part)`` of each part, in order, by so many threads."""
    if workers == 1:
        return (work(*part) for part in parts)
    return _windowed(_pool(workers), work, parts, 2 * workers)


def _windowed(
    pool: ThreadPoolExecutor,
    work: Callable[..., T],
    parts: Iterator[tuple[Any, ...]],
    window: int,
) -> Iterator[T]:
    # Never more than a few strips' sums wait to be folded: for wide models each is large.
    waiting = [pool.submit(work, *part) for part in islice(parts, window)]
    try:
        while waiting:
            yield waiting.pop(0).result()
            waiting += [pool.submit(work, *part) for part in islice(parts, 1)]
    finally:
        # After an error nobody waits for the rest.
        for left in waiting:
            left.cancel()


# So many pools of threads are kept, those that were asked for last.
POOLS = 2
_pools: dict[tuple[int, int], ThreadPoolExecutor] = {}
_lock = threading.Lock()


def _pool(workers: int) -> ThreadPoolExecutor:
    """The process's threads: they keep their buffers from pass to pass."""
    # A forked process has a copy of the pool but not of its threads, hence its number.
    key = (os.getpid(), workers)
    with _lock:
        pool = _pools.pop(key, None) or ThreadPoolExecutor(workers, thread_name_prefix="glmcount")
        _pools[key] = pool
        while len(_pools) > POOLS:
            # Whoever works with it holds it; its threads end when nobody does.
            del _pools[next(iter(_pools))]
        return pool


def processors() -> int:
    """Processors that threads are worth."""
    if hasattr(os, "sched_getaffinity"):
        return min(8, len(os.sched_getaffinity(0)))
    return min(8, os.cpu_count() or 1)


def is_plain(task: Any) -> bool:
    """Whether a task is plain data and functions known by name, so that it pickles."""
    if isinstance(task, partial):
        return is_plain(task.func) and all(map(is_plain, (*task.args, *task.keywords.values())))
    if isinstance(task, FunctionType):
        return "<" not in task.__qualname__
    if "__reduce__" in vars(type(task)) or isinstance(task, type):
        return True
    fields = getattr(task, "__dataclass_fields__", None)
    if fields is not None:
        return all(is_plain(getattr(task, name)) for name in fields)
    return not callable(task)
