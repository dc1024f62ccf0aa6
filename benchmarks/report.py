"""What was measured, as a table in Markdown and as verdicts."""

from statistics import median

HEADER = (
    "Case",
    "Peer",
    "Ours, s",
    "Peer, s",
    "Peer / ours",
    "Coefficients",
    "Std. errors",
    "Ours adds, MB",
    "Peer adds, MB",
    "1 = 2 threads",
    "Others busy",
)


def ratios(measured):
    """Peer's time over ours, pair by pair."""
    seconds = measured["times"]["seconds"]
    return [peer / ours for ours, peer in zip(seconds["ours"], seconds["peer"], strict=True)]


def verdicts(case, measured):
    """(criterion, what was measured, whether it holds) for all that is asked of a case."""
    ratio, agreement = median(ratios(measured)), measured["times"]["agreement"]
    added = measured["ours"]["added"]
    out = []
    if case.ratio is not None:
        out.append((f"peer / ours >= {case.ratio:g}", f"{ratio:.2f}", ratio >= case.ratio))
    if case.megabytes is not None:
        out.append(
            (f"ours adds <= {case.megabytes:g} MB", f"{added:.1f} MB", added <= case.megabytes)
        )
    held = agreement <= case.agreement
    out.append((f"coefficients within {case.agreement:g} SE", f"{agreement:.1e}", held))
    if case.threads:
        same = measured["threads"]["same"]
        out.append(("same bits for 1 and 2 threads", "yes" if same else "no", same))
    return out


def _row(case, measured):
    seconds, each = measured["times"]["seconds"], ratios(measured)
    errors, converged = measured["times"]["errors"], measured["times"]["converged"]
    same = measured["threads"] and measured["threads"]["same"]
    digits = 4 if case.repeats > 1 else 2
    return (
        case.title,
        case.peer_name,
        f"{median(seconds['ours']):.{digits}f}",
        f"{median(seconds['peer']):.{digits}f}",
        f"**{median(each):.2f}** ({min(each):.2f} to {max(each):.2f})",
        f"{measured['times']['agreement']:.0e}{'' if converged else ', peer not converged'}",
        "" if errors is None else f"{errors:.0e}",
        f"{measured['ours']['added']:.0f}",
        "" if measured["peer"] is None else f"{measured['peer']['added']:.0f}",
        {True: "yes", False: "**no**", None: ""}[same],
        f"{max(measured['times']['others'], 0.0):.0%}",
    )


def _table(rows):
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])


def page(machine, cases, pairs):
    """The whole of results.md; `cases` holds (case, what was measured)."""
    table = _table([HEADER, *(_row(case, measured) for case, measured in cases)])
    checks = [
        (case.title, case.peer_name, asked, found, "holds" if held else "**fails**")
        for case, measured in cases
        for asked, found, held in verdicts(case, measured)
    ]
    return f"""# Results

Written by `python -m benchmarks.run`; what the columns mean is in [README.md](README.md).
Medians of {pairs} pairs, with the smallest and largest ratio of a pair. Ratios carry over to
other machines better than seconds do.

{machine}

{table}

{_table([("Case", "Peer", "Asked", "Measured", ""), *checks])}
"""
