"""Working names of wards: the place that most of their electors live in."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely

from placeshaping.shaping._ward_trees import Ints
from placeshaping.shaping.wards import Proposal, Review

_KINDS = ("parish", "community")


def name_wards(review: Review, label: Ints, present: Proposal | None) -> dict[int, str]:
    """Return a name for each label; those after the same place told apart by where they lie."""
    chosen = _chosen(review, label, present)
    xy = shapely.get_coordinates(shapely.centroid(review.units.geometry.to_numpy()))
    names: dict[int, str] = {}
    for name, wards in chosen.groupby(chosen, sort=True).groups.items():
        middle = {int(ward): xy[label == ward].mean(axis=0) for ward in wards}
        names.update(_told_apart(str(name), middle))
    return names


def _chosen(review: Review, label: Ints, present: Proposal | None) -> pd.Series[str]:
    """Return the name of the largest place of each ward, of the first kind that covers it."""
    electors = review.units["electors_forecast"].to_numpy()
    columns = [review.units[kind] for kind in _KINDS if kind in review.units]
    if present is not None:
        held = present.ward_of.reindex(review.units.index)
        columns.append(held.map(present.wards["name"]))
    known = pd.Series(index=np.unique(label), dtype="object")
    for column in columns:
        table = pd.DataFrame({"ward": label, "place": column.to_numpy(), "electors": electors})
        sums = table.groupby(["ward", "place"], dropna=False)["electors"].sum().reset_index()
        sums = sums.sort_values(["ward", "electors", "place"], ascending=[True, False, True])
        best = sums.drop_duplicates("ward").set_index("ward")["place"]
        known = known.where(known.notna(), best.reindex(known.index))
    return known.fillna("Ward").astype("str")


def _told_apart(name: str, middle: dict[int, np.ndarray]) -> dict[int, str]:
    if len(middle) == 1:
        only = next(iter(middle))
        return {only: f"{name} 1" if name == "Ward" else name}
    places = np.array(list(middle.values()))
    axis = int(np.ptp(places, axis=0).argmax())
    order = sorted(middle, key=lambda ward: -middle[ward][1] if axis else middle[ward][0])
    if len(middle) == 2 and name != "Ward":
        words = ("North", "South") if axis else ("West", "East")
        return {ward: f"{name} {word}" for ward, word in zip(order, words, strict=True)}
    return {ward: f"{name} {i}" for i, ward in enumerate(order, start=1)}
