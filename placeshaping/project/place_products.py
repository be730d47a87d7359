"""The products of the commands on places: written beside the folder, attacked, moved into place."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.errors import GivesAwayError
from placeshaping._core.output import staged_folder
from placeshaping.project.exports import former_exports
from placeshaping.project.pipeline import FILES, MANIFEST

if TYPE_CHECKING:
    from placeshaping.disclosure.records import Records
    from placeshaping.disclosure.release import Release
    from placeshaping.pages.report import ReportContent

REPORT = ("report.html", "report.md")
TABLES = ("equity", "ages", "sites")
"""Tables beside those of areas, each as a workbook and as CSV."""


def write_place_products(
    released: Release,
    target: Path,
    *,
    tables: Sequence[Records],
    report: ReportContent,
    content: Mapping[str, Any],
    policy: str | None = None,
    enter: Callable[[], None] | None = None,
) -> tuple[Path, ...]:
    """
    Write map, layers, tables and report beside `target`, attack them, and move them into place.

    Parameters
    ----------
    released
        What map, layers and tables of areas show.
    target
        The folder. Products of a former run that are not written now go.
    tables
        Tables that are not of areas.
    report
        The page in words.
    content
        The recipe, for the manifest.
    policy
        Policy by which to judge what declares no policy for all.
    enter
        Called when the files have withstood the attacker, before they are moved.

    Returns
    -------
    paths
        The files, by name.

    Raises
    ------
    GivesAwayError
        If a file gives something away; nothing is moved then.
    OutputError
        If the folder cannot be written.
    """
    from placeshaping.layers.geopackage import write_layers
    from placeshaping.maps.area_map import area_map
    from placeshaping.pages.report import render_report
    from placeshaping.pages.report_markdown import markdown_of
    from placeshaping.reports.csvw import write_csv
    from placeshaping.reports.manifest import write_manifest
    from placeshaping.reports.records import write_records
    from placeshaping.reports.sheets import write_tables

    with staged_folder(target, remove=_former(target)) as folder:
        area_map(released).save(folder / FILES["map"])
        write_layers(released, folder / FILES["layers"])
        write_tables(released, folder / FILES["tables"])
        paths = [folder / name for name in FILES.values()]
        paths += write_csv(released, folder)
        for table in tables:
            for suffix in ("xlsx", "csv"):
                paths += write_records(table, folder / f"{table.name}.{suffix}")
        for name, text in zip(REPORT, (render_report(report), markdown_of(report)), strict=True):
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
            paths.append(folder / name)
        paths.append(write_manifest(released, folder / MANIFEST, recipe=content, outputs=paths))
        _attack(paths, released, policy)
        if enter is not None:
            enter()
        names = sorted(path.name for path in paths)
    return tuple(target / name for name in names)


def _former(target: Path) -> list[str]:
    """Name what a former run may have left, where its manifest says that it was one."""
    if not (target / MANIFEST).is_file():
        return []
    own = [f"{name}.{suffix}" for name in TABLES for suffix in ("xlsx", "csv", "csv-metadata.json")]
    return [*former_exports(target), *(name for name in own if (target / name).exists())]


def _attack(paths: Sequence[Path], released: Release, policy: str | None) -> None:
    from placeshaping.verify.files import verify_files

    verdicts = verify_files(paths, policy=policy, today=released.made_on)
    broken = [one for one in verdicts if not one.passed]
    if broken:
        first = broken[0].breaches[0]
        total = sum(len(one.breaches) for one in broken)
        msg = (
            f"{broken[0].file} gives away what its policy hides: {first.what} ({first.where}: "
            f"{first.proof}). {total:,} such breaches in {len(broken)} files; nothing was written."
        )
        raise GivesAwayError(msg, ())
