"""What is in a file and what is wrong with it: the tables; boundaries are `areas.inspection`'s."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from placeshaping._core.checks import check_file, listed
from placeshaping._core.codes import LEVEL_SHORT
from placeshaping._core.errors import PlaceshapingError
from placeshaping.sources.code_columns import own_code_columns
from placeshaping.sources.deprivation import read_deprivation
from placeshaping.sources.kinds import Kind, kind_of, levels_held
from placeshaping.sources.offences import OLDER_CATEGORIES
from placeshaping.sources.police import PoliceReport, read_police
from placeshaping.sources.populations import read_population
from placeshaping.sources.services import ServiceReport, read_services
from placeshaping.sources.tabular import TableReport, read_table

FAILURES = (
    PlaceshapingError, OSError, ValueError, LookupError, TypeError, ArithmeticError,
    AttributeError, RuntimeError, MemoryError, EOFError,
)  # fmt: skip
"""What reading a bad file may raise: an inspection turns all of it into a problem."""


OWN_CODES = "Codes of your own"
"""What an inspection calls the codes of a council's own areas in a lookup."""


@dataclass(frozen=True)
class Problem:
    """
    Something that is wrong with a file, or worth knowing before it is used.

    Attributes
    ----------
    severity
        ``"error"``: it cannot be used so; ``"warning"``: it can, with care.
    what
        What is wrong, with figures.
    remedy
        What to do.
    """

    severity: Literal["error", "warning"]
    what: str
    remedy: str


@dataclass(frozen=True)
class Inspection:
    """
    What is in a file.

    Attributes
    ----------
    name
        Base name.
    kind
        What the file can serve as.
    rows
        Rows (records or areas), where it could be read.
    facts
        Label and value, in the order in which to show them.
    problems
        What is wrong with it.
    """

    name: str
    kind: Kind
    rows: int | None
    facts: tuple[tuple[str, str], ...]
    problems: tuple[Problem, ...]


def inspect_table(path: str | Path) -> Inspection:
    """
    Inspect a file of records or of figures by area; a bad one gives problems, not an error.

    Parameters
    ----------
    path
        A file, a folder or a ZIP archive.

    Returns
    -------
    inspection
        Kind, rows, facts and problems.

    Examples
    --------
    >>> found = inspect_table("no-such-folder/records.csv")
    >>> found.kind, found.problems[0].severity
    ('unknown', 'error')
    """
    path = Path(path)
    kind: Kind = "unknown"
    try:
        check_file(path)
        kind = kind_of(path)
        return _READERS[kind](path)
    except FAILURES as error:
        return failed(path, kind, error)


def failed(path: Path, kind: Kind, error: BaseException) -> Inspection:
    """
    Turn an error into an inspection that tells it.

    Parameters
    ----------
    path
        A file, a folder or a ZIP archive.
    kind
        What the file was taken for.
    error
        What reading it raised.

    Returns
    -------
    inspection
        One with a single problem.

    Examples
    --------
    >>> failed(Path("a.csv"), "unknown", ValueError("It broke. Mend it.")).problems[0].remedy
    'Mend it.'
    """
    text = str(error).strip() or type(error).__name__
    what, _, remedy = _split(text)
    remedy = remedy or "Export or download the file again."
    return Inspection(path.name, kind, None, (), (Problem("error", what, remedy),))


def _split(text: str) -> tuple[str, str, str]:
    found = re.search(r"\.\s+(?=[A-Z])", text)
    if found is None:
        return text, "", ""
    return text[: found.start() + 1], " ", text[found.end() :]


def _inspect_police(path: Path) -> Inspection:
    events = read_police(path)
    report: PoliceReport = events.attrs["report"]
    facts = (
        ("Files", f"{len(report.files):,}"),
        ("Records", f"{report.rows_kept:,}"),
        ("Months", _months(report.first_month, report.last_month)),
        ("Forces", listed(report.forces)),
        ("Categories", f"{len(report.categories):,}: {listed(report.categories, most=3)}"),
        ("Without coordinates", _share(report.without_coordinates, report.rows_kept)),
        ("Equal rows without Crime ID (kept)", f"{report.duplicates_kept:,}"),
        ("LSOA codes", listed(sorted(set(report.vintages.values())))),
    )
    return Inspection(path.name, "police", len(events), facts, tuple(_police_problems(report)))


