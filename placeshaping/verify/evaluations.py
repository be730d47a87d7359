"""
Evaluations: what stands beside the counts must be worked out from those that are shown.

An expected number or a difference that was worked out from exact counts gives
them back, however well the counts beside it are rounded.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping.verify.cells import cell_names, numbers_of
from placeshaping.verify.contents import Table
from placeshaping.verify.record_columns import EVALUATION
from placeshaping.verify.verdict import Breach, number_of

_COMPARISON = "comparison"
_SIX_FIGURES = 2e-5


def check_evaluation(table: Table) -> Iterator[Breach]:
    """
    Look for numbers that are not worked out from the counts that stand beside them.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"part": ["comparison", "treated"], "records_before": [100, 50],
    ...         "records_after": [100, 40], "expected": [None, 48.7]}
    >>> [breach.what for breach in check_evaluation(Table("json", pd.DataFrame(rows)))]
    ["1 number in 'expected' not worked out from the counts that are shown"]
    """
    frame = table.frame
    if not {"part", *EVALUATION[1]} <= set(frame.columns):
        return
    before, after = (numbers_of(frame[name]) for name in ("records_before", "records_after"))
    compared = (frame["part"].astype(str) == _COMPARISON).to_numpy()
    if compared.sum() != 1:
        what = "has no row of comparison areas, from which what is expected is worked out"
        yield Breach(table.where, what, attack="evaluation")
        return
    for name, own in _worked_out(before, after, compared).items():
        if name not in frame:
            continue
        given = numbers_of(frame[name])
        near = np.abs(given - own) <= _SIX_FIGURES * np.maximum(np.abs(own), 1.0)
        odd = np.isfinite(given) & ~near & ~compared
        if odd.any():
            numbers = number_of(int(odd.sum()), "number")
            what = f"{numbers} in {name!r} not worked out from the counts that are shown"
            yield Breach(table.where, what, "; ".join(cell_names(frame, odd)), attack="evaluation")
    odd = _odd_ends(frame, _worked_out(before, after, compared)["expected"], after) & ~compared
    if odd.any():
        what = f"{number_of(int(odd.sum()), 'interval')} not around the difference that is shown"
        yield Breach(table.where, what, "; ".join(cell_names(frame, odd)), attack="evaluation")


def _odd_ends(
    frame: pd.DataFrame, expected: NDArray[np.float64], after: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which intervals have another middle than the difference, or other shares of it."""
    odd = np.zeros(len(frame), dtype=bool)
    if not {"interval_from", "interval_to"} <= set(frame.columns):
        return odd
    low, high = (numbers_of(frame[name]) for name in ("interval_from", "interval_to"))
    size = np.maximum(np.abs(low) + np.abs(high), 1.0)
    odd |= np.abs(low + high - 2 * (after - expected)) > _SIX_FIGURES * size
    for end, name in ((low, "percent_from"), (high, "percent_to")):
        if name in frame:
            own = numbers_of(frame[name]) * expected / 100
            odd |= np.abs(own - end) > _SIX_FIGURES * size
    return odd


def _worked_out(
    before: NDArray[np.float64], after: NDArray[np.float64], compared: NDArray[np.bool_]
) -> dict[str, NDArray[np.float64]]:
    """Work the numbers out anew from the counts."""
    c0, c1 = before[compared][0], after[compared][0]
    with np.errstate(divide="ignore", invalid="ignore"):
        change = c1 / c0
        expected = before * change
        variance = after + change**2 * before + (before / c0) ** 2 * (c1 + change**2 * c0)
        return {
            "expected": expected,
            "difference": after - expected,
            "se_poisson": np.sqrt(variance),
            "percent": 100 * (after - expected) / expected,
        }
