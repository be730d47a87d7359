"""
Which units are flagged when so much area is to be: the highest expected count per km².

Units of equal score at the cut share what is left of the area, in proportion to
their size: what a random order among them would give on average. One unit alone
at the cut is taken in part. So the flagged area is exactly the one asked for, no
result depends on the order of an array, and with the observed counts for scores
the rule is the oracle's: the bound of the knapsack problem (Dantzig 1957).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from placeshaping._core.errors import InputError
from placeshaping.likelihood.units import Units

_TIED = 1e-9
"""Densities that differ by less, relative to their size, are equal: areas are cut polygons."""

SQUARE_FEET_PER_KM2 = 1e6 / 0.3048**2
SQUARE_MILES_PER_KM2 = 1 / 1.609344**2


@dataclass(frozen=True)
class FlagRules:
    """
    Rules of a competition: how large cells are, and how much of them is flagged.

    Attributes
    ----------
    name
        Of whose rules.
    cell
        Least and greatest area of a cell in km².
    flagged
        Least and greatest flagged area in all, in km².
    """

    name: str
    cell: tuple[float, float]
    flagged: tuple[float, float]

    def check(self, units: Units, flagged: float) -> None:
        """
        Refuse cells or a flagged area outside the rules.

        Whole cells count; those cut at the outline of the study area may be smaller.

        Raises
        ------
        InputError
            If a cell is too small or too large, or the flagged area is.

        Examples
        --------
        >>> import geopandas as gpd
        >>> from shapely import box
        >>> from placeshaping.likelihood.units import make_cells, make_units
        >>> study = gpd.GeoDataFrame(geometry=[box(0, 0, 9000, 9000)], crs=27700)
        >>> NIJ.check(make_units(make_cells(study, size=125)), 1.0)
        >>> NIJ.check(make_units(make_cells(study, size=250)), 1.0)
        Traceback (most recent call last):
            ...
        placeshaping._core.errors.InputError: Cells of 0.0625 km² are outside NIJ's ...
        """
        cell = float(units.area.max())
        for what, value, (least, most) in (
            (f"Cells of {cell:g} km² are", cell, self.cell),
            (f"A flagged area of {flagged:g} km² is", flagged, self.flagged),
        ):
            if not least * (1 - _TIED) <= value <= most * (1 + _TIED):
                msg = f"{what} outside {self.name}'s rules: {least:.4g} to {most:.4g} km²."
                raise InputError(msg)


NIJ = FlagRules(
    "NIJ",
    cell=(62_500 / SQUARE_FEET_PER_KM2, 360_000 / SQUARE_FEET_PER_KM2),
    flagged=(0.25 / SQUARE_MILES_PER_KM2, 0.75 / SQUARE_MILES_PER_KM2),
)
"""Rules of the Real-Time Crime Forecasting Challenge (National Institute of Justice 2016)."""


def flag(
    scores: ArrayLike,
    area: ArrayLike,
    *,
    share: float | None = None,
    km2: float | None = None,
) -> NDArray[np.float64]:
    """
    Flag the units of highest score per area, up to an area that is met exactly.

    Parameters
    ----------
    scores
        Expected count of each unit (not yet per area), zero or more.
    area
        Area of each unit in km², above zero.
    share, km2
        How much to flag: a share of the whole area, or square kilometres.

    Returns
    -------
    flagged
        The part of each unit that is flagged, 0 to 1.

    Raises
    ------
    InputError
        If the area to flag is none or more than there is, or scores are not
        numbers.

    Examples
    --------
    >>> flag([5, 1, 1, 0], [1, 1, 1, 1], share=0.5).tolist()  # two share the second place
    [1.0, 0.5, 0.5, 0.0]
    >>> flag([5, 8, 0], [1, 4, 5], km2=2).tolist()  # 5 per km² comes before 2 per km²
    [1.0, 0.25, 0.0]
    """
    values, sizes = np.asarray(scores, dtype=np.float64), np.asarray(area, dtype=np.float64)
    if not (np.isfinite(values).all() and (sizes > 0).all()):
        msg = "Scores must be finite and areas above zero. Leave out units without a forecast."
        raise InputError(msg)
    whole = float(sizes.sum())
    wanted = _wanted(whole, share, km2)
    order, group = density_groups(values, sizes)
    filled = np.bincount(group, sizes[order])
    before = np.cumsum(filled) - filled
    part = np.clip((wanted - before) / filled, 0, 1)
    flagged = np.empty_like(values)
    flagged[order] = part[group]
    return flagged


def density_groups(
    scores: NDArray[np.float64], area: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """
    Order units by score per area, highest first, and number the groups of equals.

    Parameters
    ----------
    scores, area
        Of each unit.

    Returns
    -------
    order, group
        Positions in that order, and for each place in it the number of its group.
    """
    density = scores / area
    order = np.argsort(-density, kind="stable")
    ranked = density[order]
    new = np.abs(np.diff(ranked)) > _TIED * np.abs(ranked[:-1])
    return order, np.concatenate([[0], np.cumsum(new)])


def _wanted(whole: float, share: float | None, km2: float | None) -> float:
    if (share is None) == (km2 is None):
        msg = "Say how much area to flag: either share=0.05 or km2=1.5."
        raise InputError(msg)
    wanted = whole * share if share is not None else float(km2 or 0)
    if not 0 < wanted <= whole * (1 + _TIED):
        told = f"{share:.1%}" if share is not None else f"{km2:g} km²"
        msg = f"{told} of {whole:,.1f} km² cannot be flagged. Ask for more than none, at most all."
        raise InputError(msg)
    return wanted
