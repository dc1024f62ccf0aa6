"""Lines of progress on long work."""

from __future__ import annotations

import time
from typing import TextIO

__all__ = ["Watch"]

# Seconds between two lines of progress.
EVERY = 2.0


class Watch:
    """Tells how many of something are done and how long the others take.

    Parameters
    ----------
    count : int
    what : str
        What is counted, in the plural.
    to : file or None
        Where lines go; None for nowhere.
    """

    def __init__(self, count: int, what: str, to: TextIO | None) -> None:
        self.count, self.what, self.to = count, what, to
        self.began = self.said = time.perf_counter()

    def tell(self, done: int) -> None:
        """Write a line where the last one is some time ago, and at the end."""
        now = time.perf_counter()
        if self.to is None or (now - self.said < EVERY and done < self.count):
            return
        self.said = now
        rate = done / max(now - self.began, 1e-9)
        left = (self.count - done) / rate
        self.to.write(f"{done}/{self.count} {self.what}, {rate:.0f} a second, {left:.0f} s left\n")
        self.to.flush()
