"""Join units whose electors are too few to be shown with a neighbour."""

from __future__ import annotations

import dataclasses

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.policies import Policy
from placeshaping.shaping.wards import ELECTORS, Review, mark_of


def _too_small(electors: NDArray[np.int64], policy: Policy) -> NDArray[np.bool_]:
    """Tell which units have electors, now or on the forecast, that must not be shown."""
    hidden = (electors >= policy.smallest_hidden) & (electors < policy.threshold)
    return np.asarray(hidden.any(axis=1))


def join_small(review: Review, policy: Policy) -> NDArray[np.int64]:
    """Join small units with neighbours; return for each unit the row that stands for its group."""
    electors = review.units[list(ELECTORS)].to_numpy().copy()
    group = np.arange(len(electors))
    pairs = review.neighbours[["one", "other"]].to_numpy()
    metres = review.neighbours["metres"].to_numpy()
    alike = np.zeros(len(pairs), dtype=np.int64)  # places that both units lie in
    for kind in review.places:
        codes = pd.factorize(review.units[kind])[0][pairs]
        alike += codes[:, 0] == codes[:, 1]
    while True:
        heads = np.unique(group)
        small = heads[_too_small(electors[heads], policy)]
        if len(heads) < 2:
            msg = (
                f"Under the policy {policy.name!r} fewer than two units are left: nearly all have "
                f"fewer than {policy.threshold} electors. Give larger units."
            )
            raise DisclosureError(msg)
        if not len(small):
            return group
        one = int(small[electors[small].sum(axis=1).argmin()])
        ends = group[pairs]
        beside = (ends == one).any(axis=1) & (ends[:, 0] != ends[:, 1])
        if not beside.any():
            code = review.units.index[one]
            msg = (
                f"Unit {code} has fewer electors than the policy {policy.name!r} shows "
                f"({policy.threshold}) and no neighbour to be joined with. Give a bridge to its "
                "nearest neighbour, or larger units."
            )
            raise DisclosureError(msg)
        best = np.flatnonzero(beside)[np.lexsort((metres[beside], alike[beside]))[-1]]
        other = int(ends[best].sum() - one)
        head, gone = (other, one) if electors[other].sum() >= electors[one].sum() else (one, other)
        electors[head] += electors[gone]
        group[group == gone] = head


def merge_units(
    review: Review, group: NDArray[np.int64]
) -> tuple[Review, dict[str, tuple[str, ...]]]:
    """Lay out a review whose units are the groups; borders inside a group fall away."""
    heads, row = np.unique(group, return_inverse=True)
    if len(heads) == len(group):
        return review, {}
    units = review.units.iloc[heads].copy()
    for column in (*ELECTORS, "square_metres", "outer_metres"):
        sums = np.zeros(len(heads), dtype=np.int64)
        np.add.at(sums, row, review.units[column].to_numpy())
        units[column] = sums
    joined = np.flatnonzero(np.bincount(row) > 1)
    shapes, before = units.geometry.to_numpy().copy(), review.units.geometry.to_numpy()
    members = {}
    for place in joined:
        shapes[place] = shapely.union_all(before[row == place])
        members[str(units.index[place])] = tuple(review.units.index[row == place].astype(str))
    units = units.set_geometry(gpd.GeoSeries(shapes, index=units.index, crs=units.crs))
    ends = np.sort(row[review.neighbours[["one", "other"]].to_numpy()], axis=1)
    pairs = pd.DataFrame(
        {"one": ends[:, 0], "other": ends[:, 1], "metres": review.neighbours["metres"].to_numpy()}
    )
    apart = pairs[pairs["one"] != pairs["other"]]
    pairs = apart.groupby(["one", "other"])["metres"].sum().reset_index()
    merged = dataclasses.replace(review, units=units, neighbours=pairs)
    return with_units(merged, units), members


def with_units(review: Review, units: gpd.GeoDataFrame) -> Review:
    """Return a review of other figures, with the mark that goes with them."""
    mark = mark_of(units, review.neighbours, review.councillors, review.sizes, review.tolerance)
    return dataclasses.replace(review, units=units, digest=mark)
