"""The invented district: everything that a council and a police force would hold, and the truth."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import InputError
from placeshaping.synthetic import labels as naming
from placeshaping.synthetic.deprivation import make_deprivation
from placeshaping.synthetic.hierarchy import Hierarchy, make_hierarchy
from placeshaping.synthetic.labels import Labels, make_labels
from placeshaping.synthetic.locate import Locator, make_locator
from placeshaping.synthetic.mesh import Mesh, dissolve, make_mesh, roughen
from placeshaping.synthetic.names import Names
from placeshaping.synthetic.people import make_people
from placeshaping.synthetic.places import (
    make_fly_tipping,
    make_landmarks,
    make_postcodes,
    make_services,
    make_snap_points,
)
from placeshaping.synthetic.process import plant, simulate
from placeshaping.synthetic.setting import (
    Setting,
    lsoa_mean,
    make_setting,
    oa_mean,
    oa_total,
    spread_people,
)
from placeshaping.synthetic.streets import make_streets, street_table
from placeshaping.synthetic.terrain import Ints, Terrain, make_terrain

_MOST = 45_000
_STEPS = (
    "terrain", "mesh", "hierarchy", "edges", "labels", "setting", "people", "deprivation",
    "streets", "landmarks", "snap", "postcodes", "services", "fly_tipping", "plant", "events",
)  # fmt: skip


@dataclass(frozen=True)
class District:
    """
    An invented district.

    Attributes
    ----------
    seed, areas, first_month, months
        What it was made from.
    oa, lsoa, lsoa_2011, msoa, wards, districts
        GeoDataFrames in EPSG:27700 with code and name columns as in the
        official files.
    lookup, lookup_2011, lookup_oa
        LSOA 2021 to MSOA, ward and district; LSOA 2011 to 2021; output area to LSOA.
    population, electors
        By LSOA 2021; by output area 2021.
    deprivation
        By LSOA 2021, in the layout of file 7 of the Indices of Deprivation 2025.
    postcodes, streets, services, fly_tipping
        As a council holds them.
    events
        True time and place of every recorded crime, with its origin.
    snap_points
        Anchor points that police.uk would publish instead, with the codes of
        the LSOAs that they lie in.
    truth
        Parameters of the process that `events` were drawn from.
    """

    seed: int
    areas: int
    first_month: str
    months: int
    oa: gpd.GeoDataFrame = field(repr=False)
    lsoa: gpd.GeoDataFrame = field(repr=False)
    lsoa_2011: gpd.GeoDataFrame = field(repr=False)
    msoa: gpd.GeoDataFrame = field(repr=False)
    wards: gpd.GeoDataFrame = field(repr=False)
    districts: gpd.GeoDataFrame = field(repr=False)
    lookup: pd.DataFrame = field(repr=False)
    lookup_2011: pd.DataFrame = field(repr=False)
    lookup_oa: pd.DataFrame = field(repr=False)
    population: pd.DataFrame = field(repr=False)
    electors: pd.DataFrame = field(repr=False)
    deprivation: pd.DataFrame = field(repr=False)
    postcodes: pd.DataFrame = field(repr=False)
    streets: gpd.GeoDataFrame = field(repr=False)
    services: pd.DataFrame = field(repr=False)
    fly_tipping: pd.DataFrame = field(repr=False)
    events: pd.DataFrame = field(repr=False)
    snap_points: pd.DataFrame = field(repr=False)
    truth: dict[str, Any] = field(repr=False)


def make_district(
    areas: int = 200,
    *,
    seed: int = 2,
    first_month: str = "2022-07",
    months: int = 36,
) -> District:
    """
    Make an invented English district; the same arguments give the same district.

    Parameters
    ----------
    areas
        Number of LSOAs of 2021, 10 to 45,000; above about 300 there are
        several districts, of about 200 LSOAs each.
    seed
        Of every random draw.
    first_month
        First month of the crime record, ``"YYYY-MM"``.
    months
        Length of the crime record, at least 1.

    Returns
    -------
    district
        Tables, and the truth that they were drawn from.

    Raises
    ------
    InputError
        If `areas` or `months` is out of range, or `first_month` is no month.

    Examples
    --------
    >>> district = make_district(20, seed=1, months=2)
    >>> len(district.lsoa), str(district.lsoa.crs)
    (20, 'EPSG:27700')
    >>> district.lookup["LSOA21NM"].iloc[0]
    'Marshwick 00...'
    """
    first, days = _span(areas, first_month, months)
    rng = {name: np.random.default_rng([seed, areas, step]) for step, name in enumerate(_STEPS)}
    ground = _ground(areas, rng)
    need = oa_mean(ground.setting.need, ground.mesh, ground.hierarchy)
    central = oa_mean(ground.setting.centrality, ground.mesh, ground.hierarchy)
    built = oa_total(ground.mesh.weight, ground.mesh, ground.hierarchy)
    people = make_people(ground.hierarchy, built, need, central, rng["people"])
    tables: dict[str, Any] = {
        **_boundaries(ground),
        **_by_area(ground, people, need, rng),
        **_by_place(ground, people, first, days, rng),
    }
    truth = {"seed": seed, "areas": areas, "first_day": str(first), "days": days}
    tables["truth"] = truth | tables["truth"]
    return District(seed=seed, areas=areas, first_month=first_month, months=months, **tables)


@dataclass(frozen=True)
class _Ground:
    """The place before anybody lives in it."""

    terrain: Terrain
    mesh: Mesh
    hierarchy: Hierarchy
    labels: Labels
    setting: Setting
    locator: Locator


def _ground(areas: int, rng: dict[str, np.random.Generator]) -> _Ground:
    terrain = make_terrain(areas, rng["terrain"])
    mesh = make_mesh(terrain, rng["mesh"])
    hierarchy = make_hierarchy(mesh, terrain, rng["hierarchy"])
    mesh = roughen(mesh, hierarchy.oa, rng["edges"])
    labels = make_labels(hierarchy, _northing(mesh, hierarchy), rng["labels"])
    setting = make_setting(mesh, terrain, hierarchy, rng["setting"])
    return _Ground(terrain, mesh, hierarchy, labels, setting, make_locator(mesh))


def _by_area(
    ground: _Ground,
    people: pd.DataFrame,
    need: NDArray[np.float64],
    rng: dict[str, np.random.Generator],
) -> dict[str, pd.DataFrame]:
    """Return lookups, population, electors and deprivation."""
    hierarchy, labels, lsoa = ground.hierarchy, ground.labels, ground.hierarchy.lsoa_of_oa
    by_lsoa = people.groupby(lsoa).sum()
    residents = people["residents"].to_numpy(float)
    remote = oa_mean(ground.setting.remoteness, ground.mesh, hierarchy)
    needy = lsoa_mean(need, residents, lsoa)
    deprivation = make_deprivation(
        hierarchy,
        labels,
        (needy - needy.mean()) / needy.std() + 0.15,
        lsoa_mean(remote, residents, lsoa),
        by_lsoa,
        rng["deprivation"],
    )
    return {
        "lookup": naming.lookup_21(hierarchy, labels),
        "lookup_2011": naming.lookup_11_21(hierarchy, labels),
        "lookup_oa": naming.lookup_oa(hierarchy, labels),
        "population": _coded("LSOA21CD", labels.lsoa, by_lsoa),
        "electors": _electors(people, hierarchy, labels),
        "deprivation": deprivation,
    }


def _by_place(
    ground: _Ground,
    people: pd.DataFrame,
    first: np.datetime64,
    days: int,
    rng: dict[str, np.random.Generator],
) -> dict[str, Any]:
    """Return streets, postcodes, services, records, and the truth behind the crime."""
    mesh, hierarchy, labels = ground.mesh, ground.hierarchy, ground.labels
    setting, locator = ground.setting, ground.locator
    residents = spread_people(people, mesh, hierarchy)
    from_town = ground.terrain.nearness(*mesh.xy.T)[1]
    streets = make_streets(mesh, ground.terrain, from_town, rng["streets"])
    landmarks = make_landmarks(setting, residents, rng["landmarks"])
    snap = make_snap_points(streets, landmarks, locator, rng["snap"])
    codes = make_postcodes(people, residents, locator, hierarchy, labels, rng["postcodes"])
    services = make_services(setting, residents, locator, codes, rng["services"])
    tipped = make_fly_tipping(setting, residents, locator, codes, first, days, rng["fly_tipping"])
    planted = plant(setting, residents, mesh.xy, days, rng["plant"])
    events, truth = simulate(
        locator, setting, residents, landmarks.shops, planted, first, days, rng["events"]
    )
    return {
        "postcodes": codes,
        "streets": street_table(streets, mesh, labels, hierarchy.oa),
        "services": services,
        "fly_tipping": tipped,
        "events": events,
        "snap_points": _coded_snaps(snap, hierarchy, labels),
        "truth": truth,
    }


def _span(areas: int, first_month: str, months: int) -> tuple[np.datetime64, int]:
    if not 10 <= areas <= _MOST:
        msg = f"areas is {areas:,}; an invented district has 10 to {_MOST:,} LSOAs."
        raise InputError(msg)
    if months < 1:
        msg = f"months is {months}; the crime record needs at least 1."
        raise InputError(msg)
    try:
        month = np.datetime64(first_month, "M")
    except ValueError as error:
        msg = f"first_month is {first_month!r}; write it as '2022-07'."
        raise InputError(msg) from error
    first = month.astype("datetime64[D]")
    days = int(((month + np.timedelta64(months, "M")).astype("datetime64[D]") - first).astype(int))
    return first, days


def _northing(mesh: Mesh, hierarchy: Hierarchy) -> NDArray[np.float64]:
    north = oa_mean(mesh.xy[:, 1], mesh, hierarchy)
    msoa = hierarchy.msoa_of_lsoa[hierarchy.lsoa_of_oa]
    return np.asarray(np.bincount(msoa, north) / np.bincount(msoa))


def _boundaries(ground: _Ground) -> dict[str, gpd.GeoDataFrame]:
    hierarchy, names = ground.hierarchy, ground.labels
    lsoa = hierarchy.lsoa_of_oa
    msoa = hierarchy.msoa_of_lsoa[lsoa]
    levels: dict[str, tuple[Ints, dict[str, Names]]] = {
        "oa": (np.arange(len(lsoa)), {"OA21CD": names.oa}),
        "lsoa": (lsoa, {"LSOA21CD": names.lsoa, "LSOA21NM": names.lsoa_name}),
        "lsoa_2011": (
            hierarchy.lsoa11_of_oa,
            {"LSOA11CD": names.lsoa11, "LSOA11NM": names.lsoa11_name},
        ),
        "msoa": (msoa, {"MSOA21CD": names.msoa, "MSOA21NM": names.msoa_name}),
        "wards": (hierarchy.ward_of_oa, {"WD24CD": names.ward, "WD24NM": names.ward_name}),
        "districts": (
            hierarchy.district_of_msoa[msoa],
            {"LAD24CD": names.district, "LAD24NM": names.district_name},
        ),
    }
    return {
        level: _areas(ground.mesh, hierarchy, parent, columns)
        for level, (parent, columns) in levels.items()
    }


def _areas(
    mesh: Mesh, hierarchy: Hierarchy, parent: Ints, columns: dict[str, Names]
) -> gpd.GeoDataFrame:
    label = np.where(hierarchy.oa >= 0, parent[hierarchy.oa], -1)
    shapes = dissolve(mesh, label, len(next(iter(columns.values()))))
    table = gpd.GeoDataFrame(columns, geometry=shapes, crs=NATIONAL_GRID)
    table = table.astype(dict.fromkeys(columns, "str"))
    return table.sort_values(next(iter(columns)), ignore_index=True)


def _coded(column: str, codes: Names, table: pd.DataFrame) -> pd.DataFrame:
    out = table.reset_index(drop=True)
    out.insert(0, column, pd.Series(codes, dtype="str"))
    return out.sort_values(column, ignore_index=True)


def _electors(people: pd.DataFrame, hierarchy: Hierarchy, labels: Labels) -> pd.DataFrame:
    table = people[["electors", "electors_in_five_years"]].copy()
    table.insert(0, "LSOA21CD", pd.Series(labels.lsoa[hierarchy.lsoa_of_oa], dtype="str"))
    table.insert(1, "WD24CD", pd.Series(labels.ward[hierarchy.ward_of_oa], dtype="str"))
    return _coded("OA21CD", labels.oa, table)


def _coded_snaps(snap: pd.DataFrame, hierarchy: Hierarchy, labels: Labels) -> pd.DataFrame:
    oa = hierarchy.oa[snap["cell"].to_numpy()]
    lsoa, old = hierarchy.lsoa_of_oa[oa], hierarchy.lsoa11_of_oa[oa]
    codes = {
        "LSOA21CD": labels.lsoa[lsoa], "LSOA21NM": labels.lsoa_name[lsoa],
        "LSOA11CD": labels.lsoa11[old], "LSOA11NM": labels.lsoa11_name[old],
    }  # fmt: skip
    table = snap.drop(columns="cell").assign(**codes)
    return table.astype(dict.fromkeys(codes, "str"))
