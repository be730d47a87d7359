"""The figure of how many groups to make: drawn by matplotlib, which is an extra (``pictures``)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from placeshaping.pages.report import ReportFigure
from placeshaping.reports.backtest_figures import COLOURS, MARKERS, draw_png

_LINES = {
    "explained": "differences explained",
    "steadiness": "agreement of resamples",
    "silhouette": "silhouette",
}


def choice_figure(choice: pd.DataFrame, *, chosen: int) -> ReportFigure:
    """
    Draw what speaks for each number of groups.

    Parameters
    ----------
    choice
        From `segment_choice.compare_groupings`.
    chosen
        The number that was taken.

    Returns
    -------
    figure
        With the same in words.

    Raises
    ------
    MissingExtraError
        If matplotlib is not installed.
    """

    def draw(axes: Any) -> None:
        for place, (column, label) in enumerate(_LINES.items()):
            axes.plot(
                choice.index,
                choice[column],
                label=label,
                color=COLOURS[place],
                marker=MARKERS[place],
            )
        axes.axvline(chosen, color="#505a5f", linestyle=":", linewidth=1.5, label="taken")
        axes.set_xticks(list(choice.index))
        axes.set_ylim(min(0.0, float(choice["silhouette"].min())), 1.02)
        axes.set_xlabel("Number of groups")

    first, last = choice.index[0], choice.index[-1]
    said = [
        f"{label}: {choice[column].iloc[0]:.2f} with {first}, {choice[column].iloc[-1]:.2f} with "
        f"{last}, {choice[column].get(chosen, float('nan')):.2f} with those taken"
        for column, label in _LINES.items()
    ]
    return ReportFigure(
        draw_png(draw, "What speaks for each number of groups"),
        "All three are 1 at most. More groups always explain more; agreement of resamples says "
        "whether the same groups come back.",
        f"Lines over the number of groups, of which {chosen} were taken. {'; '.join(said)}.",
    )
