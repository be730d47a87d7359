"""From what was gathered to a release: choose the detail, merge, analyse, protect."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from placeshaping._core.errors import DisclosureError, HiddenError, OutputError, RecipeError
from placeshaping._core.provenance import SourceFile
from placeshaping.project.gather import Gathered
from placeshaping.project.notes import record_notes
from placeshaping.project.recipe import Recipe

if TYPE_CHECKING:
    from placeshaping.areas.ladder import Ladder
    from placeshaping.disclosure.adaptive import Partition
    from placeshaping.disclosure.coarsening import Detail
    from placeshaping.disclosure.former import HiddenCell
    from placeshaping.disclosure.ledger import Ledger
    from placeshaping.disclosure.policies import Policy
    from placeshaping.disclosure.release import Release
    from placeshaping.disclosure.secret import Secret
    from placeshaping.hotspots.study import Study

_MOST_TRIED = 6
"""Ways to show time and categories that are tried before the finest level is given up."""

GUESSABLE = 1_000
"""Rows of records under which a checksum could be guessed from a protected table."""


def protect_gathered(
    recipe: Recipe,
    gathered: Gathered,
    *,
    made_on: dt.date,
    ledger: Ledger | None = None,
    also_hidden: Collection[HiddenCell] = (),
) -> Release:
    """
    Analyse what was gathered and protect it under the recipe's policy.

    Where the recipe names no policy it is `open` for records that are
    published already and `public` for all others. Under a policy that
    protects, periods and categories are coarsened first where the recipe
    allows it, then areas in which too little was recorded are merged. Where
    the finest level could not be shown all the same, because numbers that are
    hidden for others' sake come on top, coarser periods and categories are
    tried before that level is given up.

    Parameters
    ----------
    recipe
        What to show, and for whom.
    gathered
        The inputs.
    made_on
        Date that the product bears.
    ledger
        What was released before.
    also_hidden
        Cells that an attack has named: level, area, period and category.

    Raises
    ------
    DisclosureError
        If the policy is looser than the input allows, or too much would be hidden.
    """
    from placeshaping.areas.ladder import make_ladder
    from placeshaping.disclosure.permission import governed
    from placeshaping.disclosure.release import release

    _check_sensitive(recipe, gathered)
    published = _published(gathered)
    policy = policy_for(recipe, gathered)
    ladder = make_ladder(gathered.areas, gathered.lookup, levels=recipe.areas.levels)
    strict = governed(policy, gathered.sensitivity)
    details = _details(recipe, gathered, ladder, strict)
    partition = _partition(recipe, gathered, ladder, strict)
    merging: tuple[str, ...] = ()
    if partition is not None:
        gathered, merging = _merged(gathered, partition)
        ladder = make_ladder(gathered.areas, gathered.lookup, levels=recipe.areas.levels)

    sectors = None
    if gathered.postcodes is not None:
        from placeshaping.joins.sectors import sectors_of

        sectors = sectors_of(gathered.postcodes, gathered.areas)

    def made(detail: Detail | None) -> Release:
        return release(
            _analysed(recipe, gathered, ladder, detail),
            policy=policy,
            title=recipe.title,
            made_on=made_on,
            subject=gathered.subject,
            purpose=recipe.purpose,
            contact=recipe.contact,
            sensitivity=gathered.sensitivity,
            already_published=published,
            sensitive=recipe.show.sensitive,
            expires=recipe.expires,
            ledger=ledger,
            also_hidden=also_hidden,
            dataset=recipe.dataset,
            sources=[guarded(one) if policy.protects else one for one in gathered.sources],
            notes=record_notes(gathered, recipe, policy=policy),
            changes=[*([detail.sentence] if detail else []), *merging],
            places=gathered.places,
            sectors=sectors,
        )

    return _finest(made, details, wanted=_finest_allowed(ladder, policy))


def _check_sensitive(recipe: Recipe, gathered: Gathered) -> None:
    """Refuse a sensitive category that there is not, before anything is worked out."""
    from placeshaping.disclosure.coarsening import labels_offered
    from placeshaping.disclosure.protection import check_sensitive

    names = gathered.counts["category"].dropna().unique()
    known = labels_offered(names, groups=recipe.show.groups, total=gathered.total)
    check_sensitive(recipe.show.sensitive, known)


def _analysed(recipe: Recipe, gathered: Gathered, ladder: Ladder, detail: Detail | None) -> Study:
    from placeshaping.hotspots.study import analyse

    show = recipe.show
    shown = None if detail is None else {*detail.labels, gathered.total}
    study = analyse(
        gathered.counts,
        ladder,
        population=gathered.population if "rates" in show.statistics else None,
        deprivation=gathered.deprivation if "deprivation" in show.statistics else None,
        over={k: of for k, of in show.denominators.items() if shown is None or k in shown},
        by=detail.by if detail else show.by,
        groups=detail.groups if detail else show.groups,
        total=gathered.total,
        hot_spots_of=show.hot_spots_of if "hot_spots" in show.statistics else None,
        covered=gathered.covered,
    )
    if not show.find:
        return study
    from placeshaping.hotspots.finders import find_labels

    return study.with_labels(*(find_labels(name, study, gathered.counts) for name in show.find))


def _finest_allowed(ladder: Ladder, policy: Policy) -> str | None:
    return next((level for level in ladder.levels if policy.lets_out(level)), None)


def _finest(
    made: Callable[[Detail | None], Release],
    details: Iterator[Detail | None],
    *,
    wanted: str | None,
) -> Release:
    """Return the first release that shows the level wanted, else the first that shows any."""
    first: Release | None = None
    refused: HiddenError | None = None
    for detail in islice(details, _MOST_TRIED):
        try:
            one = made(detail)
        except HiddenError as error:
            refused = refused or error
            continue
        if wanted in (None, *one.levels):
            return one
        first = first or one
    if first is None:
        raise refused or HiddenError
    return first


def policy_for(recipe: Recipe, gathered: Gathered) -> Policy:
    """Return the recipe's policy; without one `open` for what is published already."""
    return policy_of(recipe, default="open" if _published(gathered) else "public")


