"""Figures of an evaluation's report, as PNG, and what they show in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from placeshaping.reports.backtest_figures import COLOURS, draw_png
from placeshaping.shaping.displacement import TOGETHER
from placeshaping.shaping.synthetic_control import SyntheticControl

_GREY, _LINE = "#9AA0A3", "#505a5f"
_MOST_PLACEBOS = 100


def draw_series(series: pd.DataFrame, *, title: str) -> bytes:
    """
    Draw each period's count over what the comparison areas would have it be.

    Parameters
    ----------
    series
        From `shaping.event_study.event_study`.
    title
        Over the figure.

    Returns
    -------
    png
        With intervals, and a line where the time after begins.
    """

    def draw(axes: Any) -> None:
        when = pd.DatetimeIndex(series.index)
        for late, label, colour, marker in (
            (False, "before", COLOURS[0], "o"),
            (True, "after", COLOURS[1], "s"),
        ):
            rows = series[(series["after"] == late) & np.isfinite(series["ratio"])]
            bars = np.stack([rows["ratio"] - rows["lower"], rows["upper"] - rows["ratio"]])
            axes.errorbar(
                pd.DatetimeIndex(rows.index).to_pydatetime(),
                rows["ratio"],
                yerr=bars,
                label=label,
                color=colour,
                marker=marker,
                linestyle="none",
                capsize=3,
            )
        start = when[np.asarray(series["after"], dtype=bool)][0]
        axes.axvline(start - (start - when[0]) / (2 * len(when)), color=_LINE, linestyle="--")
        axes.axhline(1, color=_LINE, linestyle=":", linewidth=1.5)
        axes.set_ylim(bottom=0)
        axes.set_ylabel("Observed over expected")

    return draw_png(draw, title)


def said_series(series: pd.DataFrame) -> str:
    """
    Say in words what `draw_series` shows.

    Examples
    --------
    >>> table = pd.DataFrame({"after": [False, False, True], "ratio": [0.95, 1.1, 0.7]})
    >>> said_series(table)
    'Before, observed over expected lies between 0.95 and 1.10; after, between 0.70 and 0.70.'
    """
    told = []
    for late, word in ((False, "Before, observed over expected lies"), (True, "after,")):
        rows = series.loc[(series["after"] == late) & np.isfinite(series["ratio"]), "ratio"]
        told.append(f"{word} between {rows.min():.2f} and {rows.max():.2f}")
    return "; ".join(told) + "."


def draw_rings(table: pd.DataFrame, *, title: str) -> bytes:
    """
    Draw the difference from the expected, of the treated areas and of each ring.

    Parameters
    ----------
    table
        From `shaping.displacement.displacement`.
    title
        Over the figure.

    Returns
    -------
    png
        In per cent, with intervals.
    """

    def draw(axes: Any) -> None:
        places = np.arange(len(table))
        y = table["percent"]
        bars = np.stack([y - table["percent_lower"], table["percent_upper"] - y])
        for number, row in enumerate(table.index):
            colour = COLOURS[1] if row == TOGETHER else COLOURS[0]
            axes.errorbar(
                [y.iloc[number]], [number], xerr=bars[:, [number]], color=colour,
                marker="s" if row == TOGETHER else "o", capsize=4, linewidth=1.5,
            )  # fmt: skip
        axes.set_yticks(places, [str(name) for name in table.index])
        axes.set_ylim(len(table) - 0.5, -0.5)
        axes.axvline(0, color=_LINE, linestyle=":", linewidth=1.5)
        axes.set_xlabel("Difference from the expected, %")

    return draw_png(draw, title, height=1.6 + 0.5 * len(table))


def said_rings(table: pd.DataFrame) -> str:
    """
    Say in words what `draw_rings` shows.

    Examples
    --------
    >>> said_rings(pd.DataFrame({"percent": [-25.2, 3.0]}, index=["treated", "ring 1"]))
    'treated: -25 %; ring 1: +3 %.'
    """
    return "; ".join(f"{name}: {row:+.0f} %" for name, row in table["percent"].items()) + "."


def draw_placebos(control: SyntheticControl, *, title: str) -> bytes:
    """
    Draw the gap to the synthetic control beside the gaps of the placebos.

    Parameters
    ----------
    control
        From `shaping.synthetic_control.synthetic_control`.
    title
        Over the figure.

    Returns
    -------
    png
        A thick line for the treated areas, thin grey ones for placebos.
    """

    def draw(axes: Any) -> None:
        when = pd.DatetimeIndex(control.series.index).to_pydatetime()
        for number, gap in enumerate(control.placebos.to_numpy()[:_MOST_PLACEBOS]):
            label = "other areas, where nothing was done" if number == 0 else None
            axes.plot(when, gap, color=_GREY, linewidth=0.6, alpha=0.6, label=label)
        axes.plot(
            when, control.series["gap"], color=COLOURS[0], linewidth=2.5, label="treated areas"
        )
        first = int(np.flatnonzero(control.series["after"])[0])
        axes.axvline(when[first], color=_LINE, linestyle="--")
        axes.axhline(0, color=_LINE, linestyle=":", linewidth=1.5)
        axes.set_ylabel("Gap to the synthetic control, per area")

    return draw_png(draw, title)


def said_placebos(control: SyntheticControl) -> str:
    """Say in words what `draw_placebos` shows."""
    after = np.asarray(control.series["after"], dtype=bool)
    own = control.series["gap"].to_numpy()[after].mean()
    others = control.placebos.to_numpy()[:, after].mean(axis=1)
    low, high = np.quantile(others, [0.025, 0.975])
    return (
        f"After the start the mean gap of the treated areas is {own:+.2f} per area and period; 95 "
        f"% of the placebos lie between {low:+.2f} and {high:+.2f}."
    )


def draw_range(control: SyntheticControl, *, title: str) -> bytes:
    """
    Draw the difference of every specification, from the lowest to the highest.

    Parameters
    ----------
    control
        From `shaping.synthetic_control.synthetic_control`.
    title
        Over the figure.

    Returns
    -------
    png
        Filled where the placebo test has a p-value under 0.05.
    """

    def draw(axes: Any) -> None:
        rows = control.range.sort_values("percent")
        place = np.arange(len(rows))
        sure = np.asarray(rows["p_value"] < 0.05)
        for some, label, face in (
            (sure, "p under 0.05", COLOURS[0]),
            (~sure, "p of 0.05 or more", "white"),
        ):
            axes.plot(
                rows["percent"].to_numpy()[some], place[some], linestyle="none", marker="o",
                markerfacecolor=face, color=COLOURS[0], label=label,
            )  # fmt: skip
        axes.axvline(0, color=_LINE, linestyle=":", linewidth=1.5)
        axes.set_yticks([])
        axes.set_xlabel("Difference from the synthetic control, %")
        axes.set_ylabel("Specifications")

    return draw_png(draw, title)


def said_range(control: SyntheticControl) -> str:
    """Say in words what `draw_range` shows."""
    percent = control.range["percent"]
    sure = int((control.range["p_value"] < 0.05).sum())
    return (
        f"{len(percent)} specifications, from {percent.min():+.0f} % to {percent.max():+.0f} %, "
        f"middle {percent.median():+.0f} %; {sure} with a p-value under 0.05."
    )
