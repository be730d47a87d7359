"""Residents or households by census group, for the audit of a patrol layer and nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    EmptyError,
    InputError,
    UnmatchedError,
)

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.project.patrol_sections import Census
    from placeshaping.sources.code_columns import CodeColumns

_LONGEST = 40

MOST_GROUPS = 20
"""A census table with more is put together, or is none of groups."""


def read_census(
    given: Census, areas: gpd.GeoDataFrame, *, folder: Path
) -> tuple[str, pd.DataFrame]:
    """
    Read a census table by small area, tagged as an audit's alone.

    Parameters
    ----------
    given
        The section of the request.
    areas
        The small areas of the district, indexed by ``area_code``.
    folder
        What the path of the table is relative to.

    Returns
    -------
    kind, residents
        What the groups are called on products: the name that is given, or that
        of the column of groups; of households it says so. Index: the areas, in
        their order. One column a group, those without anybody in the district
        left out; tagged ``audit_only``.

    Raises
    ------
    ColumnError
        If a column or category is not there, or holds no counts.
    DuplicateError
        If an area stands twice.
    VintageError
        If the table is of another census year than the areas.
    UnmatchedError
        If areas are missing from it.
    EmptyError
        If nobody is counted in the district.
    """
    from placeshaping._core.columns import tag_columns
    from placeshaping.sources.code_columns import find_area_column, vintage_of
    from placeshaping.sources.tabular import read_table

    path = folder / given.file
    table = read_table(path, sheet=given.sheet)
    area = find_area_column(table, code=given.code, where=path.name)
    table = table[table[area.code].notna()]
    table = table.set_axis(table[area.code].astype("str").str.strip(), axis=0)
    category = "" if given.columns else given.category or _category_of(table, area, path.name)
    wide = _of_rows(given, table, category, path.name) if category else None
    wide = _summed(given, _of_columns(given, table, path.name) if wide is None else wide, path.name)
    wide.index = wide.index.astype("str").rename("area_code")
    wide.attrs["vintage"] = vintage_of(wide.index, area, where=path.name)
    people = _matched(areas, wide, path.name)
    people = people.loc[:, people.sum() > 0]
    if people.empty or not people.shape[1]:
        msg = f"census: {path.name} counts nobody in the district. Check its columns."
        raise EmptyError(msg)
    tag_columns(people, dict.fromkeys(map(str, people.columns), "audit_only"))
    return kind_of(given, category, list(map(str, table.columns))), people


def kind_of(given: Census, category: str, columns: list[str]) -> str:
    """
    Name the groups of a census table as products do.

    Parameters
    ----------
    given
        The section of the request.
    category
        The column of groups; empty of a table with a column a group.
    columns
        Of the table: one that tells of households alone counts them.

    Returns
    -------
    kind
        In words; of households it says so.

    Examples
    --------
    >>> from placeshaping.project.patrol_sections import Census
    >>> kind_of(Census(file="a.csv"), "tenure", ["lsoa21cd", "total_households", "tenure", "n"])
    'tenure of households'
    >>> kind_of(Census(file="a.csv", name="ethnic group"), "Ethnic group (6 categories)", ["n"])
    'ethnic group'
    """
    from placeshaping.sources.populations import find_population_columns

    name = given.name or category.replace("_", " ").strip()[:_LONGEST]
    counted = given.counted
    if counted is None and set(find_population_columns(columns)) == {"households"}:
        counted = "households"
    return f"{name} of households" if counted == "households" else name


def _of_columns(given: Census, table: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the counts of a wide table."""
    import pandas as pd

    _check_names(table.columns, given.columns, where, "column")
    counts = {name: _counts(table[name], where) for name in given.columns}
    wide = pd.DataFrame(counts, index=table.index)
    if not wide.index.is_unique:
        twice = list(wide.index[wide.index.duplicated()].unique())
        msg = (
            f"census: {where}: {len(twice):,} areas stand more than once ({listed(twice)}). Of a "
            "table with one row an area and group, name the column of the groups: "
            'category = "...".'
        )
        raise DuplicateError(msg)
    return wide


