"""From a request to the list of a team and the page beside it; for named officers alone."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import ColumnError, DisclosureError, RecipeError
from placeshaping.project.inspection_request import InspectionRequest, read_inspection_request

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping._core.provenance import SourceFile
    from placeshaping.disclosure.records import Records
    from placeshaping.reports.inspection_page import InspectionReport

_WORDS = {"true": True, "yes": True, "y": True, "1": True,
          "false": False, "no": False, "n": False, "0": False}  # fmt: skip


@dataclass(frozen=True, eq=False)
class InspectionOutcome:
    """
    What a request has come to.

    Attributes
    ----------
    folder, files
        Where the list and the page are.
    report
        What the page says.
    """

    folder: Path
    files: tuple[Path, ...]
    report: InspectionReport

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values; no property among them."""
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "finding": self.report.lead,
            "goes by": self.report.listed.attrs["by"],
        }


def answer_inspections(request: str | Path, *, made_on: dt.date) -> InspectionOutcome:
    """
    Answer a request for an inspection list.

    The model is tried beside plain rules first, and orders the list only where
    it surely finds more than each of them.

    Parameters
    ----------
    request
        A TOML file.
    made_on
        The day that the products bear.

    Returns
    -------
    outcome
        ``list.xlsx``, ``list.csv`` with its description, and ``report.html``.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If a file cannot be used, or there are too few visits.
    DisclosureError
        If the policy needs something that the request does not give.
    """
    from placeshaping.reports.inspection_page import inspection_page
    from placeshaping.reports.records import write_records

    path = Path(request)
    given = read_inspection_request(path)
    tables, sources = _read(given, path.parent)
    _check_first(given, tables, made_on)
    report = _work_out(given, tables, sources, made_on)
    records = _released(given, report)
    target = path.parent / given.output
    from placeshaping._core.output import staged_folder

    with staged_folder(target) as staged:
        for name in ("list.xlsx", "list.csv"):
            write_records(records, staged / name)
        page = inspection_page(report)
        (staged / "report.html").write_text(page, encoding="utf-8", newline="\n")
        _attack(sorted(staged.iterdir()), given.policy, made_on)
        names = sorted(one.name for one in staged.iterdir())
    return InspectionOutcome(target, tuple(target / name for name in names), report)


def _read(
    given: InspectionRequest, folder: Path
) -> tuple[dict[str, pd.DataFrame], list[SourceFile]]:
    """Read the tables, columns under our names, with what describes the files."""
    from placeshaping._core.provenance import describe_file
    from placeshaping.sources.deprivation import read_deprivation

    tables = {"properties": _properties(given, folder), "visits": _visits(given, folder)}
    files = [("properties", given.properties.file), ("visits", given.visits.file)]
    if given.complaints is not None:
        one = given.complaints
        complaints = _columns(folder / one.file, {"property": one.key, "date": one.date})
        tables["complaints"] = _dated(complaints, one.file)
        files.append(("complaints", one.file))
    if given.deprivation is not None:
        tables["deprivation"] = read_deprivation(folder / given.deprivation)
        files.append(("deprivation", given.deprivation))
    return tables, [describe_file(folder / name, role) for role, name in files]


def _check_first(
    given: InspectionRequest, tables: dict[str, pd.DataFrame], made_on: dt.date
) -> None:
    """Refuse what could not be handed over, before minutes are spent on it."""
    from placeshaping.disclosure.permission import check_policy
    from placeshaping.disclosure.policies import POLICIES
    from placeshaping.shaping.inspection_audit import decile_of_each
    from placeshaping.shaping.inspection_list import check_fewer

    check_policy(
        POLICIES[given.policy],
        sensitivity="personal",
        already_published=None,
        purpose=given.purpose,
        expires=given.expires,
        made_on=made_on,
    )
    check_fewer(given.team.inspections, of=len(tables["properties"]))
    if "deprivation" in tables:
        decile_of_each(tables["properties"], tables["deprivation"]["imd_decile"])


def _late(given: InspectionRequest, tables: dict[str, pd.DataFrame]) -> tuple[str, ...]:
    """Say how much of the record lies on or after the first day, and is not counted."""
    import pandas as pd

    first = pd.Timestamp(given.team.first_day)
    names = [name for name in ("visits", "complaints") if name in tables]
    late = {name: int((tables[name]["date"] >= first).sum()) for name in names}
    told = " and ".join(f"{many:,} {name}" for name, many in late.items() if many)
    if not told:
        return ()
    return (
        f"{told} on record are of the first day or later, and the list knows nothing of them. Is "
        f"{given.team.first_day} the day on which the team starts?",
    )


def _columns(path: Path, roles: dict[str, str]) -> pd.DataFrame:
    """Read columns, each under the name of its role."""
    from placeshaping.sources.tabular import read_table

    table = read_table(path)
    check_columns(table.columns, roles.values(), where=path.name)
    taken: dict[str, str] = {}
    for role, column in roles.items():
        if column in taken:
            msg = (
                f"{path.name}: the column {column!r} is named as {taken[column]!r} and as "
                f"{role!r}. Name one column for each."
            )
            raise RecipeError(msg)
        taken[column] = role
    return table[list(taken)].rename(columns=taken)


