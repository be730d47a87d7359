"""
Measures of areas that count no records, as they may leave: travel times, chosen sites.

What is worked out from public facts alone (where people live, where libraries
stand, how long the way is) protects nobody by being hidden. It leaves under
rules of its own, `FACTS`: any number of a closed list of columns, any word of
a declared scheme of labels, and no count of records whatever.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import geopandas as gpd
import pandas as pd

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import DisclosureError, EmptyError
from placeshaping._core.provenance import SourceFile
from placeshaping.disclosure.permission import is_address
from placeshaping.disclosure.policies import Policy
from placeshaping.disclosure.public_places import PublicPlaces
from placeshaping.disclosure.release import _MAKER, Release
from placeshaping.disclosure.statement import disclosure_statement
from placeshaping.disclosure.tables import AreaTable
from placeshaping.hotspots.labels import AreaLabels
from placeshaping.statistics.views import CategoryView, PeriodView

FACT_COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "minutes": "minutes to the nearest service; of a larger area, the residents' mean",
        "metres": "metres to the nearest service; of a larger area, the residents' mean",
        "nearest": "name of the nearest service",
        "minutes_before": "minutes to the nearest site of today",
        "metres_before": "metres to the nearest site of today",
        "nearest_before": "name of the nearest site of today",
        "per_1000": "what services offer for each 1,000 residents, by floating catchments",
    }
)
"""Columns of measures that may leave, in words; the attacker has a list of its own."""

FACT_HEADS: Mapping[str, str] = MappingProxyType(
    {
        "minutes": "Minutes to the nearest",
        "metres": "Metres to the nearest",
        "nearest": "Nearest",
        "minutes_before": "Minutes today",
        "metres_before": "Metres today",
        "nearest_before": "Nearest today",
        "per_1000": "For each 1,000 residents",
    }
)
"""The same columns as heads of a table."""

FACTS = Policy(
    "facts",
    "anybody; worked out from what is public already",
    threshold=0,
    rounding=1,
    zeros_shown=True,
    numbers=False,
    counts_shown=False,
    method="as_is",
    finest="lsoa",
    extra_fields=tuple(FACT_COLUMNS),
)
"""
The rules of measures that count no records.

Not one of `POLICIES`: no recipe names it and `release` does not take it, so that
records cannot be passed off as facts.
"""

FACTS_NOT_FOR = (
    "To judge any person or household: everybody of an area is taken to live at one place.",
    "As the only ground for opening, moving or closing a service.",
)
"""What such a product must not be used for."""

_AREAS = ("area_name", "members", "geometry", "residents", "households", "imd_decile",
          "parent_code", "ward_code", "msoa_code")  # fmt: skip


def release_facts(
    levels: Mapping[str, gpd.GeoDataFrame],
    labels: Sequence[AreaLabels],
    *,
    title: str,
    subject: str,
    found: Sequence[str],
    glance: Sequence[tuple[str, str]],
    already_published: str,
    made_on: dt.date,
    purpose: str = "",
    contact: str = "",
    notes: Sequence[str] = (),
    cautions: Sequence[str] = (),
    places: Sequence[PublicPlaces] = (),
    sectors: Mapping[str, Sequence[str]] | None = None,
    sources: Sequence[SourceFile] = (),
    not_for: Sequence[str] = FACTS_NOT_FOR,
) -> Release:
    """
    Release measures of areas that are worked out from public facts and count no records.

    Parameters
    ----------
    levels
        Level -> areas indexed by `area_code`, finest first: `area_name`,
        `geometry` (EPSG:27700), what is public of them (`residents`,
        `imd_decile`), the codes of larger areas that hold them, and columns of
        `FACT_COLUMNS`.
    labels
        Classes of the areas; what the map shows.
    title, purpose, contact, made_on
        As for `release`.
    subject
        What is measured, in words.
    found
        What was found, in sentences, the finding first.
    glance
        Pairs of a label and a few words, to be seen at a glance.
    already_published
        Address where what it was worked out from can be had by anybody.
    notes, cautions
        Sentences on how it was made, and what a reader must know.
    places, sectors, sources, not_for
        As for `release`.

    Returns
    -------
    release
        Under the rules `FACTS`.

    Raises
    ------
    DisclosureError
        If a column is not on the list, or no address is given.
    EmptyError
        If there is nothing to show.

    Examples
    --------
    >>> release_facts({}, [], title="Libraries", subject="Travel", found=[], glance=[],
    ...               already_published="", made_on=dt.date(2026, 1, 31))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: already_published = '' is no address. ...
    """
    if not is_address(already_published):
        msg = (
            f"already_published = {already_published!r} is no address. Write the page where "
            "anybody can have what this was worked out from (the list of services), as https://..."
        )
        raise DisclosureError(msg)
    if not levels or not labels or not found:
        msg = "There is nothing to show: give areas, their classes and what was found."
        raise EmptyError(msg)
    month = pd.Timestamp(made_on.year, made_on.month, 1)
    period = PeriodView(f"{month:%B %Y}", month, month, 1)
    category = CategoryView(subject, (subject,), None, total=True)
    tables = {
        level: _table(level, areas, labels, period, category) for level, areas in levels.items()
    }
    opening = disclosure_statement(
        FACTS, facts={}, left_out={}, already_published=None, expires=None
    )
    statement = (
        *opening,
        "It counts no records of anybody: every number is worked out from areas, residents and "
        "services that anybody can look up.",
        *(kind.sentence for kind in places),
    )
    return Release(
        title=title,
        subject=subject,
        purpose=purpose,
        contact=contact,
        policy=FACTS,
        periods=(period,),
        categories=(category,),
        tables=MappingProxyType(tables),
        deprivation=None,
        statement=statement,
        notes=tuple(notes),
        cautions=tuple(cautions),
        not_for=tuple(not_for),
        sources=tuple(sources),
        already_published=already_published,
        made_on=made_on,
        hot_spots_of=None,
        labels=tuple(one.scheme for one in labels),
        places=tuple(places),
        sectors=MappingProxyType({k: tuple(v) for k, v in (sectors or {}).items()}),
        found=tuple(found),
        glance=tuple(glance),
        _maker=_MAKER,
    )


def _table(
    level: str,
    areas: gpd.GeoDataFrame,
    labels: Sequence[AreaLabels],
    period: PeriodView,
    category: CategoryView,
) -> AreaTable:
    check_columns(areas.columns, ["area_name"], where=f"areas of the level {level}")
    strange = [str(name) for name in areas if name not in (*_AREAS, *FACT_COLUMNS)]
    if strange:
        msg = (
            f"Areas of the level {level} have {len(strange)} columns that are no facts of areas "
            f"({listed(strange)}). Those that may leave: {listed(list(FACT_COLUMNS), most=20)}."
        )
        raise DisclosureError(msg)
    codes = areas.index.astype(str)
    values = pd.DataFrame(
        {
            "period": pd.Categorical([period.label] * len(areas)),
            "category": pd.Categorical([category.label] * len(areas)),
            "area_code": pd.Categorical(codes, categories=codes),
            "status": "shown",
        }
    )
    views = {"periods": [period.label], "categories": [category.label]}
    for one in (one for one in labels if level in one.tables):
        values[one.scheme.name] = one.lay_out(level, areas=codes, **views)[one.scheme.name]
    for name in (name for name in FACT_COLUMNS if name in areas):
        values[name] = areas[name].to_numpy()
    known = areas[[name for name in _AREAS if name in areas]].set_axis(codes.rename("area_code"))
    up = "parent_code" in areas
    return AreaTable(level, known, values, parent_level=areas.attrs.get("parent") if up else None)
