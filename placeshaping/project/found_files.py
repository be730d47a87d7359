"""What the files that somebody has put into a folder can serve as in a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.errors import PlaceshapingError, RecipeError
from placeshaping._core.progress import track

if TYPE_CHECKING:
    from placeshaping.sources.inspection import Inspection

RECIPE = "recipe.toml"
"""What a recipe is called where nobody names it."""

MANIFEST = "manifest.json"
"""What tells a folder of products."""

DENOMINATORS = ("residents", "households")

NO_DATES = "no dates"
"""What an inspection says of records without dates."""

MOST_TOLD = 12
"""Files of which the reason is told."""

MANY = 1_000
"""Areas above which a file is taken for a nation's, of which a place must be named."""


@dataclass(frozen=True)
class Found:
    """
    What the files of a folder can serve as.

    Attributes
    ----------
    records, areas
        The files to count, and to count by.
    lookups
        From the areas to larger ones.
    changes
        From LSOAs of 2011 to those of 2021.
    population
        Denominator -> file, of the areas' census year.
    deprivation
        Of the areas' census year.
    within
        The place, where the areas are a nation's and the records tell.
    passed_over
        Files that serve for nothing here, with the reason.
    levels
        Levels that the lookups lead to.
    """

    records: Inspection
    areas: Inspection
    lookups: tuple[str, ...]
    changes: str | None
    population: Mapping[str, str]
    deprivation: Inspection | None
    within: str | None
    passed_over: tuple[tuple[str, str], ...]
    levels: tuple[str, ...] = ()


def find_files(folder: Path) -> Found:
    """
    Look into every file of a folder and choose what serves a recipe.

    Raises
    ------
    RecipeError
        If there are no records or no boundaries.
    """
    from placeshaping.areas.inspection import inspect_file

    if not folder.is_dir():
        msg = f"{folder.name} is a file. Name the folder that holds your files."
        raise RecipeError(msg)
    paths = sorted(path for path in folder.iterdir() if not _is_our_own(path))
    if not paths:
        msg = (
            f"{folder.resolve().name}: found no files. Put records and boundaries of areas into "
            "it, and lookups, population and deprivation where you have them."
        )
        raise RecipeError(msg)
    seen = [inspect_file(path) for path in track(paths, label="Looking into files")]
    usable = [one for one in seen if not any(p.severity == "error" for p in one.problems)]
    records = _best(usable, "police") or _best(
        usable, "services", only=lambda one: fact(one, "Months") != NO_DATES
    )
    areas = _best(usable, "boundaries", by=_suits)
    if records is None or areas is None:
        raise RecipeError(_lacking(folder, seen, records=records is not None))
    year = fact(areas, "Census year of the codes")
    lookups = [*_lookups(usable, areas, year), *_own_lookups(folder, usable, areas)]
    changes = [one for one in usable if one.kind == "lookup" and _tells_changes(one)]
    population = {
        column: _best([one for one in usable if _counts(one, column, year)], "population")
        for column in DENOMINATORS
    }
    deprivation = _best(usable, "deprivation", only=lambda one: _same_year(one, year))
    names = tuple(one.name for one in lookups)
    mixed = year == "2011" and any("LSOA21" in _columns(one) for one in lookups)
    chosen = (records, areas, deprivation, *population.values(), *lookups, *changes)
    used = {one.name for one in chosen if one is not None}
    return Found(
        records=records,
        areas=areas,
        lookups=names,
        changes=changes[0].name if changes and year == "2021" else None,
        population={column: one.name for column, one in population.items() if one is not None},
        deprivation=deprivation,
        within=None if mixed else _place(folder, records, areas, names),
        passed_over=tuple(_passed_over(seen, used)),
        levels=_levels(folder, names, areas),
    )


def _is_our_own(path: Path) -> bool:
    """Tell what runs have left beside the files: a recipe, products, the ledger."""
    if path.name.startswith(".") or path.name == RECIPE:
        return True
    if path.is_dir():
        return (path / MANIFEST).is_file()
    from placeshaping.disclosure.ledger.store import is_ledger

    return is_ledger(path)


def fact(inspection: Inspection, label: str) -> str | None:
    """Return what an inspection says under a label."""
    return dict(inspection.facts).get(label)


def told(inspection: Inspection) -> str:
    """Say in a comment what the file is."""
    labels = ("Records", "Level", "Areas", "Edition", "Months", "Census year of the codes")
    facts = [f"{label.lower()} {fact(inspection, label)}" for label in labels
             if fact(inspection, label)]  # fmt: skip
    return ", ".join(facts)


def _best(
    seen: Sequence[Inspection],
    kind: str,
    *,
    only: Callable[[Inspection], bool] = lambda _: True,
    by: Callable[[Inspection], float] = lambda one: float(one.rows or 0),
) -> Inspection | None:
    """Return the most fitting file of a kind."""
    return max((one for one in seen if one.kind == kind and only(one)), key=by, default=None)


def _suits(areas: Inspection) -> float:
    """Prefer LSOAs of 2021, then those of 2011, then the finest areas that are not output areas."""
    level, year = fact(areas, "Level"), fact(areas, "Census year of the codes")
    preferred = {("LSOA", "2021"): 3e9, ("LSOA", "2011"): 2e9}.get((level or "", year or ""), 0.0)
    return preferred + float(areas.rows or 0) * (level != "Output area")


def _columns(lookup: Inspection) -> set[str]:
    """Return the levels of a lookup's code columns with their year: ``LSOA21``."""
    columns = (fact(lookup, "Area codes") or "").split(", ")
    return {column.split(" ")[0].upper().removesuffix("CD") for column in columns}


