"""The table of near repeats: its bands, labelled as computed, and what a reader must know."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.hotspots._space_time import Floats, Whole
from placeshaping.statistics.testing import false_discovery_rate

PATTERNS = ("fewer", "as expected", "more")
"""What a cell of the table shows, after correction for the number of cells."""

FEW_EVENTS = 100
"""With fewer events a table of bands says little."""

_LONG_RECORD = 3 * 366
_SHARED = 0.5


def band_rows(limits: Floats, steps: Whole, same_place: bool) -> pd.DataFrame:
    """Return one row a cell: labels and edges."""
    near = [(a, b) for a, b in pairwise(limits)]
    labels = [f"{a:g} m to under {b:g} m" for a, b in near]
    if same_place:
        labels[0] = f"over 0 m, under {near[0][1]:g} m"
        near, labels = [(0.0, 0.0), *near], ["0 m (same place)", *labels]
    soon = [(int(a), int(b)) for a, b in pairwise(steps)]
    told = [f"{a} to {b - 1} days" if b - a > 1 else _one_day(a) for a, b in soon]
    rows, columns = len(near), len(soon)
    across, down = np.repeat(np.arange(rows), columns), np.tile(np.arange(columns), rows)
    return pd.DataFrame(
        {
            "distance_band": pd.Categorical.from_codes(across, pd.Index(labels), ordered=True),
            "day_band": pd.Categorical.from_codes(down, pd.Index(told), ordered=True),
            "from_m": np.array(near)[across, 0],
            "to_m": np.array(near)[across, 1],
            "from_days": np.array(soon)[down, 0],
            "to_days": np.array(soon)[down, 1],
        }
    )


def _one_day(day: int) -> str:
    return {0: "same day", 1: "1 day"}.get(day, f"{day} days")


def near_repeat_table(
    bands: pd.DataFrame,
    cells: Mapping[str, NDArray[Any]],
    p_values: Floats,
    correction: str | None,
) -> pd.DataFrame:
    """Put the cells beside their bands."""
    flat = {name: values.ravel() for name, values in cells.items()}
    table = bands.assign(observed=flat["observed"], expected=flat["expected"])
    table["ratio"] = table["observed"] / table["expected"].where(table["expected"] > 0)
    table["lower"], table["upper"] = flat["lower"], flat["upper"]
    table["p_value"] = p_values.ravel()
    q_values = false_discovery_rate(p_values.ravel()) if correction == "fdr" else p_values.ravel()
    table["q_value"] = q_values
    side = np.sign(table["observed"] - table["expected"]).astype(int)
    codes = 1 + np.where(table["q_value"] < 0.05, side, 0)
    codes = np.where(table["q_value"].isna(), -1, codes)
    table["pattern"] = pd.Categorical.from_codes(codes, pd.Index(PATTERNS), ordered=True)
    return table


def method_sentence(
    events: int, metric: str, permutations: int, alternative: str, correction: str | None
) -> str:
    chance = (
        f"p-values from {permutations:,} permutations of the dates ({alternative})"
        if permutations
        else "no p-values"
    )
    told = ", q-values by Benjamini and Hochberg over the table" if correction else ""
    return (
        f"Knox table of {events:,} events (Knox 1964; Townsley, Homel and Chaseling 2003), "
        f"{metric} distance, half-open bands, exact expectation under permutation, {chance}{told}."
    )


def near_repeat_cautions(
    xy: Floats,
    days: Whole,
    table: pd.DataFrame,
    permutations: int,
    corrected: bool,
) -> Iterator[str]:
    """Say what a reader must know about the table."""
    if len(xy) < FEW_EVENTS:
        yield (f"Only {len(xy)} events: under {FEW_EVENTS} few bands can be told from chance.")
    thin = int((table["expected"] < 1).sum())
    if thin:
        yield f"In {thin} of {len(table)} bands less than one pair is expected: ratios are rough."
    step = int(np.diff(np.unique(days)).min())
    if step >= 28:
        yield (
            f"The dates stand {step} days apart or more: the records are monthly, "
            "and bands of fewer days than a month say nothing."
        )
    places, shared = np.unique(xy, axis=0, return_counts=True)
    together = int(shared[shared > 1].sum())
    if together > _SHARED * len(xy):
        yield (
            f"{together:,} of {len(xy):,} events share their coordinates with another "
            f"({len(places):,} places): where records are moved to the nearest published point, "
            "the same place may be many addresses."
        )
    if int(days.max()) > _LONG_RECORD:
        yield (
            f"The record spans {int(days.max()) + 1:,} days: places that rose or fell at their own "
            "pace meanwhile also raise ratios. Compare with shorter spans."
        )
    needed = int(np.ceil(len(table) / (permutations + 1) / 0.05)) if permutations else 0
    if corrected and needed > 1:
        yield (
            f"With {permutations:,} permutations no p-value is below {1 / (permutations + 1):.2g}: "
            f"{needed} of {len(table)} bands must be there before one is found. Use more."
        )
