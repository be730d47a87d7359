"""Read what the recipe of a ward review names: units, electors, places, the present wards."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import (
    ColumnError,
    DuplicateError,
    InputError,
    RecipeError,
    UnmatchedError,
)
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.review_request import Present, ReviewRecipe

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.shaping.wards import Proposal, Review


@dataclasses.dataclass(frozen=True, eq=False)
class ReviewInputs:
    """
    What a recipe names, read.

    Attributes
    ----------
    review
        With the electors as they are.
    present
        The present wards, where they are named.
    sources
        The files; the checksum of small counts is not among them.
    notes
        Sentences on what was done to what was read.
    """

    review: Review
    present: Proposal | None
    sources: tuple[SourceFile, ...]
    notes: tuple[str, ...]


def read_review_inputs(recipe: ReviewRecipe, folder: Path) -> ReviewInputs:
    """
    Read the files of a review.

    Parameters
    ----------
    recipe
        From `read_review_recipe`.
    folder
        What its paths are relative to.

    Returns
    -------
    inputs
        The review, laid out and checked.

    Raises
    ------
    InputError
        If electors are missing for units, or any file is not what it should be.
    """
    from placeshaping.shaping.ward_search import nearest_bridges
    from placeshaping.shaping.wards import make_review

    sources: list[SourceFile] = []
    notes: list[str] = []
    units = _units(recipe, folder, sources, notes)
    bridges = [] if recipe.bridges == "nearest" else recipe.bridges

    def laid_out(pairs: list[tuple[str, str]]) -> Review:
        return make_review(
            units,
            councillors=recipe.councillors,
            name=recipe.name,
            sizes=recipe.sizes,
            tolerance=recipe.tolerance,
            bridges=pairs,
            snap=recipe.units.snap,
        )

    review = laid_out(list(bridges))
    if recipe.bridges == "nearest" and (review.parts > 0).any():
        pairs = nearest_bridges(review)
        review = laid_out(pairs)
        told = listed([f"{one} to {other}" for one, other in pairs], most=len(pairs))
        notes.append(
            f"{len(pairs):,} {'group' if len(pairs) == 1 else 'groups'} of units apart from the "
            f"rest: counted as a neighbour of the nearest unit ({told})."
        )
    present = None if recipe.present is None else _present(recipe.present, review, folder, sources)
    return ReviewInputs(review, present, tuple(sources), tuple(notes))


def _units(
    recipe: ReviewRecipe, folder: Path, sources: list[SourceFile], notes: list[str]
) -> gpd.GeoDataFrame:
    """Read the units, with their electors and places beside them."""
    from placeshaping.areas.boundaries import read_boundaries
    from placeshaping.shaping.wards import PLACES

    given = recipe.units
    path = folder / given.file
    units = read_boundaries(
        path, code=given.code, name=given.name, crs=given.crs, layer=given.layer,
        duplicates=given.duplicates,
    )  # fmt: skip
    report = units.attrs["report"]
    sources.append(describe_file(path, "units", rows=len(units)))
    if report.name_column is not None:
        units["name"] = units["area_name"]
    electors = recipe.electors
    columns = {"electors_now": electors.now, "electors_forecast": electors.forecast}
    table = _by_unit(folder / electors.file, electors.code, list(columns.values()), units.index)
    source = describe_file(folder / electors.file, "electors", rows=len(table))
    sources.append(source)
    strange = table.index.difference(units.index)
    if len(strange):
        notes.append(
            f"{len(strange):,} rows of {source.name} are of no unit and were left out "
            f"({listed(list(strange))})."
        )
    for name, column in columns.items():
        units[name] = _numbers(table[column].reindex(units.index), where=source.name)
        _check_electors(units[name], where=f"{source.name}, column {column!r}")
    for kind in (*PLACES, "decile"):
        one = getattr(recipe.places, kind)
        if one is not None:
            known = _by_unit(folder / one.file, one.code, [one.column], units.index)
            column = known[one.column].reindex(units.index)
            units[kind] = _numbers(column, where=one.file) if kind == "decile" else column
            if all(source.name != Path(one.file).name for source in sources):
                sources.append(describe_file(folder / one.file, "places", rows=len(known)))
    return units


def _by_unit(
    path: Path, code: str | None, columns: list[str], index: pd.Index[str]
) -> pd.DataFrame:
    """Read columns of a table, indexed by the code of the unit."""
    from placeshaping.sources.tabular import read_table

    table = read_table(path)
    check_columns(table.columns, [*([code] if code else []), *columns], where=path.name)
    if code is None:
        held = {str(c): int(table[c].astype("str").isin(index).sum()) for c in table}
        code = max(held, key=lambda name: held[name])
        if not held[code]:
            msg = (
                f"{path.name}: no column holds codes of the units ({listed(list(index), most=3)}). "
                "Name it: code = '...'."
            )
            raise ColumnError(msg)
    keyed = table[table[code].notna()].set_index(code)[columns]
    keyed.index = keyed.index.astype("str").str.strip()
    again = keyed.index[keyed.index.duplicated()].unique()
    if len(again):
        msg = (
            f"{path.name}: {len(again):,} units stand more than once ({listed(list(again))}). "
            "Give one row for each."
        )
        raise DuplicateError(msg)
    return keyed


def _check_electors(values: pd.Series, *, where: str) -> None:
    lost = values.index[values.isna()]
    if len(lost):
        msg = (
            f"{where}: no number for {len(lost):,} of {len(values):,} units "
            f"({listed(list(lost))}). Every unit needs one; write 0 where nobody is registered."
        )
        raise InputError(msg)


def _numbers(values: pd.Series, *, where: str) -> pd.Series[float]:
    from placeshaping.sources.values import to_numbers

    numbers: pd.Series[float] = to_numbers(values)
    odd = values[numbers.isna() & values.notna()]
    if len(odd):
        msg = (
            f"{where}: {len(odd):,} values of {values.name!r} are no numbers "
            f"({listed(list(odd.unique()))}). Correct them."
        )
        raise ColumnError(msg)
    return numbers


def _present(given: Present, review: Review, folder: Path, sources: list[SourceFile]) -> Proposal:
    from placeshaping.shaping.wards import make_proposal

    path = folder / given.file
    table = _by_unit(path, given.code, [given.ward], review.units.index)
    ward_of = table[given.ward].reindex(review.units.index)
    lost = ward_of.index[ward_of.isna()]
    if len(lost):
        msg = (
            f"{path.name}: {len(lost):,} of {len(ward_of):,} units have no present ward "
            f"({listed(list(lost))})."
        )
        raise UnmatchedError(msg)
    codes = sorted(ward_of.unique())
    seats, names = _seats(given, codes, folder, sources)
    return make_proposal(review, ward_of, name="Present wards", councillors=seats, names=names)


def _seats(
    given: Present, codes: list[str], folder: Path, sources: list[SourceFile]
) -> tuple[dict[str, int], dict[str, str]]:
    """Return councillors and names of the present wards."""
    import pandas as pd

    if isinstance(given.councillors, int):
        return dict.fromkeys(codes, given.councillors), {}
    if given.wards is None:
        msg = (
            "review.present: say how many councillors the wards have: wards = a file with a row "
            "for each, or councillors = one number for all."
        )
        raise RecipeError(msg)
    columns = [given.councillors, *([given.name] if given.name else [])]
    table = _by_unit(folder / given.wards, None, columns, pd.Index(codes))
    sources.append(describe_file(folder / given.wards, "present wards", rows=len(table)))
    lost = [code for code in codes if code not in table.index]
    if lost:
        msg = f"{given.wards}: {len(lost):,} present wards are not there ({listed(lost)})."
        raise UnmatchedError(msg)
    numbers = _numbers(table[given.councillors].reindex(codes), where=given.wards)
    if numbers.isna().any() or (numbers % 1 != 0).any() or (numbers < 1).any():
        msg = f"{given.wards}: {given.councillors} holds no whole numbers of one or more."
        raise InputError(msg)
    names = {} if given.name is None else table[given.name].reindex(codes).dropna().to_dict()
    return {code: int(numbers[code]) for code in codes}, {str(k): str(v) for k, v in names.items()}
