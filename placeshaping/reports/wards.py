"""A ward review on paper: the proposals side by side as a page, and every figure as a workbook."""

from __future__ import annotations

import datetime as dt
import io
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from placeshaping._core.codes import is_synthetic
from placeshaping._core.output import staged_file
from placeshaping.disclosure.wards import WardRelease, require_ward_release
from placeshaping.layers.items import check_suffix
from placeshaping.layers.wards import DECIMALS, all_proposals, unit_table, ward_table
from placeshaping.maps.licences import attribution
from placeshaping.pages.report import (
    ReportContent,
    ReportSection,
    ReportTable,
    render_report,
)
from placeshaping.reports.packing import Sheet, pack_workbook
from placeshaping.shaping.ward_compare import distance_table, score_table
from placeshaping.shaping.ward_scores import KINDS, Scores, score_proposal
from placeshaping.shaping.ward_words import describe_proposal
from placeshaping.shaping.wards import Proposal

METHOD = (
    "Proposals were searched for by recombination: wards that touch are merged, a random spanning "
    "tree is drawn through them, and it is cut where both sides have about the electors of whole "
    "numbers of councillors (DeFord, Duchin and Solomon 2021); between that, single units move. "
    "Parishes that fit into a ward are not parted at first.",
    "Electors per councillor of a ward are held against the average of the whole district. "
    "Compactness is 4 pi area over the square of the border (Polsby and Popper 1991): 1 is a "
    "circle.",
    "Others than these may be as good or better: the search tries many, not all. How unlike two "
    "proposals are is the share of electors who would be in another ward.",
)
"""How it was made, in sentences."""

_TITLE = Font(bold=True, size=14)
_BOLD = Font(bold=True)
_HEAD = Font(bold=True, color="FFFFFF")
_HEAD_FILL = PatternFill("solid", fgColor="12436D")
_WRAPPED = Alignment(wrap_text=True, vertical="top")


def write_review_report(released: WardRelease, path: str | Path) -> Path:
    """
    Write the report of a ward review: one page, without a script.

    Parameters
    ----------
    released
        From `disclosure.wards.release_review`.
    path
        The file to write, ending in .html.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `released` is no `WardRelease`.
    OutputError
        If the name ends otherwise, or the file cannot be written.

    Examples
    --------
    >>> write_review_report({}, "report.html")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_review_report takes a WardRelease, not ...
    """
    released = require_ward_release(released, wanted_by="write_review_report")
    path = check_suffix(path, (".html",))
    page = render_report(report_content(released))
    with staged_file(path) as staged:
        staged.write_text(page, encoding="utf-8", newline="\n")
    return path


def report_content(released: WardRelease) -> ReportContent:
    """
    Put the report of a ward review together.

    Parameters
    ----------
    released
        From `disclosure.wards.release_review`.

    Returns
    -------
    content
        As `render_report` takes it.
    """
    review = released.review
    proposals = list(all_proposals(released))
    scored = {one.name: score_proposal(review, one) for one in proposals}
    best = released.proposals[0]
    electors = review.units[["electors_now", "electors_forecast"]].sum()
    facts = [
        ("Units", f"{len(review.units):,}"),
        ("Councillors", f"{review.councillors:,}"),
        ("Electors today", f"{electors['electors_now']:,}"),
        ("Electors on the forecast", f"{electors['electors_forecast']:,}"),
        ("Proposals", f"{len(released.proposals):,}"),
    ]
    return ReportContent(
        title=released.title,
        lead=describe_proposal(review, scored[best.name], name=best.name)[0],
        facts=tuple(facts),
        cautions=released.cautions,
        sections=tuple(_sections(released, proposals, scored)),
        footer=tuple(_footer(released)),
        stamp=released.policy.stamp,
        declaration=released.declaration,
    )


