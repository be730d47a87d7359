"""Parishes, communities and polling districts of the invented district, and its councillors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placeshaping.synthetic.district import District
from placeshaping.synthetic.names import place_names

_COUNTRY = 600.0
"""Residents a square kilometre under which a neighbourhood is a parish."""

_PER_COUNCILLOR = 4_000
"""Electors for each councillor, about."""

_MOST = 3


def make_electoral_places(district: District) -> pd.DataFrame:
    """
    Invent the places that a ward review should not split.

    Neighbourhoods (MSOAs) are communities; those in the country are parishes
    too. A polling district is what a ward and an LSOA have in common.

    Parameters
    ----------
    district
        As made by `make_district`.

    Returns
    -------
    places
        By output area: `OA21CD`, `parish` (missing in towns), `community`,
        `polling_district`.

    Examples
    --------
    >>> from placeshaping.synthetic.district import make_district
    >>> places = make_electoral_places(make_district(10, seed=1, months=1))
    >>> list(places.columns)
    ['OA21CD', 'parish', 'community', 'polling_district']
    """
    lookup = district.lookup_oa.merge(district.lookup[["LSOA21CD", "MSOA21CD"]], on="LSOA21CD")
    residents = district.population.set_index("LSOA21CD")["residents"]
    people = district.lookup.assign(n=district.lookup["LSOA21CD"].map(residents))
    density = people.groupby("MSOA21CD")["n"].sum() / district.msoa.set_index("MSOA21CD").area * 1e6
    rng = np.random.default_rng([district.seed, len(density)])
    called = pd.Series(place_names(len(density), rng), index=density.index)
    community = lookup["MSOA21CD"].map(called)
    country = lookup["MSOA21CD"].map(density < _COUNTRY)
    return pd.DataFrame(
        {
            "OA21CD": lookup["OA21CD"],
            "parish": community.where(country),
            "community": community,
            "polling_district": _polling_districts(lookup),
        }
    )


def _polling_districts(lookup: pd.DataFrame) -> pd.Series[str]:
    """Return letters for the ward and a number for each LSOA that it has a part of."""
    ward = pd.factorize(lookup["WD24CD"], sort=True)[0]
    pairs = lookup[["WD24CD", "LSOA21CD"]].drop_duplicates().sort_values(["WD24CD", "LSOA21CD"])
    number = pairs.groupby("WD24CD").cumcount() + 1
    within = lookup[["WD24CD", "LSOA21CD"]].merge(pairs.assign(number=number), how="left")
    letters = [f"{chr(65 + w // 26 % 26)}{chr(65 + w % 26)}" for w in ward]
    codes = [f"{a}{n}" for a, n in zip(letters, within["number"], strict=True)]
    return pd.Series(codes, index=lookup.index, dtype="str")


def make_present_wards(district: District) -> pd.DataFrame:
    """
    Give the wards of the invented district their councillors: one, two or three each.

    Parameters
    ----------
    district
        As made by `make_district`.

    Returns
    -------
    wards
        `WD24CD`, `WD24NM` and `councillors`.

    Examples
    --------
    >>> from placeshaping.synthetic.district import make_district
    >>> wards = make_present_wards(make_district(10, seed=1, months=1))
    >>> int(wards["councillors"].max()) <= 3
    True
    """
    electors = district.electors.groupby("WD24CD")["electors"].sum()
    share = (electors / _PER_COUNCILLOR).round().clip(1, _MOST).astype("int64")
    wards = pd.DataFrame(district.wards[["WD24CD", "WD24NM"]])
    return wards.assign(councillors=wards["WD24CD"].map(share).fillna(1).astype("int64"))
