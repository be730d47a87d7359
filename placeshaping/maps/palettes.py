"""
Colours that stay apart in print, in sunlight and for colour-blind readers.

The values are those of ColorBrewer (Brewer, Harrower and others): YlGnBu from
light (low) to dark (high), and PuOr for what lies above or below expectation.
No map relies on them alone: classes carry numbers, hidden areas a hatch.
"""

from __future__ import annotations

from dataclasses import dataclass

from placeshaping._core.errors import InputError
from placeshaping.hotspots.labels import LabelScheme, Tone

SEQUENTIAL: dict[int, tuple[str, ...]] = {
    1: ("#7fcdbb",),
    2: ("#edf8b1", "#2c7fb8"),
    3: ("#edf8b1", "#7fcdbb", "#2c7fb8"),
    4: ("#ffffcc", "#a1dab4", "#41b6c4", "#225ea8"),
    5: ("#ffffcc", "#a1dab4", "#41b6c4", "#2c7fb8", "#253494"),
}
"""YlGnBu by number of classes, low first."""

TENTHS = (
    "#ffffd9",
    "#eff9b5",
    "#cfecb3",
    "#97d6b9",
    "#5dc0c0",
    "#31a6c2",
    "#1f80b8",
    "#2355a4",
    "#22318d",
    "#081d58",
)
"""YlGnBu of nine classes, drawn out evenly to ten: for steps of labels that are tenths."""


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
    mark
        Stands for the class where colour cannot.
    strong
        Whether such areas are outlined, so that a small one is seen too.
    """

    value: str
    label: str
    meaning: str
    colour: str
    mark: str
    strong: bool = True


CLUSTERS: dict[str, ClusterStyle] = {
    style.value: style
    for style in (
        ClusterStyle(
            "hot_99",
            "Hot spot, very strong evidence",
            "Far more around here than chance would bring together: expect at most 1 in 100 so "
            "marked to be a false alarm.",
            "#e66101",
            "++",
        ),
        ClusterStyle(
            "hot_95",
            "Hot spot, strong evidence",
            "More around here than chance would bring together: expect at most 1 in 20 hot "
            "and cold spots to be false alarms.",
            "#fdb863",
            "+",
        ),
        ClusterStyle(
            "none",
            "No clear pattern",
            "No more and no less around here than chance can bring together.",
            "#f7f7f7",
            "·",
            strong=False,
        ),
        ClusterStyle(
            "cold_95",
            "Cold spot, strong evidence",
            "Less around here than chance would bring together: expect at most 1 in 20 hot "
            "and cold spots to be false alarms.",
            "#b2abd2",
            "\u2212",
        ),
        ClusterStyle(
            "cold_99",
            "Cold spot, very strong evidence",
            "Far less around here than chance would bring together: expect at most 1 in 100 so "
            "marked to be a false alarm.",
            "#5e3c99",
            "\u2212\u2212",
        ),
    )
}
"""PuOr with five classes, by the value of `cluster`: orange hot, purple cold."""

_TONES: dict[str, tuple[str, ...]] = {
    "hot": ("#d7301f", "#fc8d59", "#7f0000", "#b35806", "#fdb863", "#fee08b", "#e08214", "#d9c6a5"),
    "cold": (
        "#2166ac",
        "#67a9cf",
        "#053061",
        "#542788",
        "#b2abd2",
        "#d1e5f0",
        "#8073ac",
        "#c3c9d6",
    ),
    "other": (
        "#0072b2",
        "#e69f00",
        "#009e73",
        "#cc79a7",
        "#56b4e9",
        "#d55e00",
        "#f0e442",
        "#999999",
    ),
    "none": ("#f7f7f7",),
}
"""Colours of many classes of a tone: those that stand side by side in a legend lie apart."""

_FEW = {
    "hot": ("#b35806", "#e66101", "#fdb863", "#fee0b6"),
    "cold": ("#2d004b", "#5e3c99", "#b2abd2", "#d8daeb"),
}
"""PuOr for up to four of a tone, strongest first; the darkest only where there are four."""


def label_styles(scheme: LabelScheme) -> tuple[ClusterStyle, ...]:
    """
    Return how the classes of a layer of labels look: by their tone, in their order.

    Parameters
    ----------
    scheme
        Of the layer.

    Returns
    -------
    styles
        One a class.

    Examples
    --------
    >>> from placeshaping.hotspots.labels import LabelClass
    >>> kinds = (LabelClass("a", "A", "", "hot", "A"), LabelClass("b", "B", "", "none", "B"))
    >>> [style.colour for style in label_styles(LabelScheme("x", "X", "X", "", "", kinds))]
    ['#e66101', '#f7f7f7']
    """
    tones = [one.tone for one in scheme.classes]
    found = []
    for place, one in enumerate(scheme.classes):
        colours = _colours(one.tone, tones.count(one.tone))
        colour = colours[tones[:place].count(one.tone) % len(colours)]
        strong = one.tone in ("hot", "cold")
        found.append(ClusterStyle(one.value, one.label, one.meaning, colour, one.mark, strong))
    return tuple(found)


def _colours(tone: Tone, many: int) -> tuple[str, ...]:
    """Return the colours of a tone; a legend goes from the strongest hot to the strongest cold."""
    if tone == "step":
        return sequential(many) if many <= max(SEQUENTIAL) else TENTHS
    few = _FEW.get(tone, ())
    if many > len(few):
        return _TONES[tone]
    chosen = few[many < len(few) :][:many]
    return chosen[::-1] if tone == "cold" else chosen


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