def _sections(
    released: WardRelease, proposals: list[Proposal], scored: dict[str, Scores]
) -> Iterator[ReportSection]:
    review = released.review
    yield ReportSection(
        "The proposals side by side",
        sentences=(
            f"A ward passes within {100 * review.tolerance:g} % of the average on the forecast.",
        ),
        tables=tuple(_overview(released, proposals)),
    )
    for one in proposals:
        scores = scored[one.name]
        first, *rest = describe_proposal(review, scores, name=one.name)
        yield ReportSection(
            one.name,
            sentences=(first,),
            points=tuple(rest),
            tables=(_ward_rows(one, scores), *_split_rows(one, scores)),
            folded=True,
        )
    yield ReportSection("How it was made", sentences=METHOD)
    yield ReportSection("What was hidden, and why", points=released.statement)
    yield ReportSection("It must not be used", points=released.not_for)
    if released.purpose:
        yield ReportSection("What it is for", sentences=(released.purpose,))
    sources = [f"{one.role}: {one.name}, {one.checksum}" for one in released.sources]
    yield ReportSection("Sources", points=(*sources, f"Mark of the review: {review.digest}."))


def _overview(released: WardRelease, proposals: list[Proposal]) -> Iterator[ReportTable]:
    table = score_table(released.review, proposals)
    kinds = {f"split_{kind}": f"Split: {words}" for kind, words in KINDS.items()}
    known = [name for name in kinds if table[name].notna().any()]
    yield ReportTable(
        "What each proposal does; fewer and smaller is better, but for compactness",
        ("Proposal", "Wards", "Beyond the mark, forecast", "Beyond the mark, today",
         "Farthest, forecast", "Detached", "Within another", *(kinds[name] for name in known),
         "Compactness"),
        tuple(
            (
                str(name), f"{row['wards']:,}", f"{row['over_forecast']:,}", f"{row['over_now']:,}",
                f"{100 * row['largest_forecast']:.1f} %", f"{row['detached']:,}",
                f"{row['doughnuts']:,}", *(f"{int(row[kind]):,}" for kind in known),
                f"{row['compactness']:.2f}",
            )
            for name, row in table.iterrows()
        ),
    )  # fmt: skip
    distances = distance_table(released.review, proposals)
    yield ReportTable(
        "How unlike they are: share of electors who would be in another ward",
        ("Proposal", *distances.columns),
        tuple(
            (str(name), *(f"{100 * share:.0f} %" for share in row))
            for name, row in zip(distances.index, distances.to_numpy(), strict=True)
        ),
    )


def _ward_rows(proposal: Proposal, scores: Scores) -> ReportTable:
    return ReportTable(
        f"The wards of {proposal.name}",
        ("Ward", "Councillors", "Electors, forecast", "From the average", "Electors, today",
         "From the average today", "Compactness"),
        tuple(
            (
                str(ward["name"]), f"{ward['councillors']:,}", f"{ward['electors_forecast']:,}",
                f"{100 * ward['variance_forecast']:+.1f} %", f"{ward['electors_now']:,}",
                f"{100 * ward['variance_now']:+.1f} %", f"{ward['compactness']:.2f}",
            )
            for _, ward in scores.wards.iterrows()
        ),
    )  # fmt: skip


def _split_rows(proposal: Proposal, scores: Scores) -> Iterator[ReportTable]:
    if not len(scores.split):
        return
    names = scores.wards["name"]
    yield ReportTable(
        f"Places that {proposal.name} splits",
        ("Place", "Kind", "Wards"),
        tuple(
            (name, KINDS[kind], ", ".join(names[ward] for ward in wards.split(", ")))
            for kind, name, wards in scores.split.itertuples(index=False)
        ),
        words=(1, 2),
    )


def _footer(released: WardRelease) -> Iterator[str]:
    codes = [str(code) for code in released.review.units.index]
    made = f"Made on {released.made_on.day} {released.made_on:%B %Y} with "
    yield f"{made}{released.declaration['made_by']}."
    if released.contact:
        yield f"Contact: {released.contact}"
    if all(map(is_synthetic, codes)):
        yield "The place, its people and its wards are invented."
    else:
        yield from attribution(
            codes, year=released.made_on.year, published=released.already_published
        )


# ---- the workbook ----


