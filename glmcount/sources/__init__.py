"""Where rows come from; each backend is one file that registers how to open its data."""

from __future__ import annotations

from glmcount.sources.base import STRIP_ROWS, Source, open_source, register_source, streamed
from glmcount.sources.frame import from_columns

__all__ = [
    "STRIP_ROWS",
    "Source",
    "from_columns",
    "open_source",
    "register_source",
    "streamed",
]
