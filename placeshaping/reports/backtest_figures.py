"""Figures of a backtest's report, as PNG: drawn by matplotlib, which is an extra (``pictures``)."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from placeshaping._core.optional import require

COLOURS = ("#12436D", "#F46A25", "#28A197", "#801650", "#3D3D3D", "#A285D1")
"""The Analysis Function's categorical colours."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
DOTS_PER_INCH = 160
_STYLE = {
    "font.family": ["DejaVu Sans"],  # matplotlib brings it: the same on every machine
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#D9DBDC",
    "text.parse_math": False,
}


def draw_by_area(scores: pd.DataFrame, *, measure: str, title: str) -> bytes:
    """
    Draw a score of each model against the share of the area that is flagged.

    Parameters
    ----------
    scores
        Rows of one offence, from `backtest_tables.tabulate_scores`.
    measure
        ``"hit_rate"`` or ``"pai"``.
    title
        Over the figure.

    Returns
    -------
    png
        With intervals where they are known.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    percent = 100 if measure == "hit_rate" else 1

    def draw(axes: Any) -> None:
        models = list(scores["model"].unique())
        for place, model in enumerate(models):
            rows = scores[(scores["model"] == model) & scores[measure].notna()]
            if rows.empty:
                continue
            nudge = 1 + 0.02 * (place - (len(models) - 1) / 2)
            x, y = 100 * rows["share"] * nudge, percent * rows[measure]
            low, high = (percent * rows[f"{measure}_{end}"] for end in ("lower", "upper"))
            bars = np.nan_to_num(np.abs(np.stack([y - low, high - y])))
            axes.errorbar(x, y, yerr=bars, label=model, **_look(place))
        axes.set_xscale("log")
        shares = sorted(100 * scores["share"].unique())
        axes.set_xticks(shares, [f"{share:g} %" for share in shares], minor=False)
        axes.set_xticks([], minor=True)
        axes.set_xlabel("Share of the area flagged")
        axes.set_ylabel("Events caught, %" if measure == "hit_rate" else "PAI (1: no better)")
        axes.set_ylim(bottom=0)
        if measure == "pai":
            axes.axhline(1, color="#505a5f", linestyle=":", linewidth=1.5)

    return draw_png(draw, title)


def draw_calibration(calibration: pd.DataFrame, *, title: str) -> bytes:
    """
    Draw events observed against events expected.

    Parameters
    ----------
    calibration
        Rows of one offence, from `backtest_tables.tabulate_calibration`.
    title
        Over the figure.

    Returns
    -------
    png
        On logarithmic axes, with the line on which the two are equal.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """

    def draw(axes: Any) -> None:
        ends: list[float] = []
        for place, (model, rows) in enumerate(calibration.groupby("model", sort=False)):
            seen = rows[(rows["expected"] > 0) & (rows["observed"] > 0)]
            axes.plot(seen["expected"], seen["observed"], label=str(model), **_look(place))
            ends += [*seen["expected"], *seen["observed"]]
        if ends:
            span = [min(ends) * 0.8, max(ends) * 1.25]
            axes.plot(span, span, color="#505a5f", linestyle=":", linewidth=1.5, label="equal")
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_formatter("{x:,.6g}")
            axis.set_minor_formatter("")
        axes.set_xlabel("Events expected")
        axes.set_ylabel("Events observed")

    return draw_png(draw, title)


def draw_stability(stability: pd.DataFrame, *, title: str) -> bytes:
    """
    Draw how compact and how lasting each model's flagged area is.

    Parameters
    ----------
    stability
        Rows of one offence, from `backtest_tables.tabulate_stability`.
    title
        Over the figure.

    Returns
    -------
    png
        Bars from 0 to 1.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    measures = {"compactness": "compact", "turnover": "changes", "always": "always flagged"}

    def draw(axes: Any) -> None:
        places = np.arange(len(stability))
        for number, (column, label) in enumerate(measures.items()):
            at = places + 0.27 * (number - 1)
            axes.barh(at, stability[column], 0.25, color=COLOURS[number], label=label)
        axes.set_yticks(places, stability["model"].tolist())
        axes.invert_yaxis()
        axes.set_xlim(0, 1)
        axes.set_xlabel("Share (0 to 1)")

    return draw_png(draw, title, height=1.6 + 0.45 * len(stability))


