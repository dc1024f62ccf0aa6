"""The plots of the page, as SVG that does not change when the figures do not."""

from statistics import median

import matplotlib
import numpy as np
from matplotlib import pyplot, ticker

from benchmarks import curves
from benchmarks.cases import CASES, GROWTH
from benchmarks.report import ratios

matplotlib.use("svg")
matplotlib.rcParams.update({"svg.hashsalt": "glmcount", "font.size": 9, "svg.fonttype": "none"})

INK, LINE, MISS = "#1f4e79", "#9db4c8", "#b5442a"


def _figure(width, height):
    figure, axes = pyplot.subplots(figsize=(width, height), layout="constrained")
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _save(figure, path):
    figure.savefig(path, metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
    # matplotlib leaves blanks at the ends of lines.
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n", encoding="utf-8")


def growth(name, entry, path):
    """Medians with smallest and largest time at each size, and the curve through them."""
    sizes, seconds = curves.medians(entry)
    each = entry["growth"]["seconds"].values()
    spread = [seconds - [min(s) for s in each], np.array([max(s) for s in each]) - seconds]
    found = curves.terms(name, entry)
    figure, axes = _figure(6.0, 3.4)
    if len(found) == 2:
        grid = np.geomspace(sizes[0], sizes[-1], 100)
        axes.set(xscale="log", yscale="log")
        axes.plot(grid, curves.value(found, grid), color=LINE, label="fixed cost + rows")
    else:
        grid = np.linspace(0, sizes[-1], 100)
        axes.plot(grid, curves.value(found, grid), color=LINE, label="$a + bp + cp^2$")
        axes.plot(grid, found[2] * grid**2, color=LINE, linestyle="--", label="$cp^2$")
        axes.set(xlim=(0, None), ylim=(0, None))
    axes.errorbar(sizes, seconds, spread, fmt="o", color=INK, markersize=4, label="measured")
    axes.set(xlabel=GROWTH[name].axis, ylabel="seconds of a fit")
    axes.legend(frameon=False, loc="upper left")
    _save(figure, path)


def comparison(results, path):
    """The peer's time over ours in every case, and the least that is asked."""
    shown = [name for name in results if name in CASES and "floor" not in name][::-1]
    figure, axes = _figure(8.0, 0.26 * len(shown) + 0.7)
    axes.set_xscale("log")
    for place, name in enumerate(shown):
        case, each = CASES[name], ratios(results[name])
        asked = case.ratio if case.most is None else 1.0 / case.most
        held = asked is None or median(each) >= asked
        colour = INK if held else MISS
        axes.plot([min(each), max(each)], [place, place], color=colour, linewidth=1)
        axes.plot(median(each), place, "o", color=colour, markersize=4)
        if asked is not None:
            axes.plot(asked, place, "|", color="black", markersize=9)
    axes.axvline(1.0, color=LINE, linewidth=1)
    axes.set_yticks(range(len(shown)), shown)
    axes.set_ylim(-0.6, len(shown) - 0.4)
    axes.set_xticks([0.5, 1, 2, 5, 10, 20, 50, 100])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.set_xlabel("time of the peer / ours; a bar marks what is asked")
    _save(figure, path)
