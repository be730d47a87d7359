"""Codes and names of the areas at every level and in both census years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from placeshaping.synthetic.hierarchy import Hierarchy
from placeshaping.synthetic.names import DISTRICT, Names, gss_codes, letters, place_names
from placeshaping.synthetic.terrain import Floats, Ints


@dataclass(frozen=True)
class Labels:
    """Codes and names, one array a level, in the order of the hierarchy's numbers."""

    oa: Names
    lsoa: Names
    lsoa_name: Names
    lsoa11: Names
    lsoa11_name: Names
    msoa: Names
    msoa_name: Names
    ward: Names
    ward_name: Names
    district: Names
    district_name: Names


def make_labels(hierarchy: Hierarchy, northing: Floats, rng: np.random.Generator) -> Labels:
    """
    Give the areas codes and names as the register does.

    MSOAs are numbered from north to south in their district; an LSOA bears its
    MSOA's name and a letter; an area that was unchanged in 2021 kept its code
    and name, any other has a new one.

    Parameters
    ----------
    hierarchy
        Who belongs to whom.
    northing
        Of each MSOA, metres.
    rng
        Source of randomness, for the names.
    """
    msoas, districts = len(northing), int(hierarchy.district_of_msoa.max()) + 1
    wards = int(hierarchy.ward_of_oa.max()) + 1
    places = place_names(wards + districts, rng)
    district_name = np.array([DISTRICT, *places[: districts - 1]], object)
    number = _within(hierarchy.district_of_msoa, -northing) + 1
    owner = district_name[hierarchy.district_of_msoa]
    msoa_name = np.array([f"{a} {b:03d}" for a, b in zip(owner, number, strict=True)], object)
    lsoa, lsoa11, order, order11 = _lsoa_codes(hierarchy)
    msoa11 = np.zeros(len(lsoa11), dtype=np.int64)
    msoa11[hierarchy.lsoa11_of_oa] = hierarchy.msoa_of_lsoa[hierarchy.lsoa_of_oa]
    return Labels(
        oa=gss_codes("E00", 500_001, len(hierarchy.lsoa_of_oa)),
        lsoa=lsoa,
        lsoa_name=msoa_name[hierarchy.msoa_of_lsoa] + letters(order),
        lsoa11=lsoa11,
        lsoa11_name=msoa_name[msoa11] + letters(order11),
        msoa=gss_codes("E02", 900_001, msoas),
        msoa_name=msoa_name,
        ward=gss_codes("E05", 900_001, wards),
        ward_name=places[districts - 1 : districts - 1 + wards],
        district=gss_codes("E07", 900_001, districts),
        district_name=district_name,
    )


def _within(group: Ints, key: Floats) -> Ints:
    """Return the place of each member in its group, in the order of a key."""
    order = np.lexsort((key, group))
    out = np.empty(len(group), dtype=np.int64)
    sizes = np.bincount(group)
    out[order] = np.arange(len(group)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return out


def _lsoa_codes(hierarchy: Hierarchy) -> tuple[Names, Names, Ints, Ints]:
    """Return codes of 2021 and 2011, and the place of each in its MSOA for the letters."""
    old = hierarchy.lsoa11_of_oa
    old_count = int(old.max()) + 1
    lsoa11 = gss_codes("E01", 900_001, old_count)
    msoa_of_old = np.zeros(old_count, dtype=np.int64)
    msoa_of_old[old] = hierarchy.msoa_of_lsoa[hierarchy.lsoa_of_oa]
    letter11 = _within(msoa_of_old, np.arange(old_count, dtype=float))
    before = np.zeros(len(hierarchy.change), dtype=np.int64)
    before[hierarchy.lsoa_of_oa] = old
    kept = hierarchy.change == "U"
    lsoa = lsoa11[before]
    lsoa[~kept] = gss_codes("E01", 950_000, int((~kept).sum()))
    letter = letter11[before]
    fresh = np.flatnonzero(~kept)
    used = np.bincount(msoa_of_old, minlength=len(hierarchy.district_of_msoa))
    home = hierarchy.msoa_of_lsoa[fresh]
    letter[fresh] = used[home] + _within(
        np.unique(home, return_inverse=True)[1], np.arange(len(fresh), dtype=float)
    )
    return lsoa, lsoa11, letter, letter11


def lookup_21(hierarchy: Hierarchy, labels: Labels) -> pd.DataFrame:
    """Return each LSOA of 2021 with its MSOA, best-fit ward and district."""
    msoa, ward = hierarchy.msoa_of_lsoa, hierarchy.ward_of_lsoa
    district = hierarchy.district_of_lsoa
    return _sorted(
        {
            "LSOA21CD": labels.lsoa, "LSOA21NM": labels.lsoa_name,
            "MSOA21CD": labels.msoa[msoa], "MSOA21NM": labels.msoa_name[msoa],
            "WD24CD": labels.ward[ward], "WD24NM": labels.ward_name[ward],
            "LAD24CD": labels.district[district], "LAD24NM": labels.district_name[district],
        }
    )  # fmt: skip


def lookup_11_21(hierarchy: Hierarchy, labels: Labels) -> pd.DataFrame:
    """Return every pair of LSOAs of 2011 and 2021 that overlap, and how they changed."""
    count = len(labels.lsoa)
    pairs = np.unique(hierarchy.lsoa11_of_oa * count + hierarchy.lsoa_of_oa)
    old, new = pairs // count, pairs % count
    return _sorted(
        {
            "LSOA11CD": labels.lsoa11[old], "LSOA11NM": labels.lsoa11_name[old],
            "CHNGIND": hierarchy.change[new].astype(object),
            "LSOA21CD": labels.lsoa[new], "LSOA21NM": labels.lsoa_name[new],
        }
    )  # fmt: skip


def lookup_oa(hierarchy: Hierarchy, labels: Labels) -> pd.DataFrame:
    """Return each output area with its LSOA, ward and the LSOA of 2011 that it lay in."""
    lsoa, ward = hierarchy.lsoa_of_oa, hierarchy.ward_of_oa
    return _sorted(
        {
            "OA21CD": labels.oa, "LSOA21CD": labels.lsoa[lsoa],
            "LSOA11CD": labels.lsoa11[hierarchy.lsoa11_of_oa],
            "WD24CD": labels.ward[ward], "WD24NM": labels.ward_name[ward],
        }
    )  # fmt: skip


def _sorted(columns: dict[str, Names]) -> pd.DataFrame:
    table = pd.DataFrame(columns).astype("str")
    keys = [c for c in table.columns if c.endswith("CD")][:2]
    return table.sort_values(keys, ignore_index=True)