def _published(gathered: Gathered) -> str | None:
    return gathered.already_published if gathered.sensitivity == "open" else None


def policy_of(recipe: Recipe, *, default: str) -> Policy:
    """Return the policy that the recipe names, or a council's own that stands in it."""
    from placeshaping.disclosure.own_policies import make_policy
    from placeshaping.disclosure.policies import policy_named

    if isinstance(recipe.policy, Mapping):
        return make_policy(recipe.policy)
    return policy_named(recipe.policy or default)


def check_outputs(recipe: Recipe, *, folder: Path) -> None:
    """
    Refuse outputs that the recipe's policy does not allow, before anything is read.

    Raises
    ------
    DisclosureError
        If there is no such policy, it makes no map that could be passed on,
        or the purpose or last day that it needs is missing.
    RecipeError
        If products would lie among the inputs.
    OutputError
        If the folder is a file.
    FileFormatError, LockedFileError
        If the ledger is damaged, newer than this program, or held.
    """
    from placeshaping.disclosure.former import is_remembered
    from placeshaping.disclosure.ledger import open_ledger
    from placeshaping.disclosure.permission import check_terms

    inputs = [records.file for records in recipe.records]
    inputs += [recipe.areas.file, *recipe.areas.lookups]
    inputs += [recipe.deprivation.file] if recipe.deprivation else []
    target = (folder / recipe.output.folder).resolve()
    for name in inputs:
        if (folder / name).resolve().parent == target:
            msg = (
                f"output.folder: products would lie beside the input {Path(name).name}, and could "
                "replace it. Name a folder of their own: folder = 'products'."
            )
            raise RecipeError(msg)
    if target.is_file():
        msg = f"output.folder: {recipe.output.folder} is a file. Name a folder."
        raise OutputError(msg)
    policy = policy_of(recipe, default="public")
    check_terms(policy, recipe.purpose, recipe.expires, recipe.made_on)
    if recipe.ledger is not None and is_remembered(policy) and (folder / recipe.ledger).exists():
        open_ledger(folder / recipe.ledger, create=False).close()  # damaged, locked, or too new
    if "map" not in recipe.output.write or (policy.shareable_map and policy.counts_shown):
        return
    why = "shows no counts" if policy.shareable_map else "makes no map that could be passed on"
    msg = (
        f"Policy {policy.name!r} {why}: write layers and tables alone. "
        "In the recipe, under [output]: write = ['layers', 'tables']."
    )
    raise DisclosureError(msg)


