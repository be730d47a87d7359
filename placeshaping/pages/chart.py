"""A small bar chart with intervals, drawn as SVG that stands in the page, with its text."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

_WIDTH, _HEIGHT = 720, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 10, 36, 62
_BAR, _LINE, _TEXT = "#12436D", "#0b0c0c", "#0b0c0c"


@dataclass(frozen=True)
class Bar:
    """
    One bar: a number with its interval.

    Attributes
    ----------
    label
        Under the bar.
    value, lower, upper
        None where the number is hidden or missing.
    """

    label: str
    value: float | None
    lower: float | None = None
    upper: float | None = None


@dataclass(frozen=True)
class GroupChart:
    """
    Figures of groups of areas: words, bars, and the same as a table.

    Attributes
    ----------
    heading
        Of the section.
    words
        Sentences above the chart.
    bars
        From left to right.
    unit
        What the bars count, along the upright axis.
    axis
        What the labels under the bars are.
    heads, rows
        The same figures as a table.
    """

    heading: str
    words: tuple[str, ...]
    bars: tuple[Bar, ...]
    unit: str
    axis: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def interval_bars(chart: GroupChart) -> Markup:
    """
    Draw bars with their intervals.

    Parameters
    ----------
    chart
        What to draw.

    Returns
    -------
    svg
        With a title and a description for those who do not see it.

    Examples
    --------
    >>> chart = GroupChart("By group", (), (Bar("a", 2.0, 1.0, 3.0),), "Rate", "Group", (), ())
    >>> "a: 2.0, interval 1.0 to 3.0" in interval_bars(chart)
    True
    """
    most = max([bar.upper or bar.value or 0.0 for bar in chart.bars] or [1.0]) or 1.0
    step = _step(most)
    ticks = [step * number for number in range(int(most / step) + 2)]
    high = ticks[-1]
    parts = [_tick(value, high) for value in ticks]
    slot = (_WIDTH - _LEFT - _RIGHT) / max(len(chart.bars), 1)
    parts += [_bar(bar, _LEFT + slot * place, slot, high) for place, bar in enumerate(chart.bars)]
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts += [
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            middle, _HEIGHT - 8, chart.axis
        ),
        Markup('<text x="{}" y="14">{}</text>').format(4, chart.unit),
    ]
    return Markup(
        '<svg viewBox="0 0 {} {}" role="img" aria-labelledby="chart-title chart-words" '
        'font-size="14" fill="{}"><title id="chart-title">{}</title>'
        '<desc id="chart-words">{}</desc>{}</svg>'
    ).format(_WIDTH, _HEIGHT, _TEXT, chart.heading, _description(chart), Markup("").join(parts))


def _description(chart: GroupChart) -> str:
    said = []
    for bar in chart.bars:
        if bar.value is None:
            said.append(f"{bar.label}: hidden or missing")
        elif bar.lower is None or bar.upper is None:
            said.append(f"{bar.label}: {bar.value:,.1f}")
        else:
            said.append(
                f"{bar.label}: {bar.value:,.1f}, interval {bar.lower:,.1f} to {bar.upper:,.1f}"
            )
    return f"{chart.unit} by {chart.axis}. {'; '.join(said)}."


def _step(most: float) -> float:
    """Return a round distance between ticks that makes about four of them."""
    power = 1.0
    while power * 10 <= most / 4:
        power *= 10
    while power > most / 4:
        power /= 10
    return max(digit * power for digit in (1, 2, 2.5, 5) if digit * power <= most / 3)


def _y(value: float, high: float) -> float:
    return round(_HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * value / high, 1)


def _tick(value: float, high: float) -> Markup:
    y = _y(value, high)
    return Markup(
        '<path d="M{} {}H{}" stroke="#b1b4b6"/><text x="{}" y="{}" text-anchor="end">{}</text>'
    ).format(_LEFT, y, _WIDTH - _RIGHT, _LEFT - 8, y + 5, f"{value:,.6g}")


def _bar(bar: Bar, left: float, slot: float, high: float) -> Markup:
    middle = round(left + slot / 2, 1)
    label = Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
        middle, _HEIGHT - _BOTTOM + 20, bar.label
    )
    if bar.value is None:
        return label + Markup('<text x="{}" y="{}" text-anchor="middle">hidden</text>').format(
            middle, _HEIGHT - _BOTTOM - 6
        )
    top, width = _y(bar.value, high), round(slot * 0.62, 1)
    drawn = Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
        round(middle - width / 2, 1), top, width, round(_y(0, high) - top, 1), _BAR
    )
    if bar.lower is not None and bar.upper is not None:
        low, up = _y(bar.lower, high), _y(bar.upper, high)
        path = f"M{middle} {up}V{low}M{middle - 6} {up}h12M{middle - 6} {low}h12"
        drawn += Markup('<path d="{}" stroke="#fff" stroke-width="5" fill="none"/>').format(path)
        drawn += Markup('<path d="{}" stroke="{}" stroke-width="2" fill="none"/>').format(
            path, escape(_LINE)
        )
    return label + drawn
