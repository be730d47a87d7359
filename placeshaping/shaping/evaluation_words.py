"""What an evaluation found, in sentences for people who are not statisticians."""

from __future__ import annotations

import math

from placeshaping._core.words import uncapitalised
from placeshaping.shaping.displacement import TOGETHER
from placeshaping.shaping.evaluation import TREATED
from placeshaping.shaping.evaluation_results import SURE, Findings, row_of

_NO_END = 1e6


def describe_evaluation(
    findings: Findings, *, what: str = "recorded crime", measure: str = "what was done"
) -> str:
    """
    Say in a paragraph whether it worked, by how much and how surely.

    Parameters
    ----------
    findings
        From `evaluate`.
    what
        What was counted.
    measure
        What was done, as it stands in a sentence.

    Returns
    -------
    paragraph
        First whether an effect was seen and which could have been; then the
        rings, the time before, and the synthetic controls.

    Examples
    --------
    >>> import pandas as pd
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> from placeshaping.shaping.evaluation_results import evaluate
    >>> codes = [f"a{i:02}" for i in range(40)]
    >>> counts = pd.DataFrame({"area_code": codes * 2, "count": [20] * 80,
    ...                        "period": ["2024-01-01"] * 40 + ["2024-02-01"] * 40})
    >>> found = evaluate(make_panel(counts, treated=codes[:4], start="2024-02-01"))
    >>> describe_evaluation(found, what="Burglary", measure="the new lighting").split(":")[0]
    'No effect of the new lighting on burglary could be seen'
    """
    return " ".join(
        [
            first_sentence(findings, what=what, measure=measure),
            *ring_sentences(findings),
            *trend_sentences(findings),
            *control_sentences(findings),
        ]
    )


def first_sentence(findings: Findings, *, what: str, measure: str) -> str:
    """Say whether it worked, by how much and how surely, or which effect would have been seen."""
    row = findings.of(TREATED)
    subject = uncapitalised(what)
    found = f"{_percent(row['percent'])} than expected from the comparison areas"
    if findings.verdict == "none":
        return (
            f"No effect of {measure} on {subject} could be seen: in the treated areas it was "
            f"{found}, and anything from {_span(row)} fits (95 % interval). Only a change of "
            f"{_smallest(findings)} or more would have been seen in four cases out of five."
        )
    if findings.verdict == "unsure":
        return (
            f"It cannot be said surely whether {measure} changed {subject}: in the treated areas "
            f"it was {found} ({_span(row)}, 95 % interval), which one of two tests sets apart from "
            "chance and the other does not."
        )
    number = f"{abs(row['difference']):,.0f} {'fewer' if row['difference'] < 0 else 'more'}"
    told = (
        f"After {measure}, {subject} in the treated areas was {found}: about {number} "
        f"({_span(row)}, 95 % interval)"
    )
    if findings.apart_before:
        return (
            f"{told}; but treated and comparison areas had gone apart before, so that this cannot "
            f"be put down to {measure}."
        )
    return f"{told}; more than chance would do ({_p(row['p_value'])})."


def ring_sentences(findings: Findings) -> tuple[str, ...]:
    """Say whether it moved next door, or did good there too."""
    table = findings.displacement
    rings = [str(name) for name in table.index if str(name).startswith("ring")]
    if not rings:
        return ()
    told = []
    for name in rings:
        row = findings.of(name)
        seen = row["p_value"] < SURE
        surely = "" if seen else ", which is within chance"
        told.append(f"{_percent(row['percent'])} in {name} ({_span(row)}){surely}")
    whole = findings.of(TOGETHER)
    return (
        f"Around the treated areas it was {'; '.join(told)}.",
        f"Treated areas and rings together: {_percent(whole['percent'])} than expected "
        f"({_span(whole)}, {_p(whole['p_value'])}).",
    )


def trend_sentences(findings: Findings) -> tuple[str, ...]:
    """Say whether treated and comparison areas went together before."""
    if findings.trend is None:
        return ()
    together, drift = (row_of(findings.trend, name) for name in ("together", "drift"))
    numbers = (
        f"{_p(together['p_value'])} for any difference; a drift of {drift['statistic']:+.1f} % a "
        f"year, {_p(drift['p_value'])}"
    )
    if findings.apart_before:
        return (
            f"Before the start treated and comparison areas did not go together ({numbers}): what "
            "followed need not come from what was done.",
        )
    return (
        f"Before the start nothing shows that treated and comparison areas went apart ({numbers}); "
        "that does not prove that they would have gone together after.",
    )


def control_sentences(findings: Findings) -> tuple[str, ...]:
    """Give the range over specifications of the synthetic control."""
    if findings.control is None:
        return ()
    table = findings.control.range
    low, high = table["percent"].min(), table["percent"].max()
    sure = int((table["p_value"] < SURE).sum())
    return (
        f"Over {len(table)} specifications of a synthetic control the difference ranges from "
        f"{low:+.0f} % to {high:+.0f} %; {sure} of them set it apart from chance (p under 0.05), "
        f"where {SURE * len(table):.1f} would by chance alone.",
    )


def _percent(value: float) -> str:
    if not math.isfinite(value):
        return "different by an unknown share"
    if abs(value) < 0.5:
        return "neither higher nor lower"
    return f"{abs(value):.0f} % {'lower' if value < 0 else 'higher'}"


def _span(row: dict[str, float]) -> str:
    low, high = row["percent_lower"], row["percent_upper"]
    if math.isfinite(low) and math.isfinite(high) and low * high > 0 and abs(high) < _NO_END:
        ends = sorted((abs(low), abs(high)))
        return f"{ends[0]:.0f} to {ends[1]:.0f} % {'lower' if low < 0 else 'higher'}"
    return f"{_end(low)} to {_end(high)}"


def _end(value: float) -> str:
    if not math.isfinite(value) or abs(value) > _NO_END:
        return "no limit"
    return f"{abs(value):.0f} % {'lower' if value < 0 else 'higher'}"


def _smallest(findings: Findings) -> str:
    """Return the smallest change that either test would have seen."""
    found = [findings.of(TREATED)["detectable"]]
    if findings.difference is not None:
        found.append(row_of(findings.difference, "poisson")["detectable"])
    return f"{max(found):.0f} %"


def _p(value: float) -> str:
    return "p < 0.001" if value < 0.001 else f"p = {value:.2g}"