def _properties(given: InspectionRequest, folder: Path) -> pd.DataFrame:
    import pandas as pd

    from placeshaping._core.columns import tag_columns
    from placeshaping.sources.values import to_numbers

    one = given.properties
    unknown = sorted(set(one.tags) - set(one.features))
    if unknown:
        msg = f"properties.tags: {listed(unknown)}: no such feature. Tag features only."
        raise RecipeError(msg)
    roles = {"property": one.key, "area_code": one.area, **{name: name for name in one.features}}
    table = _columns(folder / one.file, roles)
    for name in one.features:
        numbers = to_numbers(table[name])
        if numbers.notna().sum() == table[name].notna().sum():
            table[name] = numbers
    keyed = table.dropna(subset=["property"])
    keyed = keyed.set_index(pd.Index(_key(keyed["property"]), name="property"))
    keyed = keyed.drop(columns="property")
    tag_columns(keyed, one.tags)
    return keyed


def _visits(given: InspectionRequest, folder: Path) -> pd.DataFrame:
    one = given.visits
    roles = {"property": one.key, "date": one.date, "found": one.found}
    roles |= {"inspector": one.inspector} if one.inspector else {}
    roles |= {"random": one.random} if one.random else {}
    table = _columns(folder / one.file, roles)
    for column in {"found", "random"} & set(table.columns):
        table[column] = _truths(table[column], column, one.file)
    return _dated(table, one.file)


def _truths(values: pd.Series[Any], column: str, where: str) -> pd.Series[Any]:
    """Read true and false as people write them."""
    read = values.astype("str").str.strip().str.casefold().map(_WORDS)
    odd = values[read.isna()]
    if len(odd):
        msg = (
            f"{where}: {len(odd):,} rows of the column {column!r} say neither true nor false "
            f"({listed(list(odd.astype(str).unique()))}; first in row {odd.index[0]}). Write true "
            "or false, yes or no, 1 or 0, and leave out visits where nobody got in."
        )
        raise ColumnError(msg)
    truths: pd.Series[Any] = read.astype(bool)
    return truths


def _dated(table: pd.DataFrame, where: str) -> pd.DataFrame:
    from placeshaping.sources.values import to_dates

    days = to_dates(table["date"])
    odd = table.loc[days.isna(), "date"]
    if len(odd):
        msg = (
            f"{where}: {len(odd):,} rows have no date that can be read "
            f"({listed(list(odd.astype(str).unique()))}; first in row {odd.index[0]}). Write "
            "2025-03-31 or 31/03/2025."
        )
        raise ColumnError(msg)
    return table.assign(date=days, property=_key(table["property"])).reset_index(drop=True)


def _key(values: pd.Series[Any]) -> pd.Series[Any]:
    """Return keys as texts that match whether a file wrote 12, 12.0 or 0012."""
    text = values.astype("str").str.strip().str.replace(r"\.0$", "", regex=True)
    key: pd.Series[Any] = text.str.replace(r"^0+(?=\d+$)", "", regex=True)
    return key


def _work_out(
    given: InspectionRequest,
    tables: dict[str, pd.DataFrame],
    sources: list[SourceFile],
    made_on: dt.date,
) -> InspectionReport:
    import pandas as pd

    from placeshaping.disclosure.policies import POLICIES
    from placeshaping.reports.inspection_page import InspectionReport
    from placeshaping.shaping.inspection_cases import inspection_cases, standing_on
    from placeshaping.shaping.inspection_list import audit_inspections, make_inspection_list
    from placeshaping.shaping.targeting import fit_inspections
    from placeshaping.shaping.targeting_scores import score_targeting

    visits, properties = tables["visits"], tables["properties"]
    features, complaints = given.properties.features, tables.get("complaints")
    inspector = "inspector" if given.visits.inspector else None
    cases = inspection_cases(
        visits, properties, features=features, complaints=complaints, inspector=inspector
    )
    scores = score_targeting(
        cases, inspections=given.team.share, form=given.team.form, rng=given.seed
    )
    model = fit_inspections(cases, form=given.team.form, rng=given.seed)
    standing = standing_on(
        pd.Timestamp(given.team.first_day), visits, properties, features=features,
        complaints=complaints,
    )  # fmt: skip
    made = make_inspection_list(
        standing, model, inspections=given.team.inspections, by=scores.attrs["use"],
        by_lot=given.team.by_lot, rng=given.seed,
    )  # fmt: skip
    deprivation = tables.get("deprivation")
    audit = (
        None
        if deprivation is None
        else audit_inspections(made, standing, deprivation["imd_decile"])
    )
    return InspectionReport(
        title=given.title, purpose=given.purpose, contact=given.contact,
        lawful_basis=given.lawful_basis, policy=POLICIES[given.policy], made_on=made_on,
        expires=given.expires, scores=scores, model=model, listed=made, audit=audit,
        sources=sources, cautions=_late(given, tables),
    )  # fmt: skip


def _released(given: InspectionRequest, report: InspectionReport) -> Records:
    from placeshaping.disclosure.records import release_records

    chances = dict.fromkeys(("chance", "low", "high"), 2)  # intervals bear no more digits
    return release_records(
        report.listed.round(chances),
        policy=given.policy,
        title=given.title,
        made_on=report.made_on,
        purpose=given.purpose,
        contact=given.contact,
        lawful_basis=given.lawful_basis,
        expires=given.expires,
        sources=report.sources,
    )


def _attack(paths: list[Path], policy: str, today: dt.date) -> None:
    """Refuse files that do not withstand the attacker."""
    from placeshaping.verify.files import verify_file

    for path in paths:
        if path.name.endswith("-metadata.json"):
            continue
        verdict = verify_file(path, policy=policy, today=today)
        if not verdict.passed:
            first = verdict.breaches[0]
            msg = f"{path.name} must not be written: {first.what} ({first.where}: {first.proof})."
            raise DisclosureError(msg)
