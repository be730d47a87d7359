"""
What protection costs: how much is hidden, and how far the map's picture has changed.

The figures are printed on products, so none may tell more of the hidden counts
than the marks do: the share of the records is what a reader could work out
from the release, and true counts are compared only with rounded or changed ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse, stats

from placeshaping.areas.neighbours import contiguity
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.protection import Protected
from placeshaping.hotspots.study import Study

FEWEST = 30
"""Areas that a level needs before a correlation over them is told."""


def information_lost(
    study: Study, protected: Protected, levels: Sequence[str], *, policy: Policy
) -> dict[str, dict[str, Any]]:
    """
    Measure what the protection of a release cost at each level.

    Parameters
    ----------
    study
        The true counts.
    protected
        The protected ones.
    levels
        The levels that are released.
    policy
        Its threshold is the finest step in which a share of records is told.

    Returns
    -------
    lost
        Level -> `cells`, `hidden`, `hidden_when_opened`, `areas`;
        `share_hidden`, about the share (0 to 1) of the records that stand in
        hidden cells of the finest breakdown: what the released total leaves
        for them; and for levels of 30 areas or more, over the view that opens
        first, `rank_correlation` (Spearman) of the true and the released
        counts, and Moran's I of both, `moran_true` and `moran_released`
        (queen contiguity, row-standardised). A hidden count is taken as the
        middle of what its mark says. Where it stands beside exact counts
        these three are left out: they would be equations for it.
    """
    whole = _whole(study, protected, levels)
    return {level: _level(study, protected, level, policy, whole) for level in levels}


def _whole(study: Study, protected: Protected, levels: Sequence[str]) -> int | None:
    """Return what the areas of a level that hides none add up to; None where each hides some."""
    for level in reversed(levels):
        if study.covered[level].all() and not protected.hidden[level][0, 0].any():
            return int(protected.counts[level][0, 0].sum())
    return None


def _level(
    study: Study, protected: Protected, level: str, policy: Policy, whole: int | None
) -> dict[str, Any]:
    hidden, true = protected.hidden[level], protected.true[level]
    covered = study.covered[level]
    found: dict[str, Any] = {
        "cells": int(hidden.size),
        "hidden": int(hidden.sum()),
        "hidden_when_opened": int(hidden[0, 0].sum()),
        "areas": int(hidden.shape[-1]),
        "share_hidden": _share_of_records(protected.counts[level], hidden, policy, whole),
    }
    exact = policy.method == "suppress" and bool(hidden[0, 0].any())
    if covered.sum() < FEWEST or not policy.protects or exact:
        return found
    middle = _middle(policy)
    released = np.where(hidden[0, 0], middle, protected.counts[level][0, 0])[covered]
    counts = true[0, 0][covered].astype(float)
    if np.ptp(counts) == 0 or np.ptp(released) == 0:
        return found
    graph = contiguity(study.ladder.areas[level][covered], islands="nearest")
    weights = graph.transform("r").sparse
    return {
        **found,
        "rank_correlation": round(float(stats.spearmanr(counts, released).statistic), 2),
        "moran_true": round(morans_i(counts, weights), 2),
        "moran_released": round(morans_i(released, weights), 2),
    }


def _middle(policy: Policy) -> float:
    return (policy.smallest_hidden + policy.threshold - 1) / 2


def _share_of_records(
    counts: NDArray[np.int64], hidden: NDArray[np.bool_], policy: Policy, whole: int | None
) -> float:
    """
    Return the share of records in hidden cells of the finest breakdown, in coarse steps.

    It is worked out from released numbers alone: of few cells, or a small
    total, the true share would give the hidden counts themselves.
    """
    parts = (
        slice(1 if hidden.shape[0] > 1 else 0, None),
        slice(1 if hidden.shape[1] > 1 else 0, None),
    )
    cells, shown = int(hidden[parts].sum()), int(counts[parts].sum())
    if not cells:
        return 0.0
    if whole is None:
        lost = cells * _middle(policy)
        everything = shown + lost
    else:
        everything = float(max(whole, 1))
        lost = max(everything - shown, cells * policy.smallest_hidden)
    step = max(0.01, policy.threshold / max(everything, 1.0))
    return min(1.0, round(step * round(lost / max(everything, 1.0) / step), 4))


def morans_i(values: NDArray[np.float64], weights: sparse.csr_array) -> float:
    """
    Return Moran's I (Moran 1950) of some values.

    Parameters
    ----------
    values
        One an area, not all the same.
    weights
        Sparse, areas by areas.

    Examples
    --------
    >>> line = sparse.csr_array(np.array([[0, 1, 0], [0.5, 0, 0.5], [0, 1, 0]]))
    >>> round(morans_i(np.array([1.0, 2.0, 3.0]), line), 3)
    0.0
    """
    deviation = values - values.mean()
    within = float(deviation @ (weights @ deviation))
    return len(values) / float(weights.sum()) * within / float(deviation @ deviation)