def _police_problems(report: PoliceReport) -> list[Problem]:
    found = []
    if report.missing_months:
        found.append(
            _warning(
                f"{len(report.missing_months):,} months are missing in between "
                f"({listed(report.missing_months, most=3)}).",
                "Download them, or choose a span without them: trends would be wrong.",
            )
        )
    years = set(report.vintages.values()) - {"unknown"}
    if years != {"2021"} and years != {"2011"}:
        found.append(
            _warning(
                "LSOA codes are of 2011 in some months and of 2021 in others.",
                "Records are assigned by coordinate; give areas of 2021.",
            )
        )
    if report.without_coordinates > 0.05 * report.rows_kept:
        share = _share(report.without_coordinates, report.rows_kept)
        found.append(_warning(f"{share} records have no coordinates.", "State it on products."))
    if report.outside:
        found.append(
            _warning(
                f"{report.outside:,} records lie outside the United Kingdom.",
                "They are treated as not located.",
            )
        )
    if report.repeated_crime_ids:
        found.append(
            _warning(
                f"{report.repeated_crime_ids:,} rows repeat a Crime ID.",
                "One row of each ID and category is kept.",
            )
        )
    if report.without_month:
        found.append(
            _warning(f"{report.without_month:,} rows state no month.", "They are left out.")
        )
    older = [name for name in report.categories if name in OLDER_CATEGORIES]
    if older:
        found.append(
            _warning(
                f"Categories of an earlier set: {listed(older)}.",
                "Do not compare them with those of later years.",
            )
        )
    return found


def _inspect_services(path: Path) -> Inspection:
    events = read_services(path)
    report: ServiceReport = events.attrs["report"]
    records = int(events["count"].sum()) if "count" in events else len(events)
    taken = ", ".join(f"{role}: {column}" for role, column in report.columns.items())
    located = int(events["easting"].notna().sum())
    facts = [
        ("Format", describe_table(report.table)),
        ("Records", f"{records:,}"),
        ("Columns taken as", taken),
        ("Months", _months(report.first_month, report.last_month)),
        ("Categories", f"{len(report.categories):,}: {listed(report.categories, most=3)}"),
        ("Located by coordinates", _share(located, len(events))),
        ("With an area code", _share(report.with_area_code, len(events))),
    ]
    problems = _service_problems(report)
    return Inspection(path.name, "services", len(events), tuple(facts), tuple(problems))


def _service_problems(report: ServiceReport) -> list[Problem]:
    kinds: tuple[tuple[int, str, str], ...] = (
        (report.table.empty_rows + report.blank_rows, "rows are empty", "They are left out."),
        (report.table.ragged_rows, "rows have more values than the header",
         "They are left out; quote text that holds the delimiter."),
        (report.without_date, "rows have no date that can be read",
         f"Correct them (rows {listed(report.undated_rows)}); they are left out."),
        (report.ambiguous_dates, "dates could be read day first or month first",
         "They are read day first; pass date_order='american' if that is wrong."),
        (report.null_island, "rows lie at 0, 0", "They are treated as not located."),
        (report.outside, "rows lie outside the United Kingdom", "They are treated as not located."),
        (report.unreadable_coordinates, "rows have coordinates that are no numbers",
         "Correct them; they are treated as not located."),
        (len(report.missing_months), "months are missing in between",
         "Add them, or choose a span without them."),
    )  # fmt: skip
    return [_warning(f"{count:,} {what}.", remedy) for count, what, remedy in kinds if count]


