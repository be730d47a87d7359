"""Read what a recipe names: records, areas, lookups, population, deprivation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import check_file, listed
from placeshaping._core.errors import ColumnError, RecipeError, UnmatchedError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.listed_areas import wholes_within, year_of
from placeshaping.project.places import read_places, read_postcodes_of
from placeshaping.project.recipe import Areas, Recipe
from placeshaping.project.records import (
    CRIME,
    RecordFile,
    Sensitivity,
    check_files,
    counted_file,
    put_together,
    read_records,
    source_of,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.public_places import PublicPlaces
    from placeshaping.disclosure.secret import Secret
    from placeshaping.joins.points import PlacementReport

ELSEWHERE = 0.005
"""Share of records in the areas below which they can only be of another place."""

SPARSE = 0.5
"""Share of areas without a single record above which the place must be named."""


@dataclass(frozen=True)
class Gathered:
    """
    The inputs of a recipe, read and matched.

    Attributes
    ----------
    counts
        Long table by month, category and area.
    areas, lookup
        The finest areas, and the levels above them.
    population, deprivation
        By area; None where the recipe names none. ``attrs["source_of"]`` of
        `population` tells which of its columns come along with other data.
    sensitivity, already_published
        The strictest of the records; published only if all of them are.
    subject, total
        What is counted, and the label of all of it.
    sources
        The files by checksum.
    covered, beyond
        Codes of the areas that the records cover, None for all of them; and
        how many records lie in other areas, which are not counted.
    dashboard
        Address of the cluster's dashboard, where one was used.
    files, placement
        How each file of records was read, and how the records found their areas.
    places, postcodes
        Public places to show, and the postcodes by which a reader may search.
    """

    counts: pd.DataFrame
    areas: gpd.GeoDataFrame
    lookup: pd.DataFrame
    population: pd.DataFrame | None
    deprivation: pd.DataFrame | None
    sensitivity: Sensitivity
    already_published: str | None
    subject: str
    total: str
    sources: tuple[SourceFile, ...]
    covered: pd.Index | None
    beyond: int
    files: tuple[RecordFile, ...]
    placement: PlacementReport
    dashboard: str | None = None
    places: tuple[PublicPlaces, ...] = ()
    postcodes: pd.DataFrame | None = None


def gather(
    recipe: Recipe, *, folder: Path, cluster: str | None = None, secret: Secret | None = None
) -> Gathered:
    """
    Read the inputs of a recipe, place the records and count them.

    Parameters
    ----------
    recipe
        What to read.
    folder
        The folder that paths in the recipe are relative to.
    cluster
        Where to count the records: ``"local"``, ``"local:N"`` or
        ``"tcp://host:port"`` of a Dask scheduler; None for this process.
    secret
        Gives the records keys, for policies that change counts by them.

    Returns
    -------
    gathered
        Counts, areas and what is known of them.

    Raises
    ------
    InputError
        If a file cannot be used; the message names it.
    """
    sources: list[SourceFile] = []
    for records in recipe.records:
        check_file(folder / records.file)
    areas, lookup = read_areas(recipe.areas, folder=folder, sources=sources)
    changes = None
    if recipe.areas.changes:
        from placeshaping.areas.lookups import read_changes

        changes = read_changes(folder / recipe.areas.changes)
        sources.append(describe_file(folder / recipe.areas.changes, "lookup"))
    if cluster is None:
        files, counts = _count_here(recipe, folder, areas, changes, secret)
    else:
        files, counts = _count_on_cluster(recipe, folder, areas, changes, cluster)
    placement = counts.attrs["report"]
    _check_place(placement)
    _check_coverage(counts, areas)
    population = read_people(recipe, folder, areas, sources)
    deprivation = read_deprivation_of(recipe, folder, areas, sources)
    places = tuple(read_places(recipe, folder, areas, sources))
    postcodes = read_postcodes_of(recipe, folder, sources)
    police = all(file.kind == "police" for file in files)
    subject = recipe.show.subject or (CRIME if police else "Records")
    covered = _covered(lookup, files)
    outside = None if covered is None else ~counts["area_code"].isin(covered)
    return Gathered(
        counts=counts,
        areas=areas,
        lookup=lookup,
        population=population,
        deprivation=deprivation,
        sensitivity=_strictest(files),
        already_published=_published(files),
        subject=subject,
        total=recipe.show.total or _total(subject, recipe, counts),
        sources=(*(file.source for file in files), *sources),
        covered=covered,
        beyond=0 if outside is None else int(counts.loc[outside, "count"].sum()),
        files=tuple(files),
        placement=placement,
        dashboard=counts.attrs.get("dashboard"),
        places=places,
        postcodes=postcodes,
    )


def _count_here(
    recipe: Recipe,
    folder: Path,
    areas: gpd.GeoDataFrame,
    changes: pd.DataFrame | None,
    secret: Secret | None,
) -> tuple[list[RecordFile], pd.DataFrame]:
    """Count the records in this process."""
    from placeshaping.joins.points import count_by_area, place_events

    files = read_records(recipe.records, folder=folder)
    events = put_together(files)
    codes = place_events(events, areas, changes=changes, outside=recipe.areas.outside)
    months = sorted({month for file in files for month in file.months})
    counts = count_by_area(events, areas, codes=codes, periods=months, outside="drop")
    if secret is not None:
        from placeshaping.disclosure.cell_key import record_keys

        keyed = events.assign(count=record_keys(events, secret))
        keys = count_by_area(keyed, areas, codes=codes, periods=months, outside="drop")
        counts["key"] = keys["count"].to_numpy()
    return files, counts


def _count_on_cluster(
    recipe: Recipe,
    folder: Path,
    areas: gpd.GeoDataFrame,
    changes: pd.DataFrame | None,
    cluster: str,
) -> tuple[list[RecordFile], pd.DataFrame]:
    """Count the records where they lie, on a Dask cluster."""
    from placeshaping.joins.cluster import connect, count_on_cluster

    with connect(cluster) as client:
        counts = count_on_cluster(
            client,
            [source_of(records, folder=folder) for records in recipe.records],
            areas,
            changes=changes,
            outside=recipe.areas.outside,
            every_month=True,
        )
    read = zip(recipe.records, counts.attrs["records"], strict=True)
    files = [counted_file(records, report, folder=folder) for records, report in read]
    return check_files(recipe.records, files), counts


def _strictest(files: Sequence[RecordFile]) -> Sensitivity:
    order: tuple[Sensitivity, ...] = ("open", "personal", "special")
    return max((file.sensitivity for file in files), key=order.index)


def _published(files: Sequence[RecordFile]) -> str | None:
    """Return where all records are published already; None if any is not."""
    addresses = [file.already_published for file in files]
    known = [address for address in addresses if address]
    return ", ".join(dict.fromkeys(known)) if len(known) == len(addresses) else None


def _total(subject: str, recipe: Recipe, counts: pd.DataFrame) -> str:
    """Name all categories together: "All" of a subject only where none was left out."""
    if len(recipe.records) > 1 or recipe.records[0].categories is None:
        return f"All {_sentence_part(subject)}"
    chosen = [str(category) for category in counts["category"].unique()]
    if len(chosen) > 3:
        return f"The {len(chosen)} categories chosen"
    first, *rest = [chosen[0], *map(_sentence_part, chosen[1:])]
    return " and ".join([", ".join([first, *rest[:-1]]), *rest[-1:]])


def _sentence_part(subject: str) -> str:
    """Write a subject as it stands inside a sentence: "recorded crime", but "ASB reports"."""
    return subject if subject[1:2].isupper() else f"{subject[:1].lower()}{subject[1:]}"


def read_areas(
    given: Areas, *, folder: Path, sources: list[SourceFile]
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """
    Read the small areas that a recipe names, and the levels above them.

    Parameters
    ----------
    given
        The recipe's section.
    folder
        What its paths are relative to.
    sources
        The files are added to it.

    Returns
    -------
    areas, lookup
        Of the place that is named, indexed by area code.

    Raises
    ------
    InputError
        If a file cannot be used; the message names it.
    RecipeError
        If a lookup leads nowhere, or the place is in none of them.
    """
    from placeshaping.areas.boundaries import read_boundaries
    from placeshaping.areas.lookups import make_lookup, read_lookup

    lookups = []
    for name in given.lookups:
        lookups.append(read_lookup(folder / name))
        levels = [c for c in lookups[-1].columns if str(c).endswith("_code")]
        if len(levels) < 2:
            msg = (
                f"areas.lookups: {name} leads to no other level; it has {listed(levels)} alone. "
                "A lookup holds the codes of two levels, LSOA21CD and LAD24CD for example."
            )
            raise RecipeError(msg)
        sources.append(describe_file(folder / name, "lookup"))
    wholes = wholes_within(given.within, lookups) if given.within else {}
    areas = read_boundaries(
        folder / given.file,
        code=given.code,
        name=given.name,
        layer=given.layer,
        crs=given.crs,
        duplicates=given.duplicates,
        codes=sorted({str(code) for whole in wholes.values() for code in whole.index}) or None,
    )
    sources.append(describe_file(folder / given.file, "areas", rows=len(areas)))
    if not wholes:
        return areas, make_lookup(areas, lookups, levels=given.levels)
    whole = wholes[year_of(areas, wholes)]
    areas = areas[areas.index.isin(whole.index)]
    return areas, whole.loc[areas.index]


def read_people(
    recipe: Recipe, folder: Path, areas: gpd.GeoDataFrame, sources: list[SourceFile]
) -> pd.DataFrame | None:
    """Read residents and households of the areas; None where the recipe names none."""
    from placeshaping.joins.attributes import attach_population
    from placeshaping.sources.populations import read_population

    read: dict[str, pd.DataFrame] = {}
    told: dict[str, str] = {}
    joined = areas
    wanted = {
        "residents": recipe.population.residents,
        "households": recipe.population.households,
    }
    for column, name in wanted.items():
        if name is None:
            continue
        if name not in read:
            read[name] = read_population(folder / name)
            sources.append(describe_file(folder / name, "population", rows=len(read[name])))
        if column not in read[name]:
            msg = (
                f"{name} holds no {column}; it has: {listed(list(read[name].columns))}. "
                f"Name another file as population.{column}, or leave that key out."
            )
            raise ColumnError(msg)
        one = read[name][[column]]
        one.attrs = read[name].attrs
        joined = attach_population(joined, one)
        source = read[name].attrs["report"].source_of
        if source is not None:
            told[column] = f"{source} ({Path(name).name})"
    found = [column for column in wanted if column in joined]
    if not found:
        return None
    population: pd.DataFrame = joined[found]
    population.attrs["source_of"] = told
    return population


def read_deprivation_of(
    recipe: Recipe, folder: Path, areas: gpd.GeoDataFrame, sources: list[SourceFile]
) -> pd.DataFrame | None:
    """Read the deprivation of the areas; None where the recipe names none."""
    if recipe.deprivation is None:
        return None
    from placeshaping.joins.attributes import attach_deprivation
    from placeshaping.sources.deprivation import read_deprivation

    path = folder / recipe.deprivation.file
    table = read_deprivation(path)
    sources.append(describe_file(path, "deprivation", rows=len(table)))
    joined = attach_deprivation(areas, table)
    wanted: pd.DataFrame = joined[[column for column in table.columns if column in joined]]
    return wanted


def _covered(lookup: pd.DataFrame, files: Sequence[RecordFile]) -> pd.Index | None:
    """Return the areas of the forces whose files were read, where the lookup tells forces."""
    from placeshaping.sources.police_files import force_key

    if "police_force_name" not in lookup or not all(file.holds for file in files):
        return None
    forces = {force_key(force) for file in files for force, _ in file.holds}
    own = lookup["police_force_name"].map(force_key, na_action="ignore").isin(forces)
    return lookup.index[own] if own.any() and not own.all() else None


def _check_place(report: PlacementReport) -> None:
    """Refuse records of another place than the areas."""
    if report.placed < ELSEWHERE * report.rows:
        msg = (
            f"Only {report.placed:,} of {report.rows:,} records lie in the areas. Check that "
            "records and areas are of the same place, and the columns of the coordinates."
        )
        raise UnmatchedError(msg)


def _check_coverage(counts: pd.DataFrame, areas: gpd.GeoDataFrame) -> None:
    """Refuse areas of which most hold no record at all: the place was not named."""
    totals = counts.groupby("area_code", observed=True)["count"].sum()
    empty = int((totals.reindex(areas.index, fill_value=0) == 0).sum())
    if len(areas) > 1_000 and empty > SPARSE * len(areas):
        msg = (
            f"areas: {empty:,} of {len(areas):,} areas hold no record at all. Name the place that "
            'the records are of, for example within = "Essex" (a district, a community safety '
            "partnership or a police force of the lookups)."
        )
        raise RecipeError(msg)
