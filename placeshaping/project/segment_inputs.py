"""Read what areas are compared by: tables of counts by area, and the council's own records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import ColumnError, DuplicateError, RecipeError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.area_tables import (
    SPECIAL,
    check_names,
    lay_out_wide,
    match_areas,
    read_numbers,
)

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.areas.ladder import Ladder
    from placeshaping.project.gather import Gathered
    from placeshaping.project.segment_request import SegmentRecipe, VariableTable


@dataclass(frozen=True)
class SegmentInputs:
    """
    What was read of a place, for segments.

    Attributes
    ----------
    ladder
        The areas and the levels above them.
    residents
        By area.
    values
        Percentages of the tables, by area; columns are words. Special ones
        are tagged.
    deciles
        Deprivation, by area, for the audit alone; None where not named.
    published
        Another classification; None where not named.
    gathered
        The records; None where the recipe names none.
    sources
        The files by checksum.
    addresses
        Where the tables are published.
    """

    ladder: Ladder
    residents: pd.Series[float]
    values: pd.DataFrame
    deciles: pd.Series[float] | None
    published: pd.Series[str] | None
    gathered: Gathered | None
    sources: tuple[SourceFile, ...]
    addresses: tuple[str, ...]


def read_inputs(recipe: SegmentRecipe, *, folder: Path) -> SegmentInputs:
    """
    Read areas, residents, tables and records of a recipe.

    Parameters
    ----------
    recipe
        What to read.
    folder
        What its paths are relative to.

    Returns
    -------
    inputs
        Matched to the areas.

    Raises
    ------
    InputError
        If a file cannot be used; the message names it.
    ColumnError
        If a variable is not in its table, or is special and not asked for by
        name with a reason.
    VintageError
        If a table is of another census year than the areas.
    """
    import geopandas as gpd
    import pandas as pd

    from placeshaping._core.columns import tag_columns
    from placeshaping.areas.ladder import make_ladder
    from placeshaping.joins.attributes import attach_deprivation, attach_population
    from placeshaping.project.gather import gather, read_areas
    from placeshaping.project.protect import check_outputs, secret_of
    from placeshaping.sources.deprivation import read_deprivation
    from placeshaping.sources.populations import read_population

    sources: list[SourceFile] = []
    gathered = None
    if recipe.records:
        secret = secret_of(recipe, folder=folder)
        check_outputs(recipe, folder=folder)
        gathered = gather(recipe, folder=folder, secret=secret)
    if gathered is None:
        areas, lookup = read_areas(recipe.areas, folder=folder, sources=sources)
    else:
        areas, lookup = gathered.areas, gathered.lookup
        sources += gathered.sources
    bare = gpd.GeoDataFrame(areas[["geometry"]])
    bare.attrs = dict(areas.attrs)

    def note(name: str, role: str) -> Path:
        if name not in [one.name for one in sources if one.role == role]:
            sources.append(describe_file(folder / name, role))
        return folder / name

    people = read_population(note(str(recipe.population.residents), "population"))
    check_columns(people.columns, ["residents"], where=str(recipe.population.residents))
    residents = attach_population(bare, people[["residents"]])["residents"].astype("float64")
    tables = [
        match_areas(bare, _read_table(one, note(one.file, "variables"), recipe), one.file)
        for one in recipe.segments.tables
    ]
    values = pd.concat([pd.DataFrame(index=areas.index), *tables], axis="columns")
    special = [one.variable for one in recipe.segments.special]
    tag_columns(values, {name: "special" for name in special if name in values})
    deciles = None
    if recipe.deprivation is not None:
        table = read_deprivation(note(recipe.deprivation.file, "deprivation"))
        deciles = attach_deprivation(bare, table[["imd_decile"]], missing="allow")["imd_decile"]
    return SegmentInputs(
        ladder=make_ladder(areas, lookup, levels=recipe.areas.levels),
        residents=residents,
        values=values,
        deciles=deciles,
        published=_published(recipe, note, areas.index),
        gathered=gathered,
        sources=tuple(sources),
        addresses=tuple(dict.fromkeys(one.already_published for one in recipe.segments.tables)),
    )


def _read_table(given: VariableTable, path: Path, recipe: SegmentRecipe) -> pd.DataFrame:
    """Read the percentages of one table, by area code, under their words."""
    import pandas as pd

    from placeshaping.shaping.segment_variables import percentages
    from placeshaping.sources.code_columns import find_area_column, vintage_of
    from placeshaping.sources.tabular import read_table

    table = read_table(path, sheet=given.sheet)
    area = find_area_column(table, code=given.code, where=path.name)
    names = list(dict.fromkeys(name for part in given.parts.values() for name in part))
    needed = [given.of, *([given.category, given.count] if given.category else names)]
    check_names(table.columns, needed, path.name, "column")
    codes = table[area.code].astype("str").str.strip()
    wide = table.set_axis(codes)
    if given.category:
        wide = lay_out_wide(table, codes, given, names, path.name)
    _refuse_special(given, path.name, recipe)
    if not wide.index.is_unique:
        twice = wide.index[wide.index.duplicated()].unique()
        msg = (
            f"{path.name}: {len(twice):,} areas stand more than once ({listed(list(twice))}). Name "
            "the column that tells the rows apart: category = '...'."
        )
        raise DuplicateError(msg)
    numbers = wide[names].apply(lambda c: read_numbers(c, path.name))
    counts = pd.DataFrame(
        {words: numbers[part].sum(axis=1, skipna=False) for words, part in given.parts.items()}
    )
    shares = percentages(counts, read_numbers(wide[given.of], path.name))
    shares.index = pd.Index(shares.index.astype("str"), name="area_code")
    shares.attrs["vintage"] = vintage_of(shares.index, area, where=path.name)
    return shares


def _refuse_special(given: VariableTable, where: str, recipe: SegmentRecipe) -> None:
    """Refuse variables of a special category that the recipe does not name with a reason."""
    allowed = {one.variable for one in recipe.segments.special}
    about_all = SPECIAL.search(f"{where} {given.category or ''} {given.of}".casefold())
    held = [
        words
        for words, names in given.parts.items()
        if words not in allowed
        and (about_all or SPECIAL.search(f"{' '.join(names)} {words}".casefold()))
    ]
    if held:
        msg = (
            f"{where}: {listed(held)} tells of a special category (ethnicity, health, disability "
            "and the like). Leave it out, or say why it is needed, which is printed: "
            f"[[segments.special]] variable = {held[0]!r}, reason = '...'."
        )
        raise ColumnError(msg)


def _published(
    recipe: SegmentRecipe, note: Callable[[str, str], Path], areas: pd.Index
) -> pd.Series[str] | None:
    """Read the classification to compare with."""
    given = recipe.segments.compare
    if given is None:
        return None
    from placeshaping.sources.code_columns import find_area_column
    from placeshaping.sources.tabular import read_table

    path = note(given.file, "classification")
    table = read_table(path)
    area = find_area_column(table, code=given.code, where=path.name)
    check_names(table.columns, [given.column], path.name, "column")
    labels: pd.Series[str] = table.set_axis(table[area.code].astype("str").str.strip())[
        given.column
    ]
    found = labels[~labels.index.duplicated()].reindex(areas)
    if found.notna().sum() < 2:
        msg = (
            f"segments.compare: {given.file} has {int(found.notna().sum())} of the {len(areas):,} "
            "areas. Take a classification of the same areas and census year."
        )
        raise RecipeError(msg)
    return found