def _tells_changes(lookup: Inspection) -> bool:
    columns = _columns(lookup)
    return {"LSOA11", "LSOA21"} <= columns and not any(c.startswith("OA") for c in columns)


def _lookups(usable: Sequence[Inspection], areas: Inspection, year: str | None) -> list[Inspection]:
    """Choose lookups; one of both census years only where no other begins at the areas."""
    leading = [one for one in usable if one.kind == "lookup" and _leads_up(one, areas, year)]
    both = [one for one in leading if _of_both_years(one)]
    single = [one for one in leading if one not in both]
    begun = any(c.startswith(("OA", "LSOA")) for one in single for c in _columns(one))
    return single if begun else [*both[:1], *single]


def _own_lookups(folder: Path, usable: Sequence[Inspection], areas: Inspection) -> list[Inspection]:
    """Choose the lookups that lead from a council's own areas, by their codes."""
    from placeshaping.areas.boundaries import read_boundaries
    from placeshaping.areas.lookups import read_lookup
    from placeshaping.sources.inspection import OWN_CODES

    given = [one for one in usable if one.kind == "lookup" and fact(one, OWN_CODES)]
    if not given or fact(areas, "Level") not in {None, "Area"}:
        return []
    codes = read_boundaries(folder / areas.name).index
    chosen = []
    for one in given:
        table = read_lookup(folder / one.name)
        held = max(
            float(codes.isin(table[column]).mean())
            for column in table.columns
            if str(column).endswith("_code")
        )
        if held > 0.5:
            chosen.append(one)
    return chosen


def _of_both_years(lookup: Inspection) -> bool:
    return {"LSOA11", "LSOA21"} <= _columns(lookup)


def _levels(folder: Path, lookups: Sequence[str], areas: Inspection) -> tuple[str, ...]:
    """Return the levels above the areas that the lookups lead to, finest first."""
    from placeshaping.areas.lookup_columns import in_order
    from placeshaping.areas.lookups import read_lookup

    own = (fact(areas, "Level") or "").casefold()
    held: dict[str, int] = {}
    for name in lookups:
        table = read_lookup(folder / name)
        for column in table.columns[1 if own == "area" else 0 :]:
            level = str(column).removesuffix("_code")
            if level != column and level not in {own, "oa", "lsoa", "lsoa11"}:
                held[level] = max(held.get(level, 0), table[column].nunique())
    if own == "lsoa" and not (fact(areas, "Name column") or "none").startswith("none"):
        held.setdefault("msoa", 0)
    return tuple(in_order(held))


def _lacking(folder: Path, seen: Sequence[Inspection], *, records: bool) -> str:
    """Say what a folder lacks, and of each file why it does not serve."""
    lacking = "boundaries of areas" if records else "records with dates and places"
    wanted = {"boundaries"} if records else {"police", "services", "unknown"}
    first = sorted(seen, key=lambda one: one.kind not in wanted)
    reasons = "".join(f"\n  {one.name}: {_reason(one)}" for one in first[:MOST_TOLD])
    rest = len(seen) - MOST_TOLD
    return (
        f"{folder.resolve().name}: found no {lacking} among {len(seen):,} "
        f"file{'' if len(seen) == 1 else 's'}:{reasons}"
        + (f"\n  and {rest:,} more" if rest > 0 else "")
        + "\n`placeshaping check FILE` tells more of one."
    )


def _reason(one: Inspection) -> str:
    """Say what a file is, or why it cannot be used and what to do."""
    error = next((problem for problem in one.problems if problem.severity == "error"), None)
    if error is not None:
        return f"{one.kind}: {error.what} {error.remedy}"
    if one.kind == "services" and fact(one, "Months") == NO_DATES:
        return (
            "services without dates: no column of dates is recognised. Name it as records.columns "
            'in a recipe (columns = { date = "Logged on" }), or add one.'
        )
    return one.kind


def _leads_up(lookup: Inspection, areas: Inspection, year: str | None) -> bool:
    """Tell whether a lookup leads from the areas, or from larger ones, to larger ones."""
    columns = _columns(lookup)
    above = {c for c in columns if c.rstrip("0123456789") in {"MSOA", "WD", "LAD", "CSP", "PFA"}}
    own = {f"{fact(areas, 'Level')}{(year or '')[2:]}", f"{fact(areas, 'Level')}"}
    small = {c for c in columns if c.startswith(("OA", "LSOA"))}
    begins = small <= own or (_of_both_years(lookup) and bool(small & own))
    return (bool(above and small) and begins) or (len(above) > 1 and not small)


def _counts(population: Inspection, column: str, year: str | None) -> bool:
    return _same_year(population, year) and fact(population, column.capitalize()) is not None


def _same_year(one: Inspection, year: str | None) -> bool:
    return year not in {"2011", "2021"} or fact(one, "Census year of the codes") in {year, None}


def _place(
    folder: Path, records: Inspection, areas: Inspection, lookups: Sequence[str]
) -> str | None:
    """Guess the place from the name of the force, where the areas are a nation's."""
    force = fact(records, "Forces")
    if not force or "," in force or (areas.rows or 0) <= MANY or not lookups:
        return None
    from placeshaping.areas.lookups import read_lookup
    from placeshaping.project.listed_areas import wholes_within

    name = force.replace("-", " ").title()
    try:
        tables = [read_lookup(folder / lookup) for lookup in lookups]
        wholes_within([name], tables)
    except PlaceshapingError:
        return None
    return name


def _passed_over(seen: Sequence[Inspection], used: set[str]) -> Iterator[tuple[str, str]]:
    for one in seen:
        if one.name in used:
            continue
        errors = [problem.what for problem in one.problems if problem.severity == "error"]
        yield one.name, errors[0] if errors else f"{one.kind}, {told(one)}".rstrip(", ")
