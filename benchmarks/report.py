"""What was measured, as verdicts and as the page docs/performance.md."""

import tomllib
from pathlib import Path
from statistics import median

from benchmarks import curves
from benchmarks.cases import CASES, GROWTH

HERE = Path(__file__).parent
HEADER = (
    "Case",
    "Data and model",
    "Peer",
    "Ours",
    "Peer's",
    "Peer / ours",
    "Coefficients",
    "Std. errors",
    "Ours adds, MB",
    "Peer adds, MB",
    "1 = 2 threads",
    "Pairs",
    "Others busy",
)
# Time per row at the most rows over that at a million, and at the most columns over that at half
# as many: the square, and a tenth.
ROWS, ROWS_MOST, ROWS_WITHIN = 1_000_000, 10_000_000, 0.2
COLUMNS, COLUMNS_MOST, COLUMNS_TIMES = 100, 200, 4.4
# Fewer pairs, or others busier than this share of the cores, make a row provisional.
PAIRS, BUSY = 5, 0.1


def ratios(entry):
    """Peer's time over ours, pair by pair."""
    seconds = entry["times"]["seconds"]
    return [peer / ours for ours, peer in zip(seconds["ours"], seconds["peer"], strict=True)]


def verdicts(name, entry):
    """(criterion, what was measured, whether it holds) for all that is asked of a case."""
    if name in GROWTH:
        return _growth_verdicts(name, entry)
    case, ratio = CASES[name], median(ratios(entry))
    agreement, ours = entry["times"]["agreement"], entry["memory"].get("ours")
    out = []
    if case.ratio is not None:
        out.append((f"peer / ours >= {case.ratio:g}", f"{ratio:.2f}", ratio >= case.ratio))
    if case.most is not None:
        out.append((f"ours / peer <= {case.most:g}", f"{1 / ratio:.2f}", 1 / ratio <= case.most))
    if case.megabytes is not None:
        added = ours["added"]
        held = added <= case.megabytes
        out.append((f"ours adds <= {case.megabytes:g} MB", f"{added:.1f} MB", held))
    if case.agreement is not None:
        held = agreement <= case.agreement
        out.append((f"coefficients within {case.agreement:g} SE", f"{agreement:.1e}", held))
    if case.threads:
        same = entry["threads"]["same"]
        out.append(("same bits for 1 and 2 threads", "yes" if same else "no", same))
    return out


def _growth_verdicts(name, entry):
    if name == "growth-rows":
        each = curves.at(entry, ROWS_MOST) / ROWS_MOST / (curves.at(entry, ROWS) / ROWS)
        asked = f"time per row at 1e7 rows within {ROWS_WITHIN:.0%} of that at 1e6"
        return [(asked, f"{each:.2f} times", abs(each - 1.0) <= ROWS_WITHIN)]
    times = curves.at(entry, COLUMNS_MOST) / curves.at(entry, COLUMNS)
    asked = f"{COLUMNS_MOST} columns take <= {COLUMNS_TIMES:g} times the time of {COLUMNS}"
    return [(asked, f"{times:.2f} times", times <= COLUMNS_TIMES)]


def _time(seconds):
    return f"{seconds * 1e3:.2f} ms" if seconds < 0.1 else f"{seconds:.2f} s"


def _others(share):
    return f"{max(share, 0.0):.0%}"


def _row(name, entry):
    case, times, memory, each = CASES[name], entry["times"], entry["memory"], ratios(entry)
    note = f" ({times['note']})" if times["note"] else ""
    agreement, errors = times["agreement"], times["errors"]
    same = entry["threads"] and entry["threads"]["same"]
    return (
        name,
        case.title,
        case.peer_name + note,
        _time(median(times["seconds"]["ours"])),
        _time(median(times["seconds"]["peer"])),
        f"**{median(each):.2f}** ({min(each):.2f} to {max(each):.2f})",
        ("" if agreement is None else f"{agreement:.0e}")
        + ("" if times["converged"] else ", peer not converged"),
        "" if errors is None else f"{errors:.0e}",
        f"{memory['ours']['added']:.0f}" if "ours" in memory else "",
        f"{memory['peer']['added']:.0f}" if "peer" in memory else "",
        {True: "yes", False: "**no**", None: ""}[same],
        str(entry["pairs"]),
        _others(times["others"]),
    )


def _table(rows):
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def _criteria(results):
    rows = [
        (name, asked, found, "holds" if held else "**misses**")
        for name, entry in results.items()
        for asked, found, held in verdicts(name, entry)
    ]
    held = sum(verdict == "holds" for *_, verdict in rows)
    table = _table([("Case", "Asked", "Measured", ""), *rows])
    return f"{held} of {len(rows)} hold.\n\n{table}"


