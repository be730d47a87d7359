"""Measures of small areas brought up to larger ones, for maps of several levels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.areas.ladder import Ladder
    from placeshaping.project.place_inputs import PlaceInputs


def levels_of(
    inputs: PlaceInputs, columns: Mapping[str, pd.Series[Any]], *, means: Sequence[str]
) -> dict[str, gpd.GeoDataFrame]:
    """
    Lay measures out by level.

    Parameters
    ----------
    inputs
        Areas and the levels above them.
    columns
        Measures of the finest areas.
    means
        Those of them that larger areas have too: as the mean of the residents
        who have any.

    Returns
    -------
    levels
        Level -> areas with `residents` and measures, for `release_facts`.
    """
    import numpy as np

    ladder = inputs.ladder
    people = inputs.residents.reindex(ladder.areas[ladder.finest].index).to_numpy()
    made: dict[str, gpd.GeoDataFrame] = {}
    for level in ladder.levels:
        areas = ladder.areas[level][["area_name", "geometry"]].copy()
        areas["residents"] = np.rint(ladder.sum_to(level, people)).astype("int64")
        finest = level == ladder.finest
        if finest and "imd_decile" in inputs.areas:
            areas["imd_decile"] = inputs.areas["imd_decile"].reindex(areas.index)
        for name, values in columns.items():
            if finest:
                areas[name] = values.reindex(areas.index)
            elif name in means:
                areas[name] = _mean(ladder, level, values, people)
        made[level] = _with_parents(areas, ladder, level)
    return made


def _mean(ladder: Ladder, level: str, values: pd.Series[float], people: Any) -> Any:
    import numpy as np

    numbers = values.reindex(ladder.areas[ladder.finest].index).to_numpy(dtype="float64")
    known = np.isfinite(numbers)
    weight = ladder.sum_to(level, np.where(known, people, 0.0))
    total = ladder.sum_to(level, np.where(known, people * np.nan_to_num(numbers), 0.0))
    return np.divide(total, weight, out=np.full(len(weight), np.nan), where=weight > 0)


def _with_parents(areas: gpd.GeoDataFrame, ladder: Ladder, level: str) -> gpd.GeoDataFrame:
    up = ladder.parent_level(level)
    if up is not None:
        codes = ladder.areas[up].index[ladder.parents(level, up)]
        areas["parent_code"] = codes.to_numpy()
        areas.attrs["parent"] = up
    return areas


def place_name(ladder: Ladder) -> str:
    """Name the place by its coarsest areas, where they are few."""
    names = [str(name) for name in ladder.areas[ladder.levels[-1]]["area_name"]]
    if len(names) > 3:
        return f"{len(names):,} areas"
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
