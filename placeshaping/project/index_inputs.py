"""Read what areas are ranked by: published tables by area, and the council's own records."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import check_columns, listed, near_names
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    EmptyError,
    InputError,
    RecipeError,
)
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.area_tables import (
    SPECIAL,
    check_names,
    lay_out_wide,
    match_areas,
    read_numbers,
)
from placeshaping.project.segment_request import VariableTable

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.areas.ladder import Ladder
    from placeshaping.project.gather import Gathered
    from placeshaping.project.index_request import IndexRecipe, Indicator

FEWEST_AREAS = 10
"""Fewer areas have no tenths."""


@dataclass(frozen=True, eq=False)
class IndexInputs:
    """
    What was read of a place, for an index.

    Attributes
    ----------
    ladder
        The areas and the levels above them.
    residents
        By area.
    values
        Indicators of published tables, by area, shrunk where asked; columns
        are words.
    shrunk
        Indicator -> the median weight of the areas' own figures, 0 to 1; those
        that were not shrunk are not in it.
    deprivation
        `imd_decile` and, where known, `imd_rank`, to compare with; None
        without.
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
    shrunk: dict[str, float]
    deprivation: pd.DataFrame | None
    gathered: Gathered | None
    sources: tuple[SourceFile, ...]
    addresses: tuple[str, ...]


class _Files:
    """The files that were read, each described once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources: list[SourceFile] = []

    def note(self, name: str, role: str) -> Path:
        """Return the path of a file, and remember it."""
        if (Path(name).name, role) not in [(one.name, one.role) for one in self.sources]:
            self.sources.append(describe_file(self.folder / name, role))
        return self.folder / name


def read_index_inputs(recipe: IndexRecipe, *, folder: Path) -> IndexInputs:
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
        If a file cannot be used, an area lacks a value, or all have the same.
    EmptyError
        If there are fewer than ten areas.
    ColumnError
        If an indicator is not in its table, or is special and not asked for
        by name with a reason.
    VintageError
        If a table is of another census year than the areas.
    """
    import geopandas as gpd

    from placeshaping.areas.ladder import make_ladder
    from placeshaping.joins.attributes import attach_population
    from placeshaping.project.gather import gather, read_areas
    from placeshaping.project.protect import check_outputs, secret_of
    from placeshaping.sources.populations import read_population

    files = _Files(folder)
    gathered = None
    if recipe.records:
        secret = secret_of(recipe, folder=folder)
        check_outputs(recipe, folder=folder)
        gathered = gather(recipe, folder=folder, secret=secret)
        areas, lookup = gathered.areas, gathered.lookup
        files.sources += gathered.sources
    else:
        areas, lookup = read_areas(recipe.areas, folder=folder, sources=files.sources)
    if len(areas) < FEWEST_AREAS:
        msg = (
            f"There are {len(areas):,} areas, and deciles need {FEWEST_AREAS} or more. Take "
            "smaller areas, or a larger place."
        )
        raise EmptyError(msg)
    bare = gpd.GeoDataFrame(areas[["geometry"]])
    bare.attrs = dict(areas.attrs)
    where = str(recipe.population.residents)
    people = read_population(files.note(where, "population"))
    check_columns(people.columns, ["residents"], where=where)
    residents = attach_population(bare, people[["residents"]])["residents"].astype("float64")
    ladder = make_ladder(areas, lookup, levels=recipe.areas.levels)
    values, shrunk = _read_indicators(recipe, bare, ladder, files)
    return IndexInputs(
        ladder=ladder,
        residents=residents,
        values=values,
        shrunk=shrunk,
        deprivation=_read_deprivation(recipe, bare, files),
        gathered=gathered,
        sources=tuple(files.sources),
        addresses=tuple(dict.fromkeys(one.already_published for one in recipe.index.indicators)),
    )


def _read_deprivation(
    recipe: IndexRecipe, bare: gpd.GeoDataFrame, files: _Files
) -> pd.DataFrame | None:
    import pandas as pd

    from placeshaping.joins.attributes import attach_deprivation
    from placeshaping.sources.deprivation import read_deprivation

    if recipe.deprivation is None:
        return None
    table = read_deprivation(files.note(recipe.deprivation.file, "deprivation"))
    names = [name for name in ("imd_decile", "imd_rank") if name in table]
    joined = attach_deprivation(bare, table[names], missing="allow")
    return pd.DataFrame(joined[names]).astype("float64")


def _read_indicators(
    recipe: IndexRecipe, bare: gpd.GeoDataFrame, ladder: Ladder, files: _Files
) -> tuple[pd.DataFrame, dict[str, float]]:
    """Read each indicator, shrink it where asked, and refuse what cannot be ranked."""
    import pandas as pd

    from placeshaping._core.columns import tag_columns

    group = _groups(recipe, ladder, bare.index)
    found: dict[str, pd.Series[float]] = {}
    weights: dict[str, float] = {}
    for one in recipe.index.indicators:
        path = files.note(one.file, "indicators")
        _refuse_special(one, recipe)
        table = match_areas(bare, _read_one(one, path), one.file)
        if one.of is None:
            found[one.words] = _complete(table["count"], one, path.name)
            continue
        count = _complete(table["count"], one, path.name)
        of = _complete(table["of"], one, path.name)
        if one.shrink:
            shrunk = _shrink(one, count, of, group)
            found[one.words] = 100 * shrunk["shrunk"]
            weights[one.words] = float(shrunk["weight"].median())
        else:
            found[one.words] = _complete(100 * count / of.where(of > 0), one, path.name)
    values = pd.DataFrame(found, index=bare.index)
    check_varied(values)
    special = [one.variable for one in recipe.index.special]
    tag_columns(values, {name: "special" for name in special if name in values})
    return values, weights


