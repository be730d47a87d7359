"""Tables by area that a recipe names: columns found, laid out, matched to the areas."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import ColumnError, DuplicateError, InputError

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.project.segment_request import VariableTable

SPECIAL = re.compile(
    r"ethnic|\brac(?:e|ial)\b|religio|belief|faith|disab|\bhealth|illness|long.term sick|"
    r"sexual|gender.?ident|trade.?union|politic|country.?of.?birth|nationalit|passport|"
    r"main.?language|special educational"
)
"""What marks a table or a variable as of a special category, or near one."""


def match_areas(areas: gpd.GeoDataFrame, shares: pd.DataFrame, where: str) -> pd.DataFrame:
    """Give the areas their percentages; refuse those of another census year."""
    import pandas as pd

    from placeshaping.joins.attributes import attach_population

    try:
        joined = attach_population(areas, shares, missing="allow")
    except InputError as error:
        told = str(error).replace("The population table", f"The table {Path(where).name}")
        msg = told.replace("the population table", f"the table {Path(where).name}")
        raise type(error)(msg) from error
    return pd.DataFrame(joined.drop(columns="geometry"))


def lay_out_wide(
    table: pd.DataFrame,
    codes: pd.Series[str],
    given: VariableTable,
    names: Iterable[str],
    where: str,
) -> pd.DataFrame:
    """Lay a long table out with a column a category."""
    kind = table[str(given.category)].astype("str").str.strip()
    check_names(kind.unique(), names, where, f"category of {given.category}")
    long = table.assign(_code=codes.to_numpy(), _kind=kind.to_numpy())
    again = long.duplicated(["_code", "_kind"])
    if again.any():
        msg = (
            f"{where}: {int(again.sum()):,} rows repeat an area and a category. Keep one year and "
            "one measure."
        )
        raise DuplicateError(msg)
    wide = long.pivot_table(index="_code", columns="_kind", values=given.count, aggfunc="first")
    first = long.drop_duplicates("_code").set_index("_code")[given.of]
    return wide.assign(**{given.of: first})


def check_names(present: Iterable[object], wanted: Iterable[str], where: str, what: str) -> None:
    """Refuse names that a table does not have, and offer those nearest to them."""
    known = [str(name) for name in present]
    lost = [name for name in wanted if name not in known]
    if not lost:
        return
    near = near_names(lost[0], known)
    hint = f" Did you mean {listed(near)}?" if near else ""
    msg = f"{where} has no {what} {listed(lost)}.{hint} It has: {listed(known, most=15)}."
    raise ColumnError(msg)


def read_numbers(column: pd.Series[str], where: str) -> pd.Series[float]:
    """Read a column of numbers; refuse what is none."""
    from placeshaping.sources.values import to_numbers

    numbers = to_numbers(column)
    lost = numbers.isna() & column.notna()
    if lost.any():
        msg = (
            f"{where}: {int(lost.sum()):,} values of {column.name!r} are no numbers "
            f"({listed(list(column[lost].unique()), most=3)}). Correct or empty them."
        )
        raise ColumnError(msg)
    return numbers.astype("float64")