def write_review_workbook(released: WardRelease, path: str | Path) -> Path:
    """
    Write every figure of a ward review as a workbook.

    Sheets: Notes, Proposals, the wards of each, Splits, Distances, Units. The same release
    gives the same bytes.

    Parameters
    ----------
    released
        From `disclosure.wards.release_review`.
    path
        The file to write, ending in .xlsx.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `released` is no `WardRelease`.
    OutputError
        If the name ends otherwise, or the file cannot be written.

    Examples
    --------
    >>> write_review_workbook({}, "wards.xlsx")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_review_workbook takes a WardRelease, not ...
    """
    released = require_ward_release(released, wanted_by="write_review_workbook")
    path = check_suffix(path, (".xlsx",))
    book = Workbook()
    notes = book.active
    if isinstance(notes, Worksheet):
        _write_notes(notes, released)
    sheets = {
        name: _lay_out(book.create_sheet(name), frame)
        for name, frame in review_tables(released).items()
    }
    made = dt.datetime.combine(released.made_on, dt.time())
    book.properties.creator = "placeshaping"
    book.properties.title = released.title
    book.properties.created = made
    buffer = io.BytesIO()
    book.save(buffer)
    with staged_file(path) as staged:
        pack_workbook(buffer, staged, sheets=sheets, made=made)
    return path


def review_tables(released: WardRelease) -> dict[str, pd.DataFrame]:
    """
    Return the sheets of the workbook by name.

    Parameters
    ----------
    released
        From `disclosure.wards.release_review`.

    Returns
    -------
    tables
        Proposals, the wards of each, Splits, Distances and Units; sheets
        without a row are left out.
    """
    review, proposals = released.review, list(all_proposals(released))
    scores = score_table(review, proposals).reset_index().dropna(axis=1, how="all")
    shares = ["largest_forecast", "largest_now", "compactness"]
    scores = scores.assign(**{name: scores[name].round(DECIMALS) for name in shares})
    wards = {one.name: ward_table(released, one) for one in proposals}
    splits = [score_proposal(review, one).split.assign(proposal=one.name) for one in proposals]
    away = distance_table(review, proposals)
    pairs = pd.DataFrame(
        [
            (one, other, round(float(away.loc[one, other]), DECIMALS))
            for one, other in itertools.combinations(away.index, 2)
        ],
        columns=["proposal", "other", "distance"],
    )
    tables = {
        "Proposals": scores,
        **wards,
        "Splits": _first(pd.concat(splits), "proposal"),
        "Distances": pairs,
        "Units": unit_table(released),
    }
    return {name: table.reset_index(drop=True) for name, table in tables.items() if len(table)}


def _first(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table[[column, *(name for name in table if name != column)]]


def _write_notes(sheet: Worksheet, released: WardRelease) -> None:
    sheet.title = "Notes"
    rows = [(released.title, ""), *((key, value) for key, value in released.notes)]
    for number, (key, value) in enumerate(rows, start=1):
        for column, text in ((1, key), (2, value)):
            if text == "":
                continue
            cell = sheet.cell(row=number, column=column, value=text)
            if isinstance(text, str):
                cell.data_type = "s"  # openpyxl takes a text that begins with "=" for a formula
                cell.quotePrefix = True
            cell.alignment = _WRAPPED
        head = sheet.cell(row=number, column=1)
        head.font = _TITLE if number == 1 else _BOLD
        if number == 1:
            head.alignment = Alignment()
    sheet.column_dimensions["A"].width = 24
    sheet.column_dimensions["B"].width = 100


def _lay_out(sheet: Worksheet, frame: pd.DataFrame) -> Sheet:
    """Set a sheet up; its rows are written when it is packed."""
    styles = []
    for number, name in enumerate(frame.columns, start=1):
        head = sheet.cell(row=1, column=number, value=str(name))
        head.font, head.fill = _HEAD, _HEAD_FILL
        sample = sheet.cell(row=2, column=number)
        whole = pd.api.types.is_integer_dtype(frame[name])
        if whole or pd.api.types.is_float_dtype(frame[name]):
            share = not whole and bool((np.mod(frame[name].dropna(), 1) != 0).any())
            sample.number_format = "0.000" if share else "#,##0"
        styles.append(sample.style_id)
        texts = frame[name].dropna().astype(str).str.len().max()
        width = max(len(str(name)), 0 if pd.isna(texts) else int(texts))
        sheet.column_dimensions[get_column_letter(number)].width = min(max(width + 2, 8), 40)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = f"A1:{get_column_letter(len(frame.columns))}{len(frame) + 1}"
    return Sheet(frame, styles)
