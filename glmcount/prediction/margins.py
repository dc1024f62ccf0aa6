"""Effects of a result: what is asked, of which rows, and the table that answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from glmcount.allowed import proportion, truth
from glmcount.design.rows import Rows
from glmcount.design.spec import DesignSpec
from glmcount.design.values import coerced
from glmcount.engine.strip import Strip
from glmcount.errors import (
    MemoryLimitError,
    UnknownColumnError,
    UsageError,
    near,
    some,
)
from glmcount.fitted import Fitted
from glmcount.inference.covariance.grouped import groups_of
from glmcount.inference.setting import Setting
from glmcount.numerics import Array
from glmcount.prediction.caption import Caption
from glmcount.prediction.choices import (
    Choices,
    Margins,
    groups_by,
    points_of,
    refuse_unconditional,
)
from glmcount.prediction.effect_table import (
    COLUMNS,
    framed,
    hypothesised,
    table,
    told_averages,
    warn_of_effects,
)
from glmcount.prediction.effects import Averages, averages, by_rows, sampling
from glmcount.prediction.newdata import as_table, bare_rows, new_rows, without_offset
from glmcount.prediction.partition import Ask
from glmcount.prediction.predict import prediction
from glmcount.prediction.quantities import leaves_offset, quantity
from glmcount.prediction.variables import Effect, Wanted
from glmcount.records import replace

__all__ = ["effects"]

Flags = NDArray[np.bool_]


def effects(
    margins: Margins, want: Callable[[Rows], Wanted], options: Choices, what: str
) -> pd.DataFrame:
    """The table of effects.

    Raises
    ------
    UsageError, UnknownColumnError
        For options that do not fit together.
    NotDefinedError
        For quantiles, and where the sampling of rows has no form.
    """
    state, newdata = margins.state, options.newdata
    options = replace(options, alpha=proportion("alpha", options.alpha))
    points = points_of(options)
    by, each = groups_by(options.by)
    unconditional = truth("unconditional", options.unconditional)
    if unconditional:
        refuse_unconditional(margins, newdata is not None, each)
        state = state.opened(margins.needs.groups, (), margins.needs.given)
        margins = replace(margins, state=state)
    chosen = quantity(options.which, state.fit.family, margins.scale, state.fit.limits)
    rows, index, beside = _rows(state, options, by)
    wanted = want(rows)
    ask = Ask(
        rows,
        state.fit,
        chosen,
        tuple(points),
        wanted,
        by,
        each and options.hypothesis is not None,
        state.weights_type != "importance",
        beside,
        state.options.control.memory_limit,
    )
    matrix = state.reshifted(margins.covariance)
    caption = Caption(margins, options, ask, what)
    if each and options.hypothesis is None:
        return _row_by_row(margins, ask, matrix, index, options, caption)
    found = averages(ask)
    if not found.groups or not any(own[0] > 0 for own in found.groups.values()):
        raise UsageError(
            "There are no rows to average over: newdata= has none that are complete.",
            kind="no_rows",
        )
    more = _sampling(margins, ask, found) if unconditional else None
    order = _ordered(rows, by, list(found.groups))
    labels = _labels(ask, [list(found.groups)[g] for g in order], index, options)
    told, lost, limit = told_averages(ask, found, matrix, more, order, labels)
    _warn(told.names, told.estimate, lost, limit)
    if wanted.contrasts[0].how == "ratio":
        told = replace(told, null=1.0)
    tested = hypothesised(told, options.hypothesis)
    # Of predictions, not of differences: slopes are no versions of the rows.
    alone = wanted.contrasts[0].how == "single" and not wanted.slopes
    scale = chosen.scale if alone and tested.labels is told.labels else "plain"
    said = caption.of(found.exact, found.left_out, unconditional)
    return framed(tested, margins.law, said, options.alpha, scale)


def _wanted(state: Fitted, newdata: Any, which: Any) -> tuple[Rows, Any, DesignSpec]:
    """The fitted rows, or new ones, as a quantity reads them; their labels; and their design."""
    bare = leaves_offset(which)
    if newdata is None:
        return (bare_rows(state.rows) if bare else state.rows), state.at_hand.index, state.spec
    spec = state.spec.bare() if bare else state.spec
    rows, index = new_rows(spec, as_table(state, newdata), {}, state.options.control)
    return rows, index, spec


def _rows(state: Fitted, options: Choices, by: Sequence[str]) -> tuple[Rows, Any, str | None]:
    rows, index, spec = _wanted(state, options.newdata, options.which)
    names = [name for name in rows.source.names if not name.startswith("<")]
    for name in by:
        if name not in names:
            raise UnknownColumnError(
                f"by={name!r} is no column of the data.{near(name, names)} Columns there are: "
                f"{some(names, 20)}."
            )
    beside = None
    if options.newdata is not None and state.weights_type != "importance" and spec.weights:
        own = spec.columns((spec.weights,))
        beside = spec.weights if set(own) <= set(rows.source.names) else None
    return rows, index, beside


def _sampling(margins: Margins, ask: Ask, found: Averages) -> Array:
    """What the sampling of rows adds, by whatever clusters the covariance has."""
    state, needs = margins.state, margins.needs
    setting = Setting(state, lambda: margins.scale, needs)
    roles = [(role.name, role.what) for role in state.rows.spec.roles]
    places = tuple(roles.index((name, "group")) for name in needs.groups)
    ways = range(len(places))
    clusters = [
        (groups_of(setting, chosen), (-1.0) ** (size + 1))
        for size in range(1, len(places) + 1)
        for chosen in combinations(ways, size)
    ]
    copies = state.weights_type == "frequency"
    fitted = state.rows, without_offset if ask.rows is not state.rows else _as_it_is
    return sampling(ask, fitted, found, copies, places, clusters, not margins.trusting)


def _as_it_is(strip: Strip) -> Strip:
    return strip


def _ordered(rows: Rows, by: Sequence[str], keys: Sequence[tuple[Any, ...]]) -> list[int]:
    """The groups by size of numbers, by the order that categories have, and by alphabet."""
    known = coerced(rows.source.strip(0, by)[1]) if by else {}
    declared = [
        {level: k for k, level in enumerate(known[name].levels or ())}
        if known[name].declared
        else {}
        for name in by
    ] or [{}]

    def rank(key: tuple[Any, ...]) -> tuple[Any, ...]:
        return tuple(
            (place.get(own, -1), isinstance(own, str), own)
            for own, place in zip(key, declared, strict=False)
        )

    return sorted(range(len(keys)), key=lambda g: rank(keys[g]))


def _labels(
    ask: Ask, keys: Sequence[tuple[Any, ...]], index: Any, options: Choices
) -> dict[str, list[Any]]:
    """Columns that say which effect a row has, contrast by contrast, group by group."""
    contrasts, points = ask.wanted.contrasts, _at_of(options)
    every = [(c, key, at) for c in contrasts for key in keys for at in points]
    out: dict[str, list[Any]] = {}
    if contrasts[0].term:
        out["term"] = [c.term for c, _, _ in every]
        out["contrast"] = [c.contrast for c, _, _ in every]
    if ask.each:
        out["rowid"] = [key[0] if index is None else index[key[0]] for _, key, _ in every]
    for place, name in enumerate(ask.by):
        out[name] = [key[place] for _, key, _ in every]
    if options.at is not None:
        out["at"] = [at for _, _, at in every]
    return out or {"term": [str(options.which)] * len(every)}


def _at_of(options: Choices) -> list[Any]:
    at = options.at
    return [at] if np.ndim(at) == 0 else list(at)


def _warn(names: Sequence[str], values: Array, lost: Flags, limit: NDArray[np.intp]) -> None:
    """Warn of effects that are lost, of limits in all rows (2) or some, or no finite numbers."""
    endless = ~np.isfinite(values) & ~(lost | (limit > 0))

    def named(flags: Flags) -> list[str]:
        return [name for name, own in zip(names, flags, strict=True) if np.any(own)]

    warn_of_effects(
        named(lost), named((limit == 2) & ~lost), named((limit == 1) & ~lost), named(endless)
    )


def _row_by_row(
    margins: Margins, ask: Ask, matrix: Array, index: Any, options: Choices, caption: Caption
) -> pd.DataFrame:
    """One row for each contrast, point and row of the data."""
    ends = None
    state = margins.state
    fitted = options.newdata is None
    places = state.used_rows() if fitted else np.arange(ask.rows.source.n_rows)
    _check_memory(ask, len(places))
    if not ask.wanted.contrasts[0].term:
        found, ends = _predicted(margins, ask, matrix, places, options.alpha)
        exact = True
    else:
        found, exact = by_rows(ask, matrix, margins.law)
        found = [each[:, places] for each in found]
        names = [f"{c.term} {c.contrast}" for c in ask.wanted.contrasts for _ in ask.points]
        value, _, note = (np.stack([each[k] for each in found]) for k in range(3))
        _warn(names, np.where(np.isnan(note), 0.0, value), note == 1.0, 2 * (note == 2.0))
    blocks = [(c, at) for c in ask.wanted.contrasts for at in _at_of(options)]
    labels = _row_labels(ask, blocks, places, index, options)
    null = 1.0 if blocks[0][0].how == "ratio" else 0.0
    estimate, errors, own = (np.concatenate([each[k] for each in found]) for k in (0, 1, -1))
    told = caption.of(exact, 0, False)
    law = (margins.law.df if margins.law.of is None else own), options.alpha
    out = table(labels, estimate, errors, law, told, null, ends)
    return out if fitted else _beside(out, options.newdata, ask, len(blocks))


def _row_labels(
    ask: Ask, blocks: Sequence[tuple[Effect, Any]], places: Any, index: Any, options: Choices
) -> dict[str, Any]:
    """Columns that say which effect of which row, block by block."""
    n = len(places)
    labels: dict[str, Any] = {}

    def repeated(values: Sequence[Any]) -> Any:
        return pd.Series(values).repeat(n).array

    if blocks[0][0].term:
        labels["term"] = repeated([effect.term for effect, _ in blocks])
        labels["contrast"] = repeated([effect.contrast for effect, _ in blocks])
    own = np.tile(places, len(blocks))
    labels["rowid"] = own if index is None else index.take(own)
    if options.at is not None:
        labels["at"] = repeated([at for _, at in blocks])
    return labels


def _check_memory(ask: Ask, rows: int) -> None:
    size = 8 * len(COLUMNS) * rows * len(ask.wanted.contrasts) * len(ask.points)
    if size > ask.limit:
        raise MemoryLimitError(
            f"Effects of {rows:,} rows one by one take {size / 2**30:,.1f} GiB; the limit is "
            f"{ask.limit / 2**30:,.1f} GiB. Ask for fewer variables, pass fewer rows as newdata=, "
            "or raise control=glmcount.Control(memory_limit=...).",
            kind="memory_limit",
        )


def _beside(out: pd.DataFrame, newdata: Any, ask: Ask, times: int) -> pd.DataFrame:
    """The columns that the model reads of new rows, beside their effects."""
    if not isinstance(newdata, pd.DataFrame):
        return out
    own = [name for name in newdata.columns if str(name) in ask.rows.names and name not in out]
    parts = pd.concat([newdata[own]] * times, ignore_index=True)
    return out.assign(**{str(name): parts[name].array for name in own})


def _predicted(
    margins: Margins, ask: Ask, matrix: Array, places: Any, alpha: float
) -> tuple[list[Array], tuple[Array, Array]]:
    """Predictions with their intervals, as `get_prediction` makes these."""
    found, low, high = [], [], []
    for at in ask.points:
        one = prediction(
            ask.rows,
            ask.fit,
            ask.quantity.name,
            at,
            matrix,
            margins.law,
            lambda values: pd.Series(values[places]),
            margins.scale,
        )
        ends = one.conf_int(alpha)
        df = np.broadcast_to(np.asarray(np.nan if one.df is None else one.df), len(places))
        found.append(np.stack([one.predicted.to_numpy(), one.se.to_numpy(), df]))
        low.append(ends[0].to_numpy())
        high.append(ends[1].to_numpy())
    return found, (np.concatenate(low), np.concatenate(high))
