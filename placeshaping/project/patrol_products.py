"""The products of a patrol request: written beside the folder, attacked, renamed as a whole."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.errors import GivesAwayError, InputError
from placeshaping._core.output import output_error, sweep

if TYPE_CHECKING:
    from placeshaping.disclosure.release import Release
    from placeshaping.project.patrol_facts import PatrolFacts
    from placeshaping.project.patrol_request import PatrolRequest
    from placeshaping.reports.transparency import TransparencyRecord

MANIFEST = "manifest.json"

FILES = {
    "map": "map.html",
    "layers": "layers.gpkg",
    "kml": "patrols.kml",
    "gpx": "patrols.gpx",
    "geojson": "patrols.geojson",
    "briefing": "briefing.pdf",
}
"""What each product is called; tables are called after their level, with their description."""


def write_products(
    request: PatrolRequest,
    released: Release,
    target: Path,
    facts: PatrolFacts,
    record: TransparencyRecord,
    *,
    when_sound: Callable[[], None],
) -> list[str]:
    """
    Write all products into a folder beside the target, attack them, and rename it.

    Parameters
    ----------
    request, facts
        For the manifest.
    released
        What the products show.
    target
        The folder to make, or to replace where it holds an answer.
    record
        For the pages of the record.
    when_sound
        Called when the products have withstood the attack, before they are
        handed over: a run that is killed in between is taken up again.

    Returns
    -------
    names
        Of the files, sorted.

    Raises
    ------
    GivesAwayError
        If a file would give something away.
    InputError
        If the folder holds something else.
    OutputError
        If it cannot be written; it is then as it was.
    """
    from placeshaping.layers.geojson import write_geojson
    from placeshaping.layers.geopackage import write_layers
    from placeshaping.layers.gpx import write_gpx
    from placeshaping.layers.kml import write_kml
    from placeshaping.maps.area_map import area_map
    from placeshaping.reports.briefing import write_briefing
    from placeshaping.reports.csvw import write_csv
    from placeshaping.reports.manifest import write_manifest

    with _whole_folder(target) as folder:
        place = {kind: folder / name for kind, name in FILES.items()}
        area_map(released, measure="patrol").save(place["map"])
        write_layers(released, place["layers"])
        write_kml(released, place["kml"])
        write_gpx(released, place["gpx"])
        write_geojson(released, place["geojson"])
        paths = [path for kind, path in place.items() if kind != "briefing"]
        paths += write_csv(released, folder)
        write_briefing(released, place["briefing"])
        told = _write_record(record, request, folder)
        manifest = folder / MANIFEST
        content = request.model_dump(mode="json", by_alias=True, exclude_none=True)
        write_manifest(
            released,
            manifest,
            recipe={**content, "checksum": facts.request},
            outputs=[*paths, place["briefing"], *told],
        )
        paths.append(manifest)
        _attack([*paths, *told], released)
        when_sound()
        return sorted(path.name for path in (*paths, place["briefing"], *told))


def _write_record(
    record: TransparencyRecord, request: PatrolRequest, folder: Path
) -> tuple[Path, ...]:
    from placeshaping.reports.atrs import Organisation, make_atrs, write_atrs
    from placeshaping.reports.transparency import write_record

    own = Organisation(**request.organisation.model_dump())
    return (*write_record(record, folder), *write_atrs(make_atrs(record, own), folder))


def _attack(paths: list[Path], released: Release) -> None:
    from placeshaping.verify.files import verify_files

    broken = [one for one in verify_files(paths, today=released.made_on) if not one.passed]
    if broken:
        first = broken[0].breaches[0]
        msg = (
            f"{broken[0].file} gives away what the policy 'police' hides: {first.what} "
            f"({first.where}: {first.proof}). Nothing was written. Take larger cells or a longer "
            "history."
        )
        raise GivesAwayError(msg, ())


@contextmanager
def _whole_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside `target` that takes its place as a whole when the block succeeds."""
    folder = target.with_name(f".{target.name}-{uuid.uuid4().hex[:8]}")
    old = target.with_name(f"{folder.name}-old")
    try:
        sweep(target)
        folder.mkdir(parents=True)
        yield folder
        if target.exists():
            _check_ours(target)
            target.replace(old)
        folder.replace(target)
        shutil.rmtree(old, ignore_errors=True)
    except OSError as error:
        raise output_error(error, target) from error
    finally:
        if old.exists() and not target.exists():
            old.replace(target)
        shutil.rmtree(folder, ignore_errors=True)


def _check_ours(target: Path) -> None:
    """Refuse to replace a folder that no request was answered into."""
    if not target.is_dir() or not (target / MANIFEST).is_file():
        msg = (
            f"output: {target.name} is there already and holds no answer to a request; it would be "
            'replaced. Name another folder: output = "answer".'
        )
        raise InputError(msg)
