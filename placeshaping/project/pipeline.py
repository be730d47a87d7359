"""The main job: a recipe becomes a folder of products that have withstood the attacker."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.errors import GivesAwayError
from placeshaping._core.output import staged_folder
from placeshaping.project.attacked import hidden_further
from placeshaping.project.exports import EXPORTS, former_exports, write_export
from placeshaping.project.former import Former, open_former
from placeshaping.project.gather import gather
from placeshaping.project.protect import (
    check_outputs,
    protect_gathered,
    secret_of,
)
from placeshaping.project.recipe import Recipe, make_recipe, read_recipe

if TYPE_CHECKING:
    from placeshaping.disclosure.former import HiddenCell
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.release import Release

FILES = {"map": "map.html", "layers": "layers.gpkg", "tables": "tables.xlsx"}
"""What each output is called."""

MANIFEST = "manifest.json"

MOST_TURNS = 6
"""How often a release is protected and attacked: what is found is hidden in the next turn."""


@dataclass(frozen=True)
class Outcome:
    """
    What a run has made.

    Attributes
    ----------
    folder
        Where the products are.
    files
        Their paths.
    release
        What they were made from.
    """

    folder: Path
    files: tuple[Path, ...]
    release: Release

    def to_dict(self) -> dict[str, Any]:
        """Return what a program wants to know of the run."""
        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "policy": self.release.policy.name,
            "levels": list(self.release.levels),
            "statement": list(self.release.statement),
            "notes": list(self.release.notes),
            "cautions": list(self.release.cautions),
            "facts": dict(self.release.facts),
        }


def run(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    *,
    made_on: dt.date,
    folder: str | Path | None = None,
    cluster: str | None = None,
) -> Outcome:
    """
    Run a recipe: read, join, find hot spots, protect, write, attack, hand over.

    Everything is written to a temporary folder beside the output folder and
    attacked there. Only what withstands is moved into place.

    Parameters
    ----------
    recipe
        A TOML file, or its content.
    made_on
        Date that the products bear, where the recipe names none.
    folder
        What paths in the recipe are relative to; by default the recipe's own
        folder, or the current one.
    cluster
        Count the records on a Dask cluster: ``"local"``, ``"local:N"`` or
        ``"tcp://host:port"``. The products are the same.

    Returns
    -------
    outcome
        The files and the release that they were made from.

    Raises
    ------
    RecipeError
        If the recipe is wrong.
    InputError
        If an input cannot be used.
    DisclosureError
        If the policy is looser than the input allows, too much would be
        hidden, or a written file gives something away.
    OutputError
        If the folder cannot be written; it is then as it was.
    """
    if isinstance(recipe, (str, Path)):
        base = Path(recipe).parent if folder is None else Path(folder)
        recipe = read_recipe(recipe)
    else:
        base = Path() if folder is None else Path(folder)
    if not isinstance(recipe, Recipe):
        recipe = make_recipe(dict(recipe))
    target = base / recipe.output.folder
    secret = secret_of(recipe, folder=base)
    check_outputs(recipe, folder=base)
    gathered = gather(recipe, folder=base, cluster=cluster, secret=secret)
    with open_former(recipe, gathered, folder=base) as former:
        day = recipe.made_on or made_on
        also_hidden: frozenset[HiddenCell] = frozenset()
        turns = 0
        while True:
            released = protect_gathered(
                recipe, gathered, made_on=day, ledger=former.ledger, also_hidden=also_hidden
            )
            try:
                names = write_products(released, target, recipe=recipe, former=former)
                break
            except GivesAwayError as error:
                also_hidden = hidden_further(error.findings, released, also_hidden)
                turns += 1
                if not also_hidden or turns == MOST_TURNS:
                    raise
    return Outcome(target, tuple(target / name for name in names), released)


def write_products(
    released: Release,
    target: Path,
    *,
    recipe: Recipe,
    former: Former | None = None,
) -> list[str]:
    """
    Write the products of a release beside `target`, attack them, and move them into place.

    Products of a former run that this one does not write are removed: they
    may have been made under a looser policy. The release is entered in the
    ledger before its products are moved, and confirmed after: a crash in
    between leaves one that counts as out.

    Returns
    -------
    names
        Names of the files.

    Raises
    ------
    DisclosureError
        If a file gives something away; nothing is moved then.
    OutputError
        If the folder cannot be written.
    """
    from placeshaping.reports.manifest import write_manifest

    removed = [name for kind, name in FILES.items() if kind not in recipe.output.write]
    removed += former_exports(target)
    former = former or Former(None)
    with former.entering(released) as enter:
        with staged_folder(target, remove=removed) as folder:
            kinds = [kind for kind in FILES if kind in recipe.output.write]
            paths = [_write(kind, released, folder) for kind in kinds]
            for kind in EXPORTS:
                if kind in recipe.output.write:
                    paths += write_export(kind, released, folder)
            manifest = folder / MANIFEST
            content = recipe.model_dump(
                mode="json", by_alias=True, exclude_none=True, exclude={"secret"}
            )
            write_manifest(released, manifest, recipe=content, outputs=paths)
            paths.append(manifest)
            _attack(paths, released, ledger=former.ledger)
            enter()
        return [path.name for path in paths]


def _write(kind: str, released: Release, folder: Path) -> Path:
    path = folder / FILES[kind]
    if kind == "map":
        from placeshaping.maps.area_map import area_map

        area_map(released).save(path)
    elif kind == "layers":
        from placeshaping.layers.geopackage import write_layers

        write_layers(released, path)
    else:
        from placeshaping.reports.sheets import write_tables

        write_tables(released, path)
    return path


def _attack(paths: Sequence[Path], released: Release, *, ledger: Ledger | None) -> None:
    """Refuse files that do not withstand the attacker, alone or with what was released before."""
    from placeshaping.verify.files import verify_files
    from placeshaping.verify.verdict import Finding

    policy = released.policy
    named = policy.name if policy.loosened or not policy.leaves else None
    before = None if ledger is None else ledger.path
    verdicts = verify_files(paths, policy=named, ledger=before, today=released.made_on)
    broken = [verdict for verdict in verdicts if not verdict.passed]
    if broken:
        first = broken[0].breaches[0]
        total = sum(len(verdict.breaches) for verdict in broken)
        remedy = "Take a longer span, fewer categories or a coarser level."
        if broken[0].kind == "together":
            remedy = (
                "Show the periods, categories and areas that were shown before. `placeshaping "
                "ledger list` says what those were; what never left the house can be withdrawn: "
                "placeshaping ledger withdraw NUMBER --because TEXT --never-left."
            )
        msg = (
            f"{broken[0].file} gives away what the policy {policy.name!r} hides: {first.what} "
            f"({first.where}: {first.proof}). {total:,} such breaches in {len(broken)} files; "
            f"nothing was written. {remedy}"
        )
        found = tuple(
            finding.rests_on
            for verdict in broken
            for breach in verdict.breaches
            for finding in breach.cells or (Finding("", ""),)
        )
        raise GivesAwayError(msg, found)