def _of_rows(given: Census, table: pd.DataFrame, category: str, where: str) -> pd.DataFrame:
    """Return the counts of a long table: one row an area and group."""
    _check_names(table.columns, [category, given.count], where, "column")
    long = table[[category]].rename(columns={category: "group"})
    long["group"] = long["group"].astype("str").str.strip()
    long["n"] = _counts(table[given.count], where)
    long = long[~long["group"].isin(given.without)].rename_axis("code").reset_index()
    again = int(long.duplicated(["code", "group"]).sum())
    if again:
        msg = (
            f"census: {where}: {again:,} rows repeat an area and a group of {category!r}. Keep one "
            "year and one measure."
        )
        raise DuplicateError(msg)
    _check_names(table[category].astype("str").str.strip().unique(), given.without, where, "group")
    wide = long.pivot_table(index="code", columns="group", values="n", aggfunc="first", sort=False)
    return wide.fillna(0.0)


def _category_of(table: pd.DataFrame, area: CodeColumns, where: str) -> str:
    """Return the one column of words, which names the groups."""
    from placeshaping.sources.values import to_numbers

    words = [
        str(name)
        for name in table.columns
        if name not in (area.code, area.name) and to_numbers(table[name]).isna().all()
    ]
    if len(words) == 1 and not table.index.is_unique:
        return words[0]
    msg = (
        f"census: {where} does not say by itself what its groups are. Of a table with one row an "
        'area and group name their column, category = "..."; of one with a column a group name '
        f'those, columns = ["...", "..."]. It has: {listed(list(table.columns), most=15)}.'
    )
    raise ColumnError(msg)


def _summed(given: Census, wide: pd.DataFrame, where: str) -> pd.DataFrame:
    """Put groups together as the request says, and refuse what cannot be a set of groups."""
    what = "column among columns" if given.columns else "group"
    for parts in given.sums.values():
        _check_names(wide.columns, parts, where, what)
    part_of = {part: words for words, parts in given.sums.items() for part in parts}
    names = [part_of.get(str(name), str(name)) for name in wide.columns]
    summed = wide.T.groupby(names, sort=False).sum().T
    if not 2 <= summed.shape[1] <= MOST_GROUPS:
        msg = (
            f"census: {where} has {summed.shape[1]:,} groups ({listed(list(summed), most=4)}); an "
            f"audit needs 2 to {MOST_GROUPS}. Put some together: "
            'sums = { "..." = ["...", "..."] }.'
        )
        raise ColumnError(msg)
    whole = summed.sum()
    total = str(whole.idxmax())
    if summed.shape[1] > 2 and whole[total] > 0 and 2 * whole[total] == whole.sum():
        msg = (
            f"census: {where}: {total!r} is the sum of all other groups, so that everybody would "
            f"count twice. Leave it out: {'of columns' if given.columns else 'without = '}"
            f"{'' if given.columns else [total]}."
        )
        raise ColumnError(msg)
    return summed


def _counts(column: pd.Series[Any], where: str) -> pd.Series[float]:
    from placeshaping.sources.values import to_numbers

    numbers = to_numbers(column)
    lost = numbers.isna() | (numbers < 0)
    if lost.any():
        shown = listed(list(column[lost].unique()), most=3)
        msg = (
            f"census: {where}: {int(lost.sum()):,} values of {str(column.name)!r} are no counts "
            f"({shown}). Correct them, or name the column of the counts."
        )
        raise ColumnError(msg)
    return numbers.astype("float64")


def _matched(areas: gpd.GeoDataFrame, wide: pd.DataFrame, where: str) -> pd.DataFrame:
    """Return the rows of the areas; refuse another census year, and missing areas."""
    import pandas as pd

    from placeshaping.joins.attributes import attach_population

    bare = areas[["geometry"]]
    bare.attrs = dict(areas.attrs)
    try:
        joined = attach_population(bare, wide)
    except UnmatchedError as error:
        absent = areas.index[~areas.index.isin(wide.index)]
        msg = (
            f"census: {where} lacks {len(absent):,} of {len(areas):,} areas "
            f"({listed(list(absent))}): check that both are of the same level and nation, or name "
            "a table that has them."
        )
        raise UnmatchedError(msg) from error
    except InputError as error:
        told = str(error).replace("The population table", f"census: The table {where}")
        raise type(error)(told) from error
    return pd.DataFrame(joined.drop(columns="geometry"))


def _check_names(present: Iterable[object], wanted: Iterable[str], where: str, what: str) -> None:
    known = [str(name) for name in present]
    lost = [name for name in wanted if name not in known]
    if lost:
        near = near_names(lost[0], known)
        hint = f" Did you mean {listed(near)}?" if near else ""
        msg = (
            f"census: {where} has no {what} {listed(lost)}.{hint} It has: {listed(known, most=15)}."
        )
        raise ColumnError(msg)
