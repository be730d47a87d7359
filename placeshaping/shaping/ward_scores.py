"""How good a proposal of wards is: equality, contiguity, compactness, and what it splits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import listed
from placeshaping.shaping._ward_borders import groups_of
from placeshaping.shaping.wards import ELECTORS, Proposal, Review

Whole = NDArray[np.int64]

KINDS = {
    "parish": "parish",
    "parish_ward": "parish ward",
    "polling_district": "polling district",
    "community": "community",
}
"""What a column of places holds, in words."""

_PLURAL = {
    "parish": "parishes",
    "parish_ward": "parish wards",
    "polling_district": "polling districts",
    "community": "communities",
}

_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Scores:
    """
    The scores of a proposal.

    Attributes
    ----------
    wards
        One row a ward: `name`, `councillors`, `electors_now`,
        `electors_forecast`, `variance_now`, `variance_forecast` (electors per
        councillor over the average of the whole district, less one), `parts`
        (1 where it is of one piece), `doughnut` (whether it lies wholly within
        another ward), `compactness` (4 pi area / border squared, of the ward as
        a whole; Polsby and Popper 1991; 1 is a circle) and `units`.
    split
        Places that lie in several wards: `kind`, `name`, and `wards`, their
        letters and numbers with commas between.
    summary
        `wards`, `councillors`, `over_forecast` and `over_now` (wards beyond the
        mark), `largest_forecast` and `largest_now` (largest distance from the
        average), `detached`, `doughnuts`, `split_parish`,
        `split_parish_ward`, `split_polling_district` and `split_community`
        (None where such places are not known), `compactness` (mean), and
        `cut_edges` (pairs of neighbours in unlike wards).
    faults
        What the proposal must not have, a sentence each; none where it could
        stand.
    warnings
        What must be argued for.
    """

    wards: pd.DataFrame
    split: pd.DataFrame
    summary: dict[str, Any]
    faults: tuple[str, ...]
    warnings: tuple[str, ...]


def score_proposal(review: Review, proposal: Proposal) -> Scores:
    """
    Score a proposal.

    Parameters
    ----------
    review
        The area.
    proposal
        Every unit in a ward, as `make_proposal` sees to.

    Returns
    -------
    scores
        Tables, a summary, and sentences.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.shaping.wards import make_proposal, make_review
    >>> units = gpd.GeoDataFrame(
    ...     {"electors_now": [90, 110], "electors_forecast": [100, 150]}, crs=27700,
    ...     geometry=[box(0, 0, 100, 100), box(100, 0, 200, 100)], index=["a", "b"],
    ... )
    >>> review = make_review(units, councillors=2, name="Two squares")
    >>> wards = pd.Series(["West", "East"], index=["a", "b"])
    >>> proposal = make_proposal(review, wards, name="Halves", councillors={"East": 1, "West": 1})
    >>> scores = score_proposal(review, proposal)
    >>> scores.wards["variance_forecast"].to_dict()
    {'W1': 0.2, 'W2': -0.2}
    >>> scores.faults[0]
    'East would be 20.0 % above the average on the forecast; the mark is 10 %.'
    """
    label = ward_numbers(review, proposal)
    wards = _ward_table(review, proposal, label)
    split = _split_places(review, proposal, label)
    summary = _summary(review, wards, split, label)
    faults = tuple(_faults(review, wards))
    return Scores(wards, split, summary, faults, tuple(_warnings(review, wards, split)))


def ward_numbers(review: Review, proposal: Proposal) -> Whole:
    """
    Return for each unit of the review the row of its ward.

    Parameters
    ----------
    review, proposal
        The area, and wards made of it.

    Returns
    -------
    numbers
        In the order of the units.
    """
    given = pd.Index(proposal.ward_of.reindex(review.units.index))
    return np.asarray(proposal.wards.index.get_indexer(given), dtype=np.int64)


def variances(electors: pd.Series[int], councillors: pd.Series[int]) -> pd.Series[float]:
    """
    Return how far the electors per councillor of each ward lie from the average, as a share.

    Parameters
    ----------
    electors, councillors
        Of each ward.

    Returns
    -------
    variance
        0 at the average of the whole district; 0.1 is 10 % above it.

    Examples
    --------
    >>> variances(pd.Series([100, 300]), pd.Series([1, 1])).tolist()
    [-0.5, 0.5]
    """
    fair = councillors * electors.sum()  # whole numbers to the last step: exact at the mark
    return (electors * councillors.sum() - fair) / fair


def _ward_table(review: Review, proposal: Proposal, label: Whole) -> pd.DataFrame:
    count = len(proposal.wards)
    table = proposal.wards[["name", "councillors"]].copy()
    for column in ELECTORS:
        table[column] = _summed(label, review.units[column], count)
    for column in ELECTORS:
        kind = column.removeprefix("electors_")
        table[f"variance_{kind}"] = variances(table[column], table["councillors"])
    pairs = review.neighbours[["one", "other"]].to_numpy()
    ends = label[pairs]
    metres = review.neighbours["metres"].to_numpy()
    cut = ends[:, 0] != ends[:, 1]
    outer = _summed(label, review.units["outer_metres"], count)
    border = outer.copy()
    for end in (0, 1):
        border += _summed(ends[cut, end], metres[cut], count)
    table["parts"] = _parts(pairs[~cut], label, count)
    table["doughnut"] = _enclosed(ends[cut & (metres > 0)], outer, count)
    area = _summed(label, review.units["square_metres"], count)
    table["compactness"] = 4 * np.pi * area / np.maximum(border, 1) ** 2
    table["units"] = np.bincount(label, minlength=count)
    return table


def _summed(label: Whole, values: Any, count: int) -> Whole:
    sums = np.zeros(count, dtype=np.int64)
    np.add.at(sums, label, np.asarray(values, dtype=np.int64))
    return sums


def _parts(inside: Whole, label: Whole, count: int) -> Whole:
    group = groups_of(inside, len(label))
    pieces = np.unique(np.column_stack([label, group]), axis=0)
    return np.bincount(pieces[:, 0], minlength=count)


def _enclosed(ends: Whole, outer: Whole, count: int) -> NDArray[np.bool_]:
    """Tell which wards have no border but with one other ward."""
    both = np.unique(np.vstack([ends, ends[:, ::-1]]), axis=0)
    beside = np.bincount(both[:, 0], minlength=count)
    return np.asarray((beside == 1) & (outer == 0))


def place_labels(review: Review, kind: str) -> pd.Series[str]:
    """
    Return the place of each unit; of parish wards with the parish before it.

    Parameters
    ----------
    review
        The area.
    kind
        One of its `places`.

    Returns
    -------
    labels
        A gap where a unit has none.
    """
    names: pd.Series[str] = review.units[kind]
    if kind == "parish_ward" and "parish" in review.units:
        parish = review.units["parish"]
        names = names.where(parish.isna(), parish.astype("str") + ": " + names.astype("str"))
        names = names.where(review.units[kind].notna())
    return names


def _split_places(review: Review, proposal: Proposal, label: Whole) -> pd.DataFrame:
    rows = []
    ids = proposal.wards.index
    for kind in review.places:
        names = place_labels(review, kind)
        held = pd.DataFrame({"name": names.to_numpy(), "ward": label}).dropna().drop_duplicates()
        held = held.sort_values(["name", "ward"])
        for name, wards in held.groupby("name")["ward"]:
            if len(wards) > 1:
                rows.append((kind, str(name), ", ".join(ids[wards.to_numpy()])))
    return pd.DataFrame(rows, columns=["kind", "name", "wards"]).astype("str")


def _summary(
    review: Review, wards: pd.DataFrame, split: pd.DataFrame, label: Whole
) -> dict[str, Any]:
    ends = label[review.neighbours[["one", "other"]].to_numpy()]
    counts = split["kind"].value_counts()
    return {
        "wards": len(wards),
        "councillors": int(wards["councillors"].sum()),
        "over_forecast": int(_over(review, wards["variance_forecast"]).sum()),
        "over_now": int(_over(review, wards["variance_now"]).sum()),
        "largest_forecast": float(wards["variance_forecast"].abs().max()),
        "largest_now": float(wards["variance_now"].abs().max()),
        "detached": int((wards["parts"] > 1).sum()),
        "doughnuts": int(wards["doughnut"].sum()),
        **{
            f"split_{kind}": int(counts.get(kind, 0)) if kind in review.places else None
            for kind in KINDS
        },
        "compactness": float(wards["compactness"].mean()),
        "cut_edges": int((ends[:, 0] != ends[:, 1]).sum()),
    }


def _over(review: Review, variance: pd.Series[float]) -> pd.Series[bool]:
    return variance.abs() > review.tolerance + _ROUNDING


def _faults(review: Review, wards: pd.DataFrame) -> Iterator[str]:
    mark = f"{100 * review.tolerance:g} %"
    over = wards[_over(review, wards["variance_forecast"])]
    for name, variance in zip(over["name"], over["variance_forecast"], strict=True):
        yield (
            f"{name} would be {_percent(variance)} the average on the forecast; the mark is {mark}."
        )
    for ward in wards[wards["parts"] > 1].itertuples():
        yield f"{ward.name} lies in {ward.parts:,} parts that do not touch."
    for ward in wards[wards["doughnut"]].itertuples():
        yield f"{ward.name} lies wholly within another ward."
    for ward in wards[~wards["councillors"].isin(review.sizes)].itertuples():
        sizes = " or ".join(str(size) for size in review.sizes)
        yield f"{ward.name} has {ward.councillors} councillors; a ward may have {sizes}."
    seats = int(wards["councillors"].sum())
    if seats != review.councillors:
        yield f"The wards have {seats:,} councillors together, not {review.councillors:,}."


def _warnings(review: Review, wards: pd.DataFrame, split: pd.DataFrame) -> Iterator[str]:
    over = wards[_over(review, wards["variance_now"])]
    if len(over):
        yield (
            f"{len(over):,} of {len(wards):,} wards would be beyond {100 * review.tolerance:g} % "
            f"with today's electors ({listed(over['name'].to_list())})."
        )
    for kind, rows in split.groupby("kind", sort=False):
        names = rows["name"].to_list()
        what = KINDS[str(kind)] if len(names) == 1 else _PLURAL[str(kind)]
        lies = "lies" if len(names) == 1 else "lie"
        yield f"{len(names):,} {what} {lies} in several wards ({listed(names)})."


def _percent(variance: float) -> str:
    return f"{100 * abs(variance):.1f} % {'above' if variance > 0 else 'below'}"
