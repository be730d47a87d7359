"""How unlike two proposals of wards are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import optimize

from placeshaping.shaping.ward_scores import score_proposal, ward_numbers
from placeshaping.shaping.wards import Proposal, Review


def proposal_distance(review: Review, one: Proposal, other: Proposal) -> float:
    """
    Return the share of electors who would be in another ward.

    Wards are matched so that as many electors as can be stay together (by the
    assignment method); their names do not matter.

    Parameters
    ----------
    review
        The area.
    one, other
        Wards made of it.

    Returns
    -------
    distance
        Of the electors as forecast; 0 where the wards are the same.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.shaping.wards import make_proposal, make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": 100, "electors_forecast": 100}, crs=27700, index=list("abcd"),
    ...     geometry=[box(x, 0, x + 100, 100) for x in (0, 100, 200, 300)],
    ... )
    >>> review = make_review(units, councillors=2, name="A row")
    >>> def halves(text):
    ...     wards = pd.Series(list(text), index=units.index)
    ...     return make_proposal(review, wards, name=text, councillors={"x": 1, "y": 1})
    >>> proposal_distance(review, halves("xxyy"), halves("yyxx"))
    0.0
    >>> proposal_distance(review, halves("xxyy"), halves("xyyy"))
    0.25
    """
    shared = _shared(review, one, other)
    rows, columns = optimize.linear_sum_assignment(-shared)
    return float(1 - shared[rows, columns].sum() / shared.sum())


def _shared(review: Review, one: Proposal, other: Proposal) -> np.ndarray:
    """Return the electors that each ward of one shares with each ward of the other."""
    rows, columns = ward_numbers(review, one), ward_numbers(review, other)
    shape = (len(one.wards), len(other.wards))
    electors = review.units["electors_forecast"].to_numpy(dtype=np.float64)
    flat = np.bincount(rows * shape[1] + columns, electors, shape[0] * shape[1])
    return flat.reshape(shape)


def distance_table(review: Review, proposals: Sequence[Proposal]) -> pd.DataFrame:
    """
    Return the distance of each proposal from each other, by their names.

    Parameters
    ----------
    review
        The area.
    proposals
        Of unlike names.

    Returns
    -------
    distances
        Shares of electors, 0 on the diagonal.
    """
    names = [one.name for one in proposals]
    rows = [[proposal_distance(review, one, other) for other in proposals] for one in proposals]
    return pd.DataFrame(rows, index=names, columns=names)


def score_table(review: Review, proposals: Sequence[Proposal]) -> pd.DataFrame:
    """
    Score proposals side by side: one row each, the columns of `Scores.summary`.

    Parameters
    ----------
    review
        The area.
    proposals
        Of unlike names.

    Returns
    -------
    scores
        Indexed by `proposal`, with the number of `faults` and of `warnings`.
    """
    rows = {}
    for one in proposals:
        scores = score_proposal(review, one)
        told = {"faults": len(scores.faults), "warnings": len(scores.warnings)}
        rows[one.name] = {**scores.summary, **told}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("proposal")


def changed_units(review: Review, one: Proposal, other: Proposal) -> pd.DataFrame:
    """
    Return the units that change their ward from one proposal to another.

    Wards are matched as for `proposal_distance`.

    Parameters
    ----------
    review
        The area.
    one, other
        Before and after.

    Returns
    -------
    changed
        Index ``area_code``; `before` and `after`, names of wards, and
        `electors_forecast`.
    """
    shared = _shared(review, one, other)
    rows, columns = optimize.linear_sum_assignment(-shared)
    match = np.full(shared.shape[0], -1)
    match[rows] = columns
    here, there = ward_numbers(review, one), ward_numbers(review, other)
    moved = match[here] != there
    units = review.units.index[moved]
    return pd.DataFrame(
        {
            "before": one.wards["name"].to_numpy()[here[moved]],
            "after": other.wards["name"].to_numpy()[there[moved]],
            "electors_forecast": review.units["electors_forecast"].to_numpy()[moved],
        },
        index=units,
    )