def _shrink(
    one: Indicator, count: pd.Series[float], of: pd.Series[float], group: pd.Series[str]
) -> pd.DataFrame:
    """Shrink, and name the indicator where that cannot be done."""
    from placeshaping.statistics.indices import shrink_rates

    try:
        return shrink_rates(count, of, group)
    except InputError as error:
        msg = (
            f"{one.words}: {error} Where the figure is no proportion (contacts for each 100 "
            "residents), write shrink = false."
        )
        raise InputError(msg) from error


def _groups(recipe: IndexRecipe, ladder: Ladder, index: pd.Index) -> pd.Series[str]:
    """Return the larger area that the figures of each area are drawn towards."""
    import pandas as pd

    level = recipe.index.shrink_within
    if level is None:
        return pd.Series("all", index=index)
    above = [one for one in ladder.levels if one != ladder.finest]
    if level not in above:
        near = near_names(level, above)
        hint = f" Did you mean {listed(near)}?" if near else ""
        has = f"There are: {listed(above)}." if above else "Name lookups in [areas]."
        msg = f"index.shrink_within: there is no level {level!r} above the areas.{hint} {has}"
        raise RecipeError(msg)
    codes = ladder.areas[level].index.to_numpy()[ladder.parents(ladder.finest, level)]
    return pd.Series(codes, index=ladder.areas[ladder.finest].index).reindex(index)


def _read_one(given: Indicator, path: Path) -> pd.DataFrame:
    """Read the numbers of one indicator, by area code: `count`, and `of` where it has any."""
    import pandas as pd

    from placeshaping.sources.code_columns import find_area_column, vintage_of
    from placeshaping.sources.tabular import read_table

    table = read_table(path, sheet=given.sheet)
    area = find_area_column(table, code=given.code, where=path.name)
    first = [given.category, given.count] if given.category else [given.column]
    check_names(table.columns, [*first, *([given.of] if given.of else [])], path.name, "column")
    codes = table[area.code].astype("str").str.strip()
    wide = table.set_axis(codes)
    if given.category:
        of = given.of or area.code
        as_table = VariableTable(
            file=given.file, of=of, variables={given.column: given.words},
            already_published=given.already_published, category=given.category, count=given.count,
        )  # fmt: skip
        wide = lay_out_wide(table, codes, as_table, [given.column], path.name)
    if not wide.index.is_unique:
        twice = wide.index[wide.index.duplicated()].unique()
        msg = (
            f"{path.name}: {len(twice):,} areas stand more than once ({listed(list(twice))}). Name "
            "the column that tells the rows apart: category = '...'."
        )
        raise DuplicateError(msg)
    numbers = {"count": read_numbers(wide[given.column], path.name)}
    if given.of:
        numbers["of"] = read_numbers(wide[given.of], path.name)
    found = pd.DataFrame(numbers)
    found.index = pd.Index(found.index.astype("str"), name="area_code")
    found.attrs["vintage"] = vintage_of(found.index, area, where=path.name)
    return found


def _complete(column: pd.Series[float], one: Indicator, where: str) -> pd.Series[float]:
    """Refuse an indicator that not every area has."""
    lost = list(column.index[column.isna()])
    if lost:
        msg = (
            f"{where}: {len(lost):,} of {len(column):,} areas have no value of {one.words} "
            f"({listed(lost)}). An index ranks all areas: complete the table, or leave the "
            "indicator out."
        )
        raise InputError(msg)
    return column


def check_varied(values: pd.DataFrame) -> None:
    """
    Refuse indicators that are the same everywhere.

    Parameters
    ----------
    values
        Areas by indicators.

    Raises
    ------
    InputError
        If a column has one value only.

    Examples
    --------
    >>> import pandas as pd
    >>> check_varied(pd.DataFrame({"damp": [2.0, 2.0]}))
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.InputError: damp is the same in all 2 areas and ranks none. ...
    """
    flat = [str(name) for name in values if values[name].nunique() < 2]
    if flat:
        msg = (
            f"{listed(flat)} is the same in all {len(values):,} areas and ranks none. Leave it "
            "out, or look for what went wrong in its file."
        )
        raise InputError(msg)


def _refuse_special(given: Indicator, recipe: IndexRecipe) -> None:
    """Refuse an indicator of a special category that the recipe does not name with a reason."""
    allowed = {one.variable for one in recipe.index.special}
    said = f"{Path(given.file).name} {given.column} {given.of or ''} {given.category or ''}"
    if given.words in allowed or not SPECIAL.search(f"{said} {given.words}".casefold()):
        return
    msg = (
        f"{Path(given.file).name}: {given.words} tells of a special category (ethnicity, health, "
        "disability and the like). Leave it out, or say why it is needed, which is printed: "
        f"[[index.special]] variable = {given.words!r}, reason = '...'."
    )
    raise ColumnError(msg)
