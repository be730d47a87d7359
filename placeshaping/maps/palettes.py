"""
Colours that stay apart in print, in sunlight and for colour-blind readers.

The values are those of ColorBrewer (Brewer, Harrower and others): YlGnBu from
light (low) to dark (high), and PuOr for what lies above or below expectation.
No map relies on them alone: classes carry numbers, hidden areas a hatch.
"""

from __future__ import annotations

from dataclasses import dataclass

from placeshaping._core.errors import InputError

SEQUENTIAL: dict[int, tuple[str, ...]] = {
    1: ("#7fcdbb",),
    2: ("#edf8b1", "#2c7fb8"),
    3: ("#edf8b1", "#7fcdbb", "#2c7fb8"),
    4: ("#ffffcc", "#a1dab4", "#41b6c4", "#225ea8"),
    5: ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"),
}
"""YlGnBu by number of classes, low first."""


@dataclass(frozen=True)
class ClusterStyle:
    """
    How a hot-spot class looks and what it is called.

    Attributes
    ----------
    value
        As it stands in the column `cluster`.
    label
        In plain words.
    meaning
        What the label means, in a sentence.
    colour
        Fill, as ``#rrggbb``.
    """

    value: str
    label: str
    meaning: str
    colour: str


CLUSTERS: dict[str, ClusterStyle] = {
    style.value: style
    for style in (
        ClusterStyle(
            "hot_99",
            "Hot spot, very strong evidence",
            "Far more around here than chance would bring together: expect at most 1 in 100 so "
            "marked to be a false alarm.",
            "#e66101",
        ),
        ClusterStyle(
            "hot_95",
            "Hot spot, strong evidence",
            "More around here than chance would bring together: expect at most 1 in 20 hot "
            "and cold spots to be false alarms.",
            "#fdb863",
        ),
        ClusterStyle(
            "none",
            "No clear pattern",
            "No more and no less around here than chance can bring together.",
            "#f7f7f7",
        ),
        ClusterStyle(
            "cold_95",
            "Cold spot, strong evidence",
            "Less around here than chance would bring together: expect at most 1 in 20 hot "
            "and cold spots to be false alarms.",
            "#b2abd2",
        ),
        ClusterStyle(
            "cold_99",
            "Cold spot, very strong evidence",
            "Far less around here than chance would bring together: expect at most 1 in 100 so "
            "marked to be a false alarm.",
            "#5e3c99",
        ),
    )
}
"""PuOr with five classes, by the value of `cluster`: orange hot, purple cold."""

HIDDEN_FILL = "#f3f2f1"
"""Ground of an area whose number is hidden."""

HIDDEN_HATCH = "#6f777b"
"""Diagonal lines over an area whose number is hidden."""

NONE_FILL = "#ffffff"
"""Ground of an area in which nothing was recorded, which the key marks with 0."""

MISSING_FILL = "#ffffff"
"""Ground of an area without data."""

DARK: dict[str, str] = {
    "hidden": "#3a4247",
    "hatch": "#9fabb1",
    "missing": "#1d2226",
    "none": "#1d2226",
    "plain": "#4a5257",
}
"""
Grounds on a dark page, as above; `plain` is that of areas without a clear pattern.

The classes keep their colours, so that two people who talk about a map see the same one.
"""

BIVARIATE: tuple[tuple[str, str, str], ...] = (
    ("#f0f0e6", "#e6c690", "#d99a1b"),
    ("#95bed4", "#918c86", "#85593a"),
    ("#2b8cbe", "#445374", "#3b1c32"),
)
"""
Rate by deprivation: rows from low to high rates, columns from least to most deprived.

Mixed evenly (in OKLab) from four corners, which were chosen so that the two colours that lie
nearest are as far apart as can be for each kind of colour sight.
"""

OUTLINE = "#505a5f"
"""Outline of areas."""


def sequential(classes: int) -> tuple[str, ...]:
    """
    Return the colours of so many classes, low first.

    Raises
    ------
    InputError
        If there is no palette of that size.

    Examples
    --------
    >>> sequential(3)
    ('#edf8b1', '#7fcdbb', '#2c7fb8')
    """
    if classes not in SEQUENTIAL:
        msg = f"There is no palette of {classes} classes; there are from 1 to {max(SEQUENTIAL)}."
        raise InputError(msg)
    return SEQUENTIAL[classes]
