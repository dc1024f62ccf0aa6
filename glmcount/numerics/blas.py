"""How many threads BLAS may use: where it spreads small work over them they wait for a processor.

OpenBLAS splits a factorisation or product from some sixty columns on. Its threads spin until
all are done, so that on a processor busy with something else one of 0.1 milliseconds takes a
third of a second. Up to a thousand columns a single thread is as fast, busy or not.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from typing import Any

import numpy as np
import scipy
from threadpoolctl import ThreadpoolController

__all__ = ["alone", "multiplies_small", "several", "single_threaded_blas", "solving"]

# Columns from which BLAS would use threads, and up to which it need not.
NARROW = 48
WIDE = 1_000
NOTHING = nullcontext()
# Processors, as OpenBLAS calls them, for which it multiplies small matrices in place
# (dgemm_small_kernel_*, since 0.3.17).
SMALL = frozenset({"SkylakeX", "Cooperlake", "SapphireRapids"})


class _BlasLimit:
    """How many passes hold the process-wide limit of one BLAS thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holders = 0
        self.limiter: Any = None
        self.controller: ThreadpoolController | None = None


_limit = _BlasLimit()


def _keep_freed_memory() -> None:
    """Have the C library reuse the memory of temporaries instead of returning it.

    By default glibc gives blocks of 128 KiB back to the system when they are freed, and the
    next temporary of that size is zeroed page by page: a third of the time of elementwise
    work. Freeing one block of 30 MB raises that limit for the process (mallopt(3),
    M_MMAP_THRESHOLD: the threshold is dynamic, at most 32 MiB). The block is never written, so
    it takes no memory; other C libraries take no notice.
    """
    np.empty(30 * 2**20, dtype=np.uint8)


def _controller() -> ThreadpoolController:
    """What knows the libraries of the process; whoever asks holds the lock."""
    if _limit.controller is None:
        # It sees the libraries that are loaded, and scipy's is another than numpy's.
        _ = scipy.linalg.lapack
        _limit.controller = ThreadpoolController()
        _keep_freed_memory()
    return _limit.controller


@cache
def multiplies_small() -> bool:
    """Whether BLAS multiplies small matrices without copying them together first.

    Where it does, products of a few columns are sooner had as sums of many small ones; where it
    does not, these take up to three times as long.
    """
    with _limit.lock:
        found = [each.info() for each in _controller().lib_controllers]
    own = {each.get("architecture") for each in found if each["user_api"] == "blas"}
    return bool(own) and own <= SMALL


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread: passes share rows between threads of their own."""
    # Building the controller takes milliseconds, hence once a process; its limit is global
    # to the process, hence the count of holders.
    with _limit.lock:
        controller = _controller()
        if _limit.holders == 0:
            _limit.limiter = controller.limit(limits=1, user_api="blas")
        _limit.holders += 1
    try:
        yield
    finally:
        with _limit.lock:
            _limit.holders -= 1
            if _limit.holders == 0:
                _limit.limiter.restore_original_limits()


def several(size: int) -> AbstractContextManager[None]:
    """For solves between passes that hold it to one thread anyhow."""
    return single_threaded_blas() if size <= WIDE else NOTHING


def alone(size: int, routine: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a routine on a matrix of so many columns gives, by one thread where more only wait."""
    if not NARROW < size <= WIDE:
        return routine(*arguments, **options)
    with single_threaded_blas():
        return routine(*arguments, **options)


def solving(size: int) -> AbstractContextManager[None]:
    """For work on a matrix of so many columns; it costs nothing where that is small."""
    return single_threaded_blas() if NARROW < size <= WIDE else NOTHING
