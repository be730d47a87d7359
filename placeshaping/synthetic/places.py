"""Postcodes, services, landmarks and a council's own records."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from placeshaping.synthetic.hierarchy import Hierarchy
from placeshaping.synthetic.labels import Labels
from placeshaping.synthetic.locate import Locator
from placeshaping.synthetic.names import Names, place_names, postcodes, street_names
from placeshaping.synthetic.setting import Setting
from placeshaping.synthetic.streets import Streets
from placeshaping.synthetic.terrain import Floats, Ints

# Landmarks as police.uk names them: residents to one of them, and how central they are.
_LANDMARKS: tuple[tuple[str, float, float], ...] = (
    ("Supermarket", 3_000, 3), ("Shopping Area", 7_000, 14), ("Parking Area", 1_600, 5),
    ("Petrol Station", 5_000, 0.5), ("Sports/Recreation Area", 3_500, 0),
    ("Park/Open Space", 4_000, 0),
    ("Nightclub", 25_000, 60), ("Hospital", 120_000, 1), ("Police Station", 60_000, 10),
    ("Further/Higher Educational Building", 30_000, 3), ("Theatre/Concert Hall", 60_000, 40),
    ("Bus/Coach Station", 60_000, 40),
)  # fmt: skip
_WITH_SHOPS = {"Supermarket": 1.0, "Shopping Area": 1.6, "Petrol Station": 0.25}

# Services: residents to one of them, how central they are, and words for their names.
_SERVICES: tuple[tuple[str, float, float, tuple[str, ...]], ...] = (
    ("Library", 18_000, 8, ("Library",)),
    ("GP surgery", 8_500, 1.5, ("Surgery", "Medical Centre", "Health Centre")),
    ("Licensed premises", 420, 14, ("Arms", "Inn", "Tavern", "Stores", "Wine Bar", "Club")),
    ("Street bin", 160, 5, ("bin",)),
)
_TIPPED = ("Household black bags", "Other household waste", "White goods", "Mattress or furniture",
           "Construction and demolition waste", "Tyres", "Green waste", "Other")  # fmt: skip
_TIPPED_SHARES = (0.22, 0.3, 0.07, 0.17, 0.09, 0.03, 0.05, 0.07)


@dataclass(frozen=True)
class Landmarks:
    """Places that the police name as locations: cell, name, and shops in each cell."""

    cell: Ints
    name: Names
    shops: Floats


def make_landmarks(setting: Setting, residents: Floats, rng: np.random.Generator) -> Landmarks:
    """Scatter landmarks by residents and nearness to a town centre."""
    cells, names = [], []
    shops = np.zeros(len(residents))
    for name, people, pull in _LANDMARKS:
        count = max(1, round(residents.sum() / people))
        odds = residents * (1 + pull * setting.centrality)
        at = rng.choice(len(odds), size=count, p=odds / odds.sum())
        cells.append(at)
        names.append(np.full(count, name, dtype=object))
        np.add.at(shops, at, _WITH_SHOPS.get(name, 0.0))
    return Landmarks(np.concatenate(cells).astype(np.int64), np.concatenate(names), shops)


def make_snap_points(
    streets: Streets, landmarks: Landmarks, locator: Locator, rng: np.random.Generator
) -> pd.DataFrame:
    """
    Return the anchor points that published coordinates are moved to.

    Returns
    -------
    points
        Columns `easting`, `northing`, `location` (the words on police.uk) and
        `cell`.
    """
    mesh = locator.mesh
    chosen = np.flatnonzero(rng.random(len(streets.a)) < 0.62)
    share = rng.uniform(0.25, 0.5, len(chosen))[:, None]
    on_street = mesh.xy[streets.a[chosen]] * (1 - share) + streets.middle[chosen] * share
    near = mesh.xy[landmarks.cell] + rng.normal(0, 8, (len(landmarks.cell), 2))
    xy = np.round(np.concatenate([on_street, near]), 1)
    words = np.concatenate([streets.name[chosen], landmarks.name])
    cell = locator.cell_at(xy)
    fit = mesh.land[cell]
    table = pd.DataFrame(
        {
            "easting": xy[fit, 0],
            "northing": xy[fit, 1],
            "location": "On or near " + pd.Series(words[fit]).astype("str").to_numpy(),
            "cell": cell[fit],
        }
    )
    return table.astype({"location": "str"})


def make_postcodes(
    people: pd.DataFrame,
    residents: Floats,
    locator: Locator,
    hierarchy: Hierarchy,
    labels: Labels,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """
    Return postcodes, one to about 16 households, some of them ended.

    Returns
    -------
    postcodes
        Columns as in the ONS Postcode Directory: `pcds`, `oseast1m`,
        `osnrth1m` (metres), `oa21`, `lsoa21`, `lsoa11`, `doterm` (year and
        month, missing while in use).
    """
    count = max(10, int(people["households"].sum() / 16))
    cell = rng.choice(len(residents), size=count, p=residents / residents.sum())
    xy = np.round(locator.points_in(cell, rng))
    cell = locator.cell_at(xy)
    dry = locator.mesh.land[cell]
    xy, oa = xy[dry], hierarchy.oa[cell[dry]]
    lsoa = hierarchy.lsoa_of_oa[oa]
    order = np.lexsort((oa, lsoa, hierarchy.msoa_of_lsoa[lsoa]))
    xy, oa, lsoa = xy[order], oa[order], lsoa[order]
    ended = rng.integers(2001, 2025, len(oa)) * 100 + rng.integers(1, 13, len(oa))
    until = pd.Series(ended, dtype="Int64").mask(rng.random(len(oa)) >= 0.08)
    return pd.DataFrame(
        {
            "pcds": pd.Series(postcodes(len(oa)), dtype="str"),
            "oseast1m": xy[:, 0].astype(np.int64),
            "osnrth1m": xy[:, 1].astype(np.int64),
            "oa21": pd.Series(labels.oa[oa], dtype="str"),
            "lsoa21": pd.Series(labels.lsoa[lsoa], dtype="str"),
            "lsoa11": pd.Series(labels.lsoa11[hierarchy.lsoa11_of_oa[oa]], dtype="str"),
            "doterm": until,
        }
    )


def make_services(
    setting: Setting,
    residents: Floats,
    locator: Locator,
    codes: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """
    Return service points.

    Returns
    -------
    services
        Columns `name`, `category`, `easting`, `northing` (metres),
        `postcode` (the nearest in use).
    """
    parts = []
    for category, people, pull, words in _SERVICES:
        count = max(2, round(residents.sum() / people))
        odds = residents * (1 + pull * setting.centrality)
        cell = rng.choice(len(odds), size=count, p=odds / odds.sum())
        xy = np.round(locator.points_in(cell, rng))
        parts.append(
            pd.DataFrame(
                {
                    "name": _service_names(category, words, count, rng),
                    "category": category,
                    "easting": xy[:, 0].astype(np.int64),
                    "northing": xy[:, 1].astype(np.int64),
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)
    table["postcode"] = nearest_postcode(table[["easting", "northing"]].to_numpy(float), codes)
    return table.astype({"name": "str", "category": "str", "postcode": "str"})


def _service_names(
    category: str, words: tuple[str, ...], count: int, rng: np.random.Generator
) -> Names:
    kind = np.array(words, object)[rng.integers(len(words), size=count)]
    if category == "Street bin":
        number = pd.Series(np.arange(1, count + 1)).astype("str").str.zfill(5).to_numpy(object)
        return np.asarray("Bin " + number, dtype=object)
    if category == "Library":
        return np.asarray(place_names(count, rng) + " " + kind, dtype=object)
    base = street_names(count, rng)
    first = np.array([name.split()[0] for name in base], object)
    before = "The " if category == "Licensed premises" else ""
    return np.asarray(before + first + " " + kind, dtype=object)


def nearest_postcode(xy: Floats, codes: pd.DataFrame) -> Names:
    """
    Return the nearest postcode in use to each point, shape (n, 2) in metres.

    Examples
    --------
    >>> codes = pd.DataFrame(
    ...     {"pcds": ["ZQ1 0AA", "ZQ1 0AB"], "oseast1m": [0, 9], "osnrth1m": [0, 9],
    ...      "doterm": pd.array([None, 202401], dtype="Int64")}
    ... )
    >>> nearest_postcode(np.array([[8.0, 8.0]]), codes).tolist()
    ['ZQ1 0AA']
    """
    from scipy.spatial import cKDTree

    used = codes[codes["doterm"].isna()]
    tree = cKDTree(used[["oseast1m", "osnrth1m"]].to_numpy(float))
    return np.asarray(used["pcds"].to_numpy(object)[tree.query(xy)[1]])


def make_fly_tipping(
    setting: Setting,
    residents: Floats,
    locator: Locator,
    codes: pd.DataFrame,
    first: np.datetime64,
    days: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """
    Return a council's own records of fly-tipping, with the gaps that such files have.

    Returns
    -------
    reports
        Columns `reference`, `date` (dd/mm/yyyy), `category`, `easting`,
        `northing`, `postcode`; of 100 records about 6 lack coordinates (half
        of these have a postcode) and 8 lack the postcode.
    """
    count = int(rng.poisson(residents.sum() * 0.011 * days / 365.25))
    odds = residents * np.exp(0.5 * setting.need) + 0.15 * residents.mean() * locator.mesh.land
    cell = rng.choice(len(odds), size=count, p=odds / odds.sum())
    xy = np.round(locator.points_in(cell, rng))
    day = np.sort(rng.integers(0, days, count))
    date = pd.DatetimeIndex(first + day.astype("timedelta64[D]")).strftime("%d/%m/%Y")
    code = nearest_postcode(xy, codes)
    code[rng.random(count) < 0.08] = None
    blank = rng.random(count) < 0.06
    code[blank & (rng.random(count) < 0.5)] = None
    east, north = (pd.array(np.where(blank, 0, v).astype(np.int64), dtype="Int64") for v in xy.T)
    east[blank], north[blank] = pd.NA, pd.NA
    kind = np.array(_TIPPED, object)[rng.choice(len(_TIPPED), size=count, p=_TIPPED_SHARES)]
    number = pd.Series(np.arange(1, count + 1)).astype("str").str.zfill(7).to_numpy(object)
    table = pd.DataFrame(
        {
            "reference": "FT" + number, "date": date, "category": kind,
            "easting": east, "northing": north, "postcode": code,
        }
    )  # fmt: skip
    return table.astype({"reference": "str", "date": "str", "category": "str", "postcode": "str"})