def _inspect_deprivation(path: Path) -> Inspection:
    table = read_deprivation(path)
    report = table.attrs["report"]
    facts = (
        ("Edition", str(report.edition or "not recognised")),
        ("Areas", f"{report.areas:,}"),
        ("Census year of the codes", str(report.vintage or "not stated")),
        ("Columns", listed(list(report.columns), most=6)),
        ("Use", "audit and description only"),
    )
    return Inspection(path.name, "deprivation", len(table), facts, _gaps(report.missing))


def _inspect_population(path: Path) -> Inspection:
    table = read_population(path)
    report = table.attrs["report"]
    totals = tuple((str(n).capitalize(), f"{table[n].sum():,.0f}") for n in table.columns)
    facts = (
        ("Areas", f"{report.areas:,}"),
        ("Census year of the codes", str(report.vintage or "not stated")),
        *totals,
        ("Columns taken as", ", ".join(f"{to}: {of}" for to, of in report.columns.items())),
    )
    return Inspection(path.name, "population", len(table), facts, _gaps(report.missing))


def _gaps(missing: Mapping[str, int]) -> tuple[Problem, ...]:
    return tuple(
        _warning(f"{gaps:,} areas have no {name}.", "They stay missing, not zero.")
        for name, gaps in missing.items()
    )


def _inspect_lookup(path: Path) -> Inspection:
    table = read_table(path)
    held = levels_held(table)
    levels = [f"{name} ({LEVEL_SHORT[level]})" for name, level in held.items()]
    own = [name for name in own_code_columns([str(c) for c in table.columns]) if name not in held]
    facts = [("Format", describe_table(table.attrs["report"]))]
    if levels:
        facts.append(("Area codes", listed(levels, most=8)))
    if own:
        facts.append((OWN_CODES, listed(own, most=8)))
    facts += [(n, f"{len(table[n].dropna().unique()):,} areas") for n in (*held, *own)]
    return Inspection(path.name, "lookup", len(table), tuple(facts), ())


def _inspect_unknown(path: Path) -> Inspection:
    if path.is_dir():
        names = [p.name for p in sorted(path.iterdir())]
        problem = Problem(
            "error",
            f"The folder holds no police.uk files and no boundaries ({listed(names)}).",
            "Give one file in it.",
        )
        return Inspection(path.name, "unknown", None, (), (problem,))
    table = read_table(path)
    facts = (
        ("Format", describe_table(table.attrs["report"])),
        ("Columns", listed(list(table.columns), most=12)),
    )
    problem = Problem(
        "error",
        "Nothing in it says where records lie or which area a figure is of.",
        "Map its columns in the recipe, or give a file with coordinates, postcodes or area codes.",
    )
    return Inspection(path.name, "unknown", len(table), facts, (problem,))


def describe_table(report: TableReport) -> str:
    """
    Say in words how a table is written.

    Parameters
    ----------
    report
        How the table was found.

    Returns
    -------
    words
        Such as ``text, UTF-8, comma-separated``.
    """
    words = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
    if report.kind == "text":
        encoding = {"cp1252": "Windows-1252", "utf-8-sig": "UTF-8 with mark"}.get(
            report.encoding or "", (report.encoding or "").upper()
        )
        return f"text, {encoding}, {words.get(report.delimiter or '', 'other')}-separated"
    return f"workbook, sheet {report.sheet!r}" if report.kind == "workbook" else report.kind


def _months(first: str | None, last: str | None) -> str:
    return "no dates" if first is None else f"{first} to {last}"


def _share(part: int, whole: int) -> str:
    return f"{part:,} ({100 * part / whole:.1f} %)" if whole else "0"


def _warning(what: str, remedy: str) -> Problem:
    return Problem("warning", what, remedy)


_READERS: dict[str, Callable[[Path], Inspection]] = {
    "police": _inspect_police,
    "services": _inspect_services,
    "deprivation": _inspect_deprivation,
    "population": _inspect_population,
    "lookup": _inspect_lookup,
    "unknown": _inspect_unknown,
}
