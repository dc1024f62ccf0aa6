"""Whether a problem is small, and its columns side by side."""

from __future__ import annotations

from glmcount.design.encode import Encoder
from glmcount.engine.layout import Layout
from glmcount.engine.spread import Small, spread_out, suits

__all__ = ["small_problem"]


def small_problem(encoder: Encoder, layout: Layout) -> Small | None:
    """The spread-out problem; None for one that is not small."""
    strip = encoder.strips.get(0)
    found: Small | None = encoder.tables.get(id(layout))
    if found is not None and strip is not None and found.serves(strip, layout):
        return found
    if encoder.source.n_strips > 1 or not suits(encoder.n_used, layout.size):
        return None
    if not encoder.strips:
        encoder.fold(lambda strip: None, lambda a, b: None)
    strip = encoder.strips.get(0)
    if strip is None:
        return None
    # With it the layout is held, so that its number stays its own.
    made = encoder.tables[id(layout)] = spread_out(strip, layout)
    return made
