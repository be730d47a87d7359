"""
What is said of the records on every product: how many were read, placed and lost.

Under a policy that protects, these numbers obey it too: an exact total would
undo the rounding of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed

if TYPE_CHECKING:
    from placeshaping.disclosure.policies import Policy
    from placeshaping.joins.points import PlacementReport
    from placeshaping.project.gather import Gathered
    from placeshaping.project.recipe import Recipe
    from placeshaping.project.records import RecordFile

Tell = Callable[[int], str]

_TELL_NOTHING = ("suppress", "cell_key")
"""Methods under which an exact total, however rounded, could be set against the counts."""


def record_notes(gathered: Gathered, recipe: Recipe, *, policy: Policy) -> tuple[str, ...]:
    """
    Say in sentences what was read, what was left out, and on what basis.

    Parameters
    ----------
    gathered
        The inputs, with their reports.
    recipe
        Names the lawful basis, where personal data were used.
    policy
        Numbers under its threshold are not told, the others are rounded.

    Returns
    -------
    notes
        Sentences for print.
    """
    tell = teller(policy)
    notes: list[str] = []
    if policy.method in _TELL_NOTHING:
        notes.append(
            "How many records were read, and how many could not be placed, is not told: beside "
            "counts that are not rounded it would give hidden ones back."
        )
    else:
        for file in gathered.files:
            notes += _read_notes(file, tell)
        rows = "rows" if any(file.weighted for file in gathered.files) else "records"
        notes += _placement_notes(gathered.placement, tell, rows)
    notes += _area_notes(gathered)
    if gathered.dashboard:
        notes.append("The records were counted on a Dask cluster.")
    if gathered.beyond and policy.method not in _TELL_NOTHING:
        notes.append(
            "Not counted because they lie in areas that the records do not cover: "
            f"{tell(gathered.beyond)}."
        )
    if policy.protects and policy.method not in _TELL_NOTHING:
        notes.append(f"The numbers of records told here are rounded to {policy.rounding}.")
    for records in recipe.records:
        name = Path(records.file).name
        if policy.name == "open" and not records.already_published:
            notes.append(
                f"{name} was taken as published already because it has the layout of police.uk; "
                "if it is not, the recipe must say sensitivity = 'personal'."
            )
        if records.lawful_basis:
            notes.append(f"{name}: lawful basis {records.lawful_basis}.")
        if records.dpia:
            notes.append(f"{name}: data protection impact assessment {records.dpia}.")
    return tuple(notes)


def teller(policy: Policy) -> Tell:
    """
    Return what writes a number of records as the policy allows.

    Examples
    --------
    >>> from placeshaping.disclosure.policies import policy_named
    >>> tell = teller(policy_named("councillor"))
    >>> tell(12_347), tell(3), tell(0)
    ('12,345', 'fewer than 5', 'none')
    """

    def tell(number: int) -> str:
        if not policy.protects:
            return f"{number:,}"
        if number < policy.threshold and (number > 0 or not policy.zeros_shown):
            return f"fewer than {policy.threshold}"
        return f"{policy.rounding * round(number / policy.rounding):,}" if number else "none"

    return tell


def _read_notes(file: RecordFile, tell: Tell) -> Iterator[str]:
    """Say what was read from a file and what was left out."""
    from placeshaping.sources.police import PoliceReport

    report, left_out = file.report, {"of other months or categories": file.not_asked_for}
    if isinstance(report, PoliceReport):
        left_out["repeating a Crime ID"] = report.repeated_crime_ids
        left_out["of other months or forces"] = report.not_selected
        left_out["without a month"] = report.without_month
    else:
        left_out["without a date that can be read"] = report.without_date
        left_out["without a count"] = report.without_count
    told = "; ".join(f"{why}: {tell(number)}" for why, number in left_out.items() if number)
    yield (
        f"{file.name}: {tell(report.rows_read)} rows read, {tell(file.used)} used"
        + (f"; left out {told}." if told else ".")
    )
    if isinstance(report, PoliceReport):
        yield (
            f"Without coordinates: {tell(report.without_coordinates)}; outside the United "
            f"Kingdom: {tell(report.outside)}. Coordinates are snap points, not addresses."
        )
        for force, months in report.missing_by_force.items():
            yield f"There are no records of {force} for {listed(months, most=12)}."
    else:
        taken = ", ".join(f"{role} from {column!r}" for role, column in report.columns.items())
        yield f"Columns taken{' by their names' if report.guessed else ''}: {taken}."
        if report.located_by_postcode or report.unknown_postcodes:
            yield (
                f"Located by postcode: {tell(report.located_by_postcode)}; of these, by one no "
                f"longer in use: {tell(report.ended_postcodes)}; after mending letters and digits "
                f"that look alike: {tell(report.mended_postcodes)}; neither coordinates nor a "
                f"postcode of the directory: {tell(report.unknown_postcodes)}."
            )
        if report.ambiguous_dates:
            yield f"Dates were read as day first ({report.date_order} order)."
    if report.missing_months:
        yield f"There are no records at all for {listed(report.missing_months, most=12)}."


def _area_notes(gathered: Gathered) -> Iterator[str]:
    """Say where denominators come from, and which codes are no official ones."""
    from placeshaping.reports.notes import derived_codes

    told = {} if gathered.population is None else gathered.population.attrs.get("source_of", {})
    for column, source in told.items():
        yield f"{column.capitalize()}: {source}."
    lookup = gathered.lookup
    for level in lookup.attrs.get("derived_codes", {}):
        names = lookup.drop_duplicates(f"{level}_code").set_index(f"{level}_code")[f"{level}_name"]
        if sentence := derived_codes(names, level=level):
            yield sentence


def _placement_notes(report: PlacementReport, tell: Tell, rows: str) -> Iterator[str]:
    yield (
        f"Of {tell(report.rows)} {rows}, placed by their coordinates: "
        f"{tell(report.by_coordinate)}; by the area code that they carry: {tell(report.by_code)}. "
        f"Not counted because their coordinates lie outside the areas: {tell(report.outside)}; "
        "because they have no coordinates, and no code of one of the areas: "
        f"{tell(report.unplaced)}."
    )
    if report.by_nearest:
        yield f"Given to the nearest area: {tell(report.by_nearest)}."