def secret_of(recipe: Recipe, *, folder: Path) -> Secret | None:
    """
    Read the secret of a recipe whose policy changes counts by the keys of their records.

    Raises
    ------
    RecipeError
        If it names none.
    DisclosureError
        If the secret lies in the project's folder, or can be guessed.
    """
    if policy_of(recipe, default="public").method != "cell_key":
        return None
    from placeshaping.disclosure.secret import read_secret

    if recipe.secret is None:
        msg = (
            "secret: the policy's method 'cell_key' needs a file with a key, outside this folder: "
            "secret = '../key.txt'"
        )
        raise RecipeError(msg)
    return read_secret(folder / recipe.secret, outside=[folder, folder / recipe.output.folder])


def _details(
    recipe: Recipe, gathered: Gathered, ladder: Ladder, policy: Policy
) -> Iterator[Detail | None]:
    """Yield ways to show time and categories, of least loss first; None where nothing is hidden."""
    if policy.threshold == 0:
        yield None
        return
    from placeshaping.disclosure.coarsening import details_by_loss

    yield from details_by_loss(
        gathered.counts,
        ladder,
        policy=policy,
        by=recipe.show.by,
        groups=recipe.show.groups,
        total=gathered.total,
        sensitive=recipe.show.sensitive,
        covered=gathered.covered,
        keep=recipe.show.detail == "keep",
    )


def _partition(
    recipe: Recipe, gathered: Gathered, ladder: Ladder, policy: Policy
) -> Partition | None:
    """Say which areas are shown with neighbours, because too little was recorded in them."""
    if not recipe.areas.merge or policy.threshold == 0:
        return None
    from placeshaping.disclosure.adaptive import merge_areas

    partition = merge_areas(
        gathered.counts, gathered.areas, ladder, policy=policy, covered=gathered.covered
    )
    return partition if partition.facts["merged"] else None


def _merged(gathered: Gathered, partition: Partition) -> tuple[Gathered, tuple[str, ...]]:
    """Put the tables of merged areas together, and say what was merged."""
    from placeshaping.disclosure.merged import apply_partition

    tables = apply_partition(
        partition,
        areas=gathered.areas,
        counts=gathered.counts,
        lookup=gathered.lookup,
        population=gathered.population,
        deprivation=gathered.deprivation,
        covered=gathered.covered,
    )
    members = partition.members().groupby("whole")["part"].agg(" ".join)
    merged = dataclasses.replace(
        gathered,
        areas=tables.areas.assign(members=members.reindex(tables.areas.index)),
        counts=tables.counts,
        lookup=gathered.lookup if tables.lookup is None else tables.lookup,
        population=tables.population,
        deprivation=tables.deprivation,
        covered=tables.covered,
    )
    return merged, tables.notes


def guarded(source: SourceFile) -> SourceFile:
    """
    Leave out what would give records back: their exact number, and a guessable checksum.

    Whoever knows the layout of a small file of counts can try all that are
    left by rounding until the checksum fits.

    Parameters
    ----------
    source
        Any input file.

    Returns
    -------
    source
        The same, unless it holds records.

    Examples
    --------
    >>> guarded(SourceFile("records", "crime.csv", "ab12", rows=14)).rows is None
    True
    """
    if source.role != "records":
        return source
    few = source.rows is None or source.rows < GUESSABLE
    return dataclasses.replace(source, rows=None, sha256=None if few else source.sha256)
