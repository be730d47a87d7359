"""Segments from a recipe: read, group, describe, protect, write, attack, hand over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.errors import GivesAwayError, MissingExtraError, RecipeError
from placeshaping._core.output import staged_folder
from placeshaping.project.segment_groups import (
    LAYER,
    Grouped,
    group_areas,
    notes_on,
    segment_labels,
    special_words,
    words_found,
    words_how_sure,
)
from placeshaping.project.segment_inputs import SegmentInputs, read_inputs
from placeshaping.project.segment_request import SegmentRecipe, make_segment_recipe

if TYPE_CHECKING:
    from placeshaping.disclosure.former import HiddenCell
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.release import Release
    from placeshaping.pages.report import ReportFigure
    from placeshaping.project.gather import Gathered
    from placeshaping.reports.segments import SegmentReport

FILES = {"map": "map.html", "report": "report.html", "layers": "layers.gpkg",
         "tables": "tables.xlsx"}  # fmt: skip
"""What each product is called; tables as CSV are called after their level."""

MANIFEST = "manifest.json"
MOST_TURNS = 6
"""How often a release is protected and attacked: what is found is hidden in the next turn."""


@dataclass(frozen=True)
class SegmentOutcome:
    """
    What a recipe has come to.

    Attributes
    ----------
    folder, files
        Where the products are.
    report
        What they say.
    """

    folder: Path
    files: tuple[Path, ...]
    report: SegmentReport

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        report = self.report
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "policy": report.release.policy.name,
            "groups": report.portraits["name"].to_dict(),
            "areas": report.portraits["areas"].to_dict(),
            "explained": round(report.explained, 3),
            "steadiness": round(report.steadiness.adjusted_rand, 3),
            "suggested": report.choice.attrs["suggested"],
            "cautions": list(report.cautions),
        }


def make_area_segments(
    recipe: str | Path | Mapping[str, Any],
    *,
    made_on: dt.date,
    folder: str | Path | None = None,
) -> SegmentOutcome:
    """
    Put the areas of a recipe into groups, and write what they are like.

    Tables that anybody can have give groups that anybody may see. A council's
    own records are protected first, and the groups are worked out from the
    protected numbers alone, so that no group tells more than those do.

    Parameters
    ----------
    recipe
        A TOML file with a section ``[segments]``, or its content.
    made_on
        Date that the products bear, where the recipe names none.
    folder
        What paths are relative to; by default the recipe's own folder, or the
        current one.

    Returns
    -------
    outcome
        ``map.html``, ``report.html``, ``layers.gpkg``, ``tables.xlsx``, CSV and
        ``manifest.json``, all of which have withstood the attacker.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If a file cannot be used, or groups cannot be made of it.
    DisclosureError
        If too much would be hidden, or a written file gives something away.
    """
    from placeshaping.project.sections import read_toml

    if isinstance(recipe, (str, Path)):
        base = Path(recipe).parent if folder is None else Path(folder)
        given = make_segment_recipe(read_toml(recipe, kind="recipe"), where=Path(recipe).name)
    else:
        base = Path() if folder is None else Path(folder)
        given = make_segment_recipe(dict(recipe))
    inputs = read_inputs(given, folder=base)
    day = given.made_on or made_on
    if inputs.gathered is None:
        report = _open_report(given, inputs, day)
        names = _write(report, given, base)
    else:
        report, names = _protected(given, inputs, inputs.gathered, base, day)
    target = base / given.output.folder
    return SegmentOutcome(target, tuple(target / name for name in names), report)


def _open_report(recipe: SegmentRecipe, inputs: SegmentInputs, day: dt.date) -> SegmentReport:
    """Group by what is published; the areas leave as facts."""
    from placeshaping.disclosure.facts import release_facts
    from placeshaping.reports.segments import NOT_FOR

    if recipe.policy is not None:
        msg = (
            "policy: all tables are published already and no records are counted, so that nothing "
            "needs protection. Leave the key out."
        )
        raise RecipeError(msg)
    grouped = group_areas(recipe, inputs, inputs.values, {})
    level = inputs.ladder.finest
    areas = inputs.ladder.areas[level][["area_name", "geometry"]]
    people = inputs.residents.reindex(areas.index).round().astype("Int64")
    compared = int(grouped.prepared.variables["used"].sum())
    released = release_facts(
        {level: areas.assign(residents=people)},
        [segment_labels(grouped, level)],
        title=recipe.title,
        subject="Areas that are alike",
        found=words_found(grouped),
        glance=[
            ("Groups", f"{len(grouped.portraits)}, of {len(grouped.segments):,} areas"),
            ("Compared by", f"{compared} shares of people and homes"),
            ("How sure", words_how_sure(grouped)),
        ],
        already_published=", ".join(inputs.addresses),
        made_on=day,
        purpose=recipe.purpose,
        contact=recipe.contact,
        notes=notes_on(recipe, grouped),
        cautions=[*special_words(recipe), *grouped.cautions],
        sources=inputs.sources,
        not_for=NOT_FOR,
    )
    return _report(recipe, grouped, released)


def _protected(
    recipe: SegmentRecipe, inputs: SegmentInputs, gathered: Gathered, base: Path, day: dt.date
) -> tuple[SegmentReport, list[str]]:
    """Group by the protected numbers of the records; hide what an attack finds, and again."""
    from placeshaping.project.attacked import hidden_further
    from placeshaping.project.former import open_former
    from placeshaping.project.segment_protect import release_groups

    with open_former(recipe, gathered, folder=base) as former:
        hidden: frozenset[HiddenCell] = frozenset()
        turns = 0
        while True:
            grouped, released = release_groups(
                recipe, inputs, gathered, made_on=day, ledger=former.ledger, also_hidden=hidden
            )
            report = _report(recipe, grouped, released)
            try:
                with former.entering(released) as enter:
                    names = _write(report, recipe, base, ledger=former.ledger, enter=enter)
                return report, names
            except GivesAwayError as error:
                hidden = hidden_further(error.findings, released, hidden)
                turns += 1
                if not hidden or turns == MOST_TURNS:
                    raise


def _report(recipe: SegmentRecipe, grouped: Grouped, released: Release) -> SegmentReport:
    from placeshaping.reports.segments import SegmentReport

    compare = recipe.segments.compare
    return SegmentReport(
        release=released,
        portraits=grouped.portraits,
        profile=grouped.profile,
        variables=grouped.prepared.variables,
        choice=grouped.choice,
        steadiness=grouped.steadiness,
        method=grouped.segments.attrs["method"],
        explained=grouped.segments.attrs["explained"],
        cautions=grouped.cautions,
        special={one.variable: one.reason for one in recipe.segments.special},
        deciles=grouped.deciles,
        agreement=grouped.agreement,
        compared_with="" if compare is None else compare.name,
        units=grouped.units,
        figure=_figure(grouped) if released.policy.shareable_map else None,
    )


def _figure(grouped: Grouped) -> ReportFigure | None:
    """Draw the choice of a number, where matplotlib is installed; a table says the same."""
    from placeshaping.reports.segment_figures import choice_figure

    try:
        return choice_figure(grouped.choice, chosen=len(grouped.portraits))
    except MissingExtraError:
        return None


def _write(
    report: SegmentReport,
    recipe: SegmentRecipe,
    base: Path,
    *,
    ledger: Ledger | None = None,
    enter: Callable[[], None] | None = None,
) -> list[str]:
    """Write all products beside their folder, attack them, and move them into place."""
    from placeshaping.layers.geopackage import write_layers
    from placeshaping.maps.area_map import area_map
    from placeshaping.reports.csvw import write_csv
    from placeshaping.reports.manifest import write_manifest
    from placeshaping.reports.segments import segment_page
    from placeshaping.reports.sheets import write_tables

    released = report.release
    wanted = {"report", *recipe.output.write}
    left = [name for kind, name in FILES.items() if kind not in wanted]
    with staged_folder(base / recipe.output.folder, remove=left) as folder:
        place = {kind: folder / name for kind, name in FILES.items() if kind in wanted}
        if "map" in place:
            area_map(released, measure=LAYER).save(place["map"])
        if "layers" in place:
            write_layers(released, place["layers"])
        if "tables" in place:
            write_tables(released, place["tables"])
        place["report"].write_text(segment_page(report), encoding="utf-8", newline="\n")
        paths = [*place.values(), *write_csv(released, folder)]
        content = recipe.model_dump(
            mode="json", by_alias=True, exclude_none=True, exclude={"secret"}
        )
        write_manifest(released, folder / MANIFEST, recipe=content, outputs=paths)
        paths.append(folder / MANIFEST)
        attack(paths, released, ledger=ledger)
        if enter is not None:
            enter()
        return [path.name for path in paths]


def attack(paths: Sequence[Path], released: Release, *, ledger: Ledger | None = None) -> None:
    """
    Refuse files that do not withstand the attacker.

    Parameters
    ----------
    paths
        All products.
    released
        What they were made from.
    ledger
        What was released before.

    Raises
    ------
    GivesAwayError
        If one gives something away.
    """
    from placeshaping.verify.files import verify_files

    policy = released.policy
    verdicts = verify_files(
        paths,
        policy=policy.name if policy.loosened or not policy.leaves else None,
        ledger=None if ledger is None else ledger.path,
        today=released.made_on,
    )
    broken = [one for one in verdicts if not one.passed]
    if not broken:
        return
    first = broken[0].breaches[0]
    msg = (
        f"{broken[0].file} gives away what the policy {policy.name!r} hides: {first.what} "
        f"({first.where}: {first.proof}). Nothing was written. Take a longer span of records, or "
        "larger areas."
    )
    raise GivesAwayError(
        msg,
        tuple(cell.rests_on for one in broken for breach in one.breaches for cell in breach.cells)
        or ((),),
    )