def _look(place: int) -> dict[str, Any]:
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": MARKERS[place % len(MARKERS)],
        "linestyle": ("-", "--", "-.")[place // len(COLOURS) % 3],
        "linewidth": 1.5,
        "markersize": 5,
    }


def draw_png(draw: Callable[[Any], None], title: str, *, height: float = 4.4) -> bytes:
    """
    Draw a figure as PNG, the same bytes for the same input.

    Parameters
    ----------
    draw
        Draws on the axes that it is given.
    title
        Over the figure.
    height
        In inches; the width is 7.6.

    Returns
    -------
    png
        With the legend under it, where something has a label.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """
    mpl = require("matplotlib", extra="pictures")
    figures = require("matplotlib.figure", extra="pictures")
    with mpl.rc_context({**mpl.rcParamsDefault, "backend": mpl.rcParams["backend"], **_STYLE}):
        figure = figures.Figure(figsize=(7.6, height), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
        if axes.get_legend_handles_labels()[0]:
            figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=9.5)
        written = io.BytesIO()
        figure.savefig(written, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return written.getvalue()


def said_by_area(scores: pd.DataFrame, *, measure: str) -> str:
    """
    Say in words what `draw_by_area` shows.

    Parameters
    ----------
    scores, measure
        As in `draw_by_area`.

    Returns
    -------
    words
        A sentence a model.

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["kde"], "share": [0.05], "pai": [6.04]})
    >>> said_by_area(table, measure="pai")
    'kde: 6.0 at 5 %.'
    """
    sentences = []
    for model, rows in scores.groupby("model", sort=False):
        told = [
            f"{value:.1%} at {share:.3g} %"
            if measure == "hit_rate"
            else f"{value:.1f} at {share:.3g} %"
            for value, share in zip(rows[measure], 100 * rows["share"], strict=True)
            if np.isfinite(value)
        ]
        sentences.append(f"{model}: {', '.join(told) or 'nothing to show'}.")
    return " ".join(sentences)


def said_calibration(calibration: pd.DataFrame) -> str:
    """
    Say in words what `draw_calibration` shows.

    Parameters
    ----------
    calibration
        As in `draw_calibration`.

    Returns
    -------
    words
        A sentence a model: expected over observed where least and where most
        is expected.

    Examples
    --------
    >>> said_calibration(pd.DataFrame({"model": ["kde"] * 2, "ratio": [1.31, 0.92]}))
    'kde: 1.31 expected for one observed where least is expected, 0.92 where most is.'
    """
    return " ".join(
        f"{model}: {rows['ratio'].iloc[0]:.2f} expected for one observed where least is expected, "
        f"{rows['ratio'].iloc[-1]:.2f} where most is."
        for model, rows in calibration.groupby("model", sort=False)
    )


def said_stability(stability: pd.DataFrame) -> str:
    """
    Say in words what `draw_stability` shows.

    Parameters
    ----------
    stability
        As in `draw_stability`.

    Returns
    -------
    words
        A sentence a model.

    Examples
    --------
    >>> table = pd.DataFrame({"model": ["kde"], "compactness": [0.5], "turnover": [0.1]})
    >>> said_stability(table.assign(always=0.6))
    'kde: compactness 0.50, 10 % changes from one period to the next, 60 % is always flagged.'
    """
    columns: Sequence[str] = ("model", "compactness", "turnover", "always")
    return " ".join(
        f"{model}: compactness {compact:.2f}, {100 * change:.0f} % changes from one period to the "
        f"next, {100 * always:.0f} % is always flagged."
        for model, compact, change, always in stability[list(columns)].itertuples(index=False)
    )
