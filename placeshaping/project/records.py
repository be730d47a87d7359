"""Read the records that a recipe names, one file after another, and put them together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from placeshaping._core.checks import check_file, listed
from placeshaping._core.errors import EmptyError, RecipeError
from placeshaping._core.provenance import SourceFile, describe_file
from placeshaping.project.recipe import POLICE_ADDRESS, Recipe, Records

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.sources.police import PoliceReport
    from placeshaping.sources.services import ServiceReport
    from placeshaping.sources.streams import RecordSource

Kind = Literal["police", "services"]
Sensitivity = Literal["open", "personal", "special"]

CRIME = "Recorded crime"
"""What the records of police.uk are called."""


@dataclass(frozen=True)
class RecordFile:
    """
    One file of records, read.

    Attributes
    ----------
    name, kind
        Base name, and what it was read as.
    sensitivity, already_published
        As the recipe says, or as follows from the kind.
    months
        Months for which the file holds any record, of whatever category: a
        month without one of the wanted category is zero, not missing.
    holds
        Force and month pairs of police files, to tell what overlaps.
    used
        Rows that the recipe asks for.
    weighted
        Whether a row may stand for several records.
    report
        How it was read.
    source
        Its checksum.
    events
        The records that the recipe asks for; None where they were counted on
        a cluster and never brought together.
    """

    name: str
    kind: Kind
    sensitivity: Sensitivity
    already_published: str | None
    months: pd.DatetimeIndex
    holds: frozenset[tuple[str, pd.Timestamp]]
    used: int
    weighted: bool
    report: PoliceReport | ServiceReport
    source: SourceFile
    events: pd.DataFrame | None = None

    @property
    def not_asked_for(self) -> int:
        """Rows that were read and kept, but are of other months or categories."""
        return self.report.rows_kept - self.used


def read_records(given: Sequence[Records], *, folder: Path) -> list[RecordFile]:
    """
    Read the files of records that a recipe names.

    Parameters
    ----------
    given
        The recipe's sections.
    folder
        What their paths are relative to.

    Returns
    -------
    files
        In the order of the recipe.

    Raises
    ------
    RecipeError
        If a file is named twice, two hold the same months of one force, two
        cover unlike months, or two that hold personal data are combined
        without a stated basis.
    EmptyError
        If nothing is left by the selection.
    """
    return check_files(given, [_read(one, folder) for one in given])


def check_files(given: Sequence[Records], files: list[RecordFile]) -> list[RecordFile]:
    """
    Return the files if they may stand together.

    Raises
    ------
    RecipeError
        As in `read_records`.
    """
    _check_basis(given, files)
    if len(files) > 1:
        _check_once(files)
        _check_spans(files)
    return files


def put_together(files: Sequence[RecordFile]) -> pd.DataFrame:
    """Return the records of all files as one table of events."""
    import pandas as pd

    read = [file.events for file in files if file.events is not None]
    if len(read) == 1:
        return read[0]
    columns = ["easting", "northing", "period", "category", "area_code", "count"]
    tables = [
        events.reindex(columns=columns).assign(category=events["category"].astype(str))
        for events in read
    ]
    together = pd.concat(tables, ignore_index=True)
    together["count"] = together["count"].fillna(1).astype("int64")
    together["category"] = together["category"].astype("category")
    return together


def source_of(records: Records, *, folder: Path) -> RecordSource:
    """Describe a file of records for counting it where it lies."""
    from placeshaping.sources.streams import RecordSource

    return RecordSource(
        path=folder / records.file,
        kind=_kind(records, folder / records.file),
        months=records.months,
        forces=tuple(records.forces) if records.forces else None,
        categories=tuple(records.categories) if records.categories else None,
        columns=records.columns,
        category=records.category,
        postcodes=None if records.postcodes is None else folder / records.postcodes,
    )


def counted_file(
    records: Records, report: PoliceReport | ServiceReport, *, folder: Path
) -> RecordFile:
    """Describe a file whose records were counted on a cluster."""
    import pandas as pd

    first, last = (pd.Timestamp(f"{m}-01") for m in (report.first_month, report.last_month))
    missing = pd.DatetimeIndex([f"{month}-01" for month in report.missing_months])
    months = pd.date_range(first, last, freq="MS").difference(missing)
    forces = getattr(report, "forces", ())
    holds = frozenset((force, month) for force in forces for month in months)
    weighted = "count" in getattr(report, "columns", {})
    return _described(records, report, folder, months, holds, report.rows_kept, weighted, None)


def _read(records: Records, folder: Path) -> RecordFile:
    path = folder / records.file
    police = _kind(records, path) == "police"
    events = _police(records, path) if police else _services(records, folder)
    months, chosen = _select(records, events, where=path.name)
    holds: frozenset[tuple[str, pd.Timestamp]] = frozenset()
    if "force" in chosen:
        pairs = events.loc[events["period"].isin(months), ["force", "period"]].drop_duplicates()
        holds = frozenset(zip(pairs["force"].astype(str), pairs["period"], strict=True))
    report = events.attrs["report"]
    weighted = "count" in chosen
    return _described(records, report, folder, months, holds, len(chosen), weighted, chosen)


def _described(
    records: Records,
    report: PoliceReport | ServiceReport,
    folder: Path,
    months: pd.DatetimeIndex,
    holds: frozenset[tuple[str, pd.Timestamp]],
    used: int,
    weighted: bool,
    events: pd.DataFrame | None,
) -> RecordFile:
    path = folder / records.file
    kind = _kind(records, path)
    sensitivity = records.sensitivity or ("open" if kind == "police" else "personal")
    address = records.already_published
    if address is None and kind == "police" and sensitivity == "open":
        address = POLICE_ADDRESS
    return RecordFile(
        name=path.name,
        kind=kind,
        sensitivity=sensitivity,
        already_published=address,
        months=months,
        holds=holds,
        used=used,
        weighted=weighted,
        report=report,
        source=describe_file(path, "records", rows=report.rows_read),
        events=events,
    )


def _kind(records: Records, path: Path) -> Kind:
    if records.kind is not None:
        return records.kind
    from placeshaping.sources.kinds import kind_of

    return "police" if kind_of(check_file(path)) == "police" else "services"


def _police(records: Records, path: Path) -> pd.DataFrame:
    from placeshaping.sources.police import read_police

    return read_police(path, months=records.months, forces=records.forces)


def _services(records: Records, folder: Path) -> pd.DataFrame:
    from placeshaping.sources.services import read_services

    return read_services(
        folder / records.file,
        columns=records.columns,
        category=records.category,
        postcodes=None if records.postcodes is None else folder / records.postcodes,
    )


def _select(
    records: Records, events: pd.DataFrame, *, where: str
) -> tuple[pd.DatetimeIndex, pd.DataFrame]:
    """Return the months that there are, and the events of the months and categories wanted."""
    import pandas as pd

    from placeshaping.sources.offences import check_categories

    kept = events["period"].notna()
    if records.months:
        first, last = (pd.Timestamp(f"{month}-01") for month in records.months)
        kept &= events["period"].between(first, last)
    if not kept.any():
        raise EmptyError(_no_months(events["period"].dropna(), where))
    months = pd.DatetimeIndex(sorted(events.loc[kept, "period"].unique()))
    if records.categories is not None:
        present = [str(category) for category in events["category"].unique()]
        kept &= events["category"].astype(str).isin(check_categories(records.categories, present))
    if not kept.any():
        msg = (
            f"{where}: no record of those months is of: {listed(records.categories or [])}. "
            "Take a longer span or more categories."
        )
        raise EmptyError(msg)
    chosen = events[kept].copy()
    if hasattr(chosen["category"], "cat"):
        chosen["category"] = chosen["category"].cat.remove_unused_categories()
    return months, chosen


def _no_months(there: pd.Series[pd.Timestamp], where: str) -> str:
    if there.empty:
        return (
            f"{where}: no row has a date, so it holds no records. Outlines of areas and lookups "
            "are named under [areas] (file, lookups), populations under [population]; name the "
            "records themselves here. If their dates stand in a column of another name: "
            "columns = {date = 'that name'}."
        )
    return (
        f"{where}: no record is of the months that the recipe asks for. There are: "
        f"{there.min():%Y-%m} to {there.max():%Y-%m}."
    )


def _check_basis(given: Sequence[Records], files: Sequence[RecordFile]) -> None:
    """Refuse to combine personal data without a stated basis."""
    pairs = zip(given, files, strict=True)
    check_basis([one for one, file in pairs if file.sensitivity != "open"])


def check_basis(personal: Sequence[Records]) -> None:
    """
    Refuse to combine inputs that hold personal data without a stated basis.

    Raises
    ------
    RecipeError
        If there are several, and one says on no lawful basis or assessment.
    """
    if len(personal) > 1 and not all(one.lawful_basis and one.dpia for one in personal):
        msg = (
            "records: two inputs that hold personal data are combined only with 'lawful_basis' "
            "and 'dpia' given for each; without 'sensitivity', records of a service are personal."
        )
        raise RecipeError(msg)


def sensitivity_of(records: Records, *, folder: Path) -> Sensitivity:
    """Return how sensitive records are: as the recipe says, or as follows from their kind."""
    usual: Sensitivity = "open" if is_police(records, folder=folder) else "personal"
    return records.sensitivity or usual


def services_of(
    given: Sequence[Records], *, names: Mapping[str, str], folder: Path
) -> dict[str, list[Records]]:
    """
    Return services by name: all files of police.uk's layout are one, every other its own.

    Parameters
    ----------
    given
        The recipe's sections.
    names
        File -> name of its service, where it has one.
    folder
        What their paths are relative to.
    """
    found: dict[str, list[Records]] = {}
    for records in given:
        name = names.get(records.file) or names.get(Path(records.file).name)
        if name is None and is_police(records, folder=folder):
            name = CRIME
        found.setdefault(name or _words(Path(records.file).stem), []).append(records)
    return found


def together_called(recipe: Recipe, *, folder: Path) -> str:
    """Return what the ledger calls all records of a recipe together."""
    police = all(is_police(records, folder=folder) for records in recipe.records)
    return recipe.dataset or recipe.show.subject or (CRIME if police else "Records")


def _words(stem: str) -> str:
    text = stem.replace("_", " ").replace("-", " ").strip()
    return f"{text[:1].upper()}{text[1:]}"


def is_police(records: Records, *, folder: Path) -> bool:
    """Tell whether a file of records has the layout of police.uk."""
    return _kind(records, folder / records.file) == "police"


def _check_once(files: Sequence[RecordFile]) -> None:
    """Refuse what would be counted twice."""
    seen: dict[object, str] = {}
    for file in files:
        keys: list[object] = [file.source.sha256, *file.holds]
        for key in keys:
            if key in seen:
                msg = (
                    f"records: {seen[key]} and {file.name} hold the same records; they would be "
                    "counted twice. Name one of them, or other months of each (from, to)."
                )
                raise RecipeError(msg)
        seen.update(dict.fromkeys(keys, file.name))


def _check_spans(files: Sequence[RecordFile]) -> None:
    """Refuse files of unlike months that are not parts of one series."""
    series = [set(file.months) for file in files if file.kind != "police"]
    police = [set(file.months) for file in files if file.kind == "police"]
    if police:
        series.append(set().union(*police))
    if all(months == series[0] for months in series):
        return
    told = "; ".join(
        f"{file.name}: {file.months[0]:%Y-%m} to {file.months[-1]:%Y-%m}, {len(file.months)} months"
        for file in files
    )
    msg = (
        f"records: the files cover unlike months ({told}), and a rate a year would be worked out "
        "over the wrong time. Give each the same 'from' and 'to', or run them apart."
    )
    raise RecipeError(msg)