def _where(results):
    """What is measured of where our time goes."""
    lines = []
    for name in ("dense-floor", "dense100-floor", "cells-floor"):
        if name in results:
            each = [1.0 / ratio for ratio in ratios(results[name])]
            floor = median(results[name]["times"]["seconds"]["peer"])
            lines.append(
                f"- {CASES[name].title}: a fit takes **{median(each):.1f}** times "
                f"({min(each):.1f} to {max(each):.1f}) as long as {CASES[name].peer_name}, "
                f"which takes {_time(floor)}."
            )
    for name, entry in results.items():
        if entry.get("grouping"):
            share = entry["grouping"]["share"]
            lines.append(
                f"- {CASES[name].title}: on one thread **{share:.0%}** of our time is spent "
                "turning rows into cells."
            )
    return "\n".join(lines)


def _growth(name, entry):
    case, measured = GROWTH[name], entry["growth"]
    found = curves.terms(name, entry)
    rows = [
        (
            f"{int(size):,}",
            _time(median(each)),
            f"{_time(min(each))} to {_time(max(each))}",
            _time(curves.value(found, int(size))),
            str(measured["steps"][size]),
        )
        for size, each in measured["seconds"].items()
    ]
    header = (case.axis.capitalize(), "A fit", "From, to", "Curve", "Steps on all rows")
    if name == "growth-rows":
        says = (
            f"The line nearest to the medians is {_time(found[0])} and "
            f"{_time(found[1] * 1e6)} for every million rows; the first is what a fit costs "
            "whatever its size."
        )
    else:
        at = ", ".join(f"{curves.share(found, 2, size):.0%} at {size}" for size in (20, 100, 200))
        says = (
            f"The curve nearest to the medians is a + b p + c p^2 with a = {_time(found[0])}, "
            f"b = {_time(found[1])}, c = {found[2] * 1e6:.1f} us. The share of c p^2 in it is {at}."
        )
    return "\n\n".join(
        [
            f"### {case.title}",
            f"![{case.title}](performance-{name}.svg)",
            says,
            _table([header, *rows]),
            f"Medians of {entry['pairs']} rounds; others were busy "
            f"{_others(measured['others'])} of the time.",
        ]
    )


def _machines(results):
    """Where and when: cases measured together are named together."""
    groups = {}
    for name, entry in results.items():
        groups.setdefault((entry["date"], entry["machine"]), []).append(name)
    if len(groups) == 1:
        (day, machine), _ = groups.popitem()
        return f"Measured on {day}: {machine}"
    return "\n".join(
        f"- {', '.join(names)}: {day}, {machine}" for (day, machine), names in groups.items()
    )


def _unsure(results):
    """The cases whose ratios are not to be trusted, and why."""
    few = [name for name, entry in results.items() if entry["pairs"] < PAIRS]
    busy = [
        name
        for name, entry in results.items()
        if entry.get("times", entry.get("growth"))["others"] > BUSY
    ]
    out = ""
    if few:
        out += f"**Provisional**, with fewer than {PAIRS} pairs: {', '.join(few)}.\n\n"
    if busy:
        out += (
            "**Provisional**, since others used more than a tenth of the cores: "
            f"{', '.join(busy)}.\n\n"
        )
    return out


def _misses(results):
    """Each criterion that is missed, with the reason given for its case in misses.toml."""
    reasons = tomllib.loads((HERE / "misses.toml").read_text(encoding="utf-8"))
    lines = []
    for name, entry in results.items():
        missed = [f"{asked}: {found}" for asked, found, held in verdicts(name, entry) if not held]
        if missed:
            reason = " ".join(reasons.get(name, "").split()) or "Not explained yet."
            lines.append(f"- **{name}** ({'; '.join(missed)}). {reason}")
    return "\n".join(lines) or "Nothing that was asked is missed."


def page(results):
    """The whole of docs/performance.md from what was measured of each case."""
    absent = [name for name in (*CASES, *GROWTH) if name not in results]
    parts = {
        "machines": _machines(results),
        "absent": f"Not measured: {', '.join(absent)}.\n\n" if absent else "",
        "unsure": _unsure(results),
        "criteria": _criteria(results),
        "table": _table(
            [HEADER, *(_row(name, entry) for name, entry in results.items() if name in CASES)]
        ),
        "where": _where(results),
        "growth": "\n\n".join(
            _growth(name, entry) for name, entry in results.items() if name in GROWTH
        ),
        "misses": _misses(results),
    }
    text = (HERE / "page.md").read_text(encoding="utf-8")
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part)
    return text
