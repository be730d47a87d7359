"""An index from a recipe: read, rank, describe, protect, write, attack, hand over."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.errors import GivesAwayError, RecipeError
from placeshaping._core.output import staged_folder
from placeshaping.project.index_inputs import IndexInputs, read_index_inputs
from placeshaping.project.index_measure import Measured, measure_areas
from placeshaping.project.index_request import IndexRecipe, make_index_recipe
from placeshaping.project.index_words import (
    LAYER,
    index_labels,
    notes_on,
    special_words,
    words_found,
    words_how_sure,
)
from placeshaping.project.segments import FILES, MANIFEST, MOST_TURNS, attack

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.disclosure.former import HiddenCell
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.release import Release
    from placeshaping.project.gather import Gathered
    from placeshaping.reports.index_page import IndexReport


@dataclass(frozen=True)
class IndexOutcome:
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
    report: IndexReport

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of it."""
        report = self.report
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "policy": report.release.policy.name,
            "index": report.name,
            "areas": len(report.tenths),
            "weights": report.indicators["weight"].round(4).to_dict(),
            "same_tenth": round(float(report.tenths["kept"].mean()), 3),
            "found": list(report.found),
            "cautions": list(report.cautions),
        }


def make_index(
    recipe: str | Path | Mapping[str, Any],
    *,
    made_on: dt.date,
    folder: str | Path | None = None,
) -> IndexOutcome:
    """
    Rank the areas of a recipe by indicators of its own, and write their tenths.

    Published tables give tenths that anybody may see. A council's own records
    are protected first, and the index is worked out from the protected numbers
    alone. Tenths leave; scores, ranks and the numbers behind them do not.

    Parameters
    ----------
    recipe
        A TOML file with a section ``[index]``, or its content.
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
        If a file cannot be used, or areas cannot be ranked by it.
    DisclosureError
        If too much would be hidden, or a written file gives something away.
    """
    from placeshaping.project.sections import read_toml

    if isinstance(recipe, (str, Path)):
        base = Path(recipe).parent if folder is None else Path(folder)
        given = make_index_recipe(read_toml(recipe, kind="recipe"), where=Path(recipe).name)
    else:
        base = Path() if folder is None else Path(folder)
        given = make_index_recipe(dict(recipe))
    inputs = read_index_inputs(given, folder=base)
    day = given.made_on or made_on
    if inputs.gathered is None:
        report = _open_report(given, inputs, day)
        names = _write(report, given, base)
    else:
        report, names = _protected(given, inputs, inputs.gathered, base, day)
    target = base / given.output.folder
    return IndexOutcome(target, tuple(target / name for name in names), report)


def _open_report(recipe: IndexRecipe, inputs: IndexInputs, day: dt.date) -> IndexReport:
    """Rank by what is published; the areas leave as facts."""
    from placeshaping.disclosure.facts import release_facts
    from placeshaping.reports.index_page import NOT_FOR

    if recipe.policy is not None:
        msg = (
            "policy: all tables are published already and no records are counted, so that nothing "
            "needs protection. Leave the key out."
        )
        raise RecipeError(msg)
    measured = measure_areas(recipe, inputs, inputs.values)
    level = inputs.ladder.finest
    areas = inputs.ladder.areas[level][["area_name", "geometry"]]
    people = inputs.residents.reindex(areas.index).round().astype("Int64")
    used = measured.indicators
    released = release_facts(
        {level: areas.assign(residents=people)},
        index_labels(recipe, measured, level, areas.index),
        title=recipe.title,
        subject=recipe.index.name,
        found=words_found(measured, _names(inputs)),
        glance=[
            ("Areas", f"{len(measured.tenths):,}, in tenths"),
            ("Ranked by", f"{len(used)} indicators in {used['domain'].nunique()} domains"),
            ("How sure", words_how_sure(measured)),
        ],
        already_published=", ".join(inputs.addresses),
        made_on=day,
        purpose=recipe.purpose,
        contact=recipe.contact,
        notes=notes_on(recipe, measured),
        cautions=[*special_words(recipe), *measured.cautions],
        sources=inputs.sources,
        not_for=NOT_FOR,
    )
    return _report(recipe, inputs, measured, released)


def _protected(
    recipe: IndexRecipe, inputs: IndexInputs, gathered: Gathered, base: Path, day: dt.date
) -> tuple[IndexReport, list[str]]:
    """Rank by the protected numbers of the records; hide what an attack finds, and again."""
    from placeshaping.project.attacked import hidden_further
    from placeshaping.project.former import open_former
    from placeshaping.project.index_protect import release_index

    with open_former(recipe, gathered, folder=base) as former:
        hidden: frozenset[HiddenCell] = frozenset()
        turns = 0
        while True:
            measured, released = release_index(
                recipe, inputs, gathered, made_on=day, ledger=former.ledger, also_hidden=hidden
            )
            report = _report(recipe, inputs, _shown(measured, released), released)
            try:
                with former.entering(released) as enter:
                    names = _write(report, recipe, base, ledger=former.ledger, enter=enter)
                return report, names
            except GivesAwayError as error:
                hidden = hidden_further(error.findings, released, hidden)
                turns += 1
                if not hidden or turns == MOST_TURNS:
                    raise


def _shown(measured: Measured, released: Release) -> Measured:
    """Leave only the areas whose tenth leaves: a page tells no more than the tables."""
    import dataclasses

    table = released.tables[released.levels[0]].values
    codes = set(table.loc[table[LAYER].notna(), "area_code"].astype(str))
    keep = measured.tenths.index.isin(codes)
    return dataclasses.replace(measured, tenths=measured.tenths[keep], places=measured.places[keep])


def _names(inputs: IndexInputs) -> pd.Series[str]:
    names: pd.Series[str] = inputs.ladder.areas[inputs.ladder.finest]["area_name"]
    return names


def _report(
    recipe: IndexRecipe, inputs: IndexInputs, measured: Measured, released: Release
) -> IndexReport:
    from placeshaping.reports.index_page import IndexReport

    return IndexReport(
        release=released,
        name=recipe.index.name,
        found=tuple(words_found(measured, _names(inputs))),
        tenths=measured.tenths,
        places=measured.places,
        indicators=measured.indicators,
        sensitivity=measured.sensitivity,
        beside=measured.beside,
        agreement=measured.agreement,
        method=measured.method,
        cautions=measured.cautions,
        special=tuple(special_words(recipe)),
        names=_names(inputs),
    )


def _write(
    report: IndexReport,
    recipe: IndexRecipe,
    base: Path,
    *,
    ledger: Ledger | None = None,
    enter: Callable[[], None] | None = None,
) -> list[str]:
    """Write all products beside their folder, attack them, and move them into place."""
    from placeshaping.layers.geopackage import write_layers
    from placeshaping.maps.area_map import area_map
    from placeshaping.reports.csvw import write_csv
    from placeshaping.reports.index_page import index_page
    from placeshaping.reports.manifest import write_manifest
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
        place["report"].write_text(index_page(report), encoding="utf-8", newline="\n")
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
