"""From a recipe with a section `[evaluation]` to a folder with the report."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.checks import listed, near_names
from placeshaping._core.errors import DisclosureError, RecipeError, UnmatchedError
from placeshaping.project.evaluate_request import EvaluationRequest, read_evaluation_recipe
from placeshaping.project.gather import Gathered, gather
from placeshaping.project.protect import policy_for
from placeshaping.project.recipe import Recipe

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.policies import Policy
    from placeshaping.reports.evaluation import EvaluationReport
    from placeshaping.shaping.evaluation import Panel


@dataclass(frozen=True, eq=False)
class EvaluationOutcome:
    """
    What an evaluation has come to.

    Attributes
    ----------
    folder, files
        Where the report is.
    report
        What it says.
    """

    folder: Path
    files: tuple[Path, ...]
    report: EvaluationReport

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        from placeshaping.reports.evaluation import record_of

        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            **record_of(self.report),
        }


def run_evaluation(recipe: str | Path, *, made_on: dt.date) -> EvaluationOutcome:
    """
    Evaluate what a recipe names and write the report.

    Parameters
    ----------
    recipe
        A TOML file with a section `[evaluation]`.
    made_on
        The day that the report bears, unless the recipe says another.

    Returns
    -------
    outcome
        Files and findings.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If an area is not known, or there are too few areas, periods or records.
    DisclosureError
        If the policy is looser than the records allow, hides what would be
        told, or a written file gives something away, by itself or together
        with what was released before.
    """
    from placeshaping.disclosure.panel_entries import entries_of_panel
    from placeshaping.disclosure.panels import protect_panel
    from placeshaping.project.former import open_former
    from placeshaping.reports.evaluation import make_evaluation

    path = Path(recipe)
    given, request = read_evaluation_recipe(path)
    gathered = gather(given, folder=path.parent)
    day = given.made_on or made_on
    policy = _policy(given, gathered, day)
    areas, counts = _at_level(request, gathered)
    categories = _categories(request, counts)
    treated = resolve_areas(request.treated, areas, what="treated")
    panel = _panel(request, areas, counts[counts["category"].isin(categories)], treated)
    protected = protect_panel(
        panel,
        policy=policy,
        sensitive=bool(set(categories) & set(given.show.sensitive)),
        block=request.block,
    )
    report = make_evaluation(
        protected,
        title=given.title,
        what=_what(request, gathered, categories),
        measure=request.measure,
        where=_names(areas, treated),
        made_on=day,
        synthetic=request.synthetic,
        rng=request.seed,
        sources=gathered.sources,
        already_published=gathered.already_published,
        expires=given.expires,
        purpose=given.purpose,
        contact=given.contact,
    )
    target = path.parent / request.output
    with open_former(given, gathered, folder=path.parent) as former:
        entries = entries_of_panel(
            protected,
            panel.roles,
            parts=_parts(request, gathered),
            categories=categories,
            dataset=given.dataset or gathered.subject,
            title=given.title,
            made_on=day,
        )
        with former.entering_checked(entries) as enter:
            files = _written(report, target, enter)
    return EvaluationOutcome(target, files, report)


def _parts(request: EvaluationRequest, gathered: Gathered) -> dict[str, list[str]]:
    """Return the smallest areas of each larger one."""
    if request.level is None:
        return {}
    codes = gathered.lookup[f"{request.level}_code"].dropna().astype(str)
    return {str(code): list(map(str, own.index)) for code, own in codes.groupby(codes)}


def _policy(recipe: Recipe, gathered: Gathered, day: dt.date) -> Policy:
    from placeshaping.disclosure.permission import check_policy, governed
    from placeshaping.reports.backtest_tables import policy_of_report

    policy = policy_of_report(policy_for(recipe, gathered))
    check_policy(
        policy,
        sensitivity=gathered.sensitivity,
        already_published=gathered.already_published,
        purpose=recipe.purpose,
        expires=recipe.expires,
        made_on=day,
    )
    return governed(policy, gathered.sensitivity)


def _at_level(
    request: EvaluationRequest, gathered: Gathered
) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """Return areas and counts, of larger areas where the request names a level."""
    areas, counts = gathered.areas, gathered.counts
    if gathered.covered is not None:
        areas = areas[areas.index.isin(gathered.covered)]
    counts = counts[counts["area_code"].isin(areas.index)]
    if request.level is None:
        return areas, counts
    column = f"{request.level}_code"
    if column not in gathered.lookup:
        known = [str(c).removesuffix("_code") for c in gathered.lookup if str(c).endswith("_code")]
        near = near_names(request.level, known)
        hint = f" Did you mean {listed(near)}?" if near else ""
        told = f"they lead to {listed(known)}" if known else "the recipe names none"
        msg = f"evaluation.level: {request.level!r} is in no lookup; {told}.{hint}"
        raise RecipeError(msg)
    code = gathered.lookup[column].reindex(areas.index)
    larger = areas[["geometry"]].assign(larger=code.to_numpy()).dissolve(by="larger")
    larger = larger.rename_axis("area_code")
    named = f"{request.level}_name"
    if named in gathered.lookup:
        names = gathered.lookup.drop_duplicates(column).set_index(column)[named]
        larger["area_name"] = names.reindex(larger.index)
    moved = counts.assign(area_code=counts["area_code"].astype(str).map(code.to_dict()))
    return larger, moved


def _categories(request: EvaluationRequest, counts: pd.DataFrame) -> list[str]:
    present = sorted(str(name) for name in counts["category"].unique())
    if request.categories is None:
        return present
    lost = [name for name in request.categories if name not in present]
    if lost:
        near = near_names(lost[0], present)
        hint = (
            f" Did you mean {listed(near)}?" if near else f" There are: {listed(present, most=20)}."
        )
        msg = f"evaluation.categories: {listed(lost)} is not in the records.{hint}"
        raise RecipeError(msg)
    return list(dict.fromkeys(request.categories))


def resolve_areas(given: Sequence[str], areas: pd.DataFrame, *, what: str) -> list[str]:
    """
    Return the codes of areas that are named by code or by name.

    Parameters
    ----------
    given
        Codes or names.
    areas
        Indexed by code, with ``area_name`` where names are known.
    what
        What they are, for messages.

    Returns
    -------
    codes
        Each once, in the order given.

    Raises
    ------
    UnmatchedError
        If one is not known, or a name is that of several areas.

    Examples
    --------
    >>> import pandas as pd
    >>> areas = pd.DataFrame({"area_name": ["Marsh", "Fen"]}, index=["E1", "E2"])
    >>> resolve_areas(["fen", "E1"], areas, what="treated")
    ['E2', 'E1']
    >>> resolve_areas(["Fenn"], areas, what="treated")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.UnmatchedError: evaluation.treated: 1 of 1 areas is not known: Fenn...
    """
    by_name: dict[str, list[str]] = {}
    for code, name in areas.get("area_name", {}).items():
        by_name.setdefault(str(name).casefold(), []).append(str(code))
    found: list[str] = []
    lost: list[str] = []
    for one in given:
        codes = [one] if one in areas.index else by_name.get(one.casefold(), [])
        if len(codes) > 1:
            msg = f"evaluation.{what}: {one} is the name of {len(codes)} areas: {listed(codes)}."
            raise UnmatchedError(msg)
        (found if codes else lost).append(codes[0] if codes else one)
    if lost:
        names = [str(name) for name in areas.get("area_name", ())]
        near = near_names(lost[0], [*map(str, areas.index), *names])
        hint = (
            f" For {lost[0]}: did you mean {listed(near)}?" if near else " Check codes and names."
        )
        msg = (
            f"evaluation.{what}: {len(lost):,} of {len(given):,} areas "
            f"{'is' if len(lost) == 1 else 'are'} not known: {listed(lost)}.{hint}"
        )
        raise UnmatchedError(msg)
    return list(dict.fromkeys(found))


def _panel(
    request: EvaluationRequest, areas: gpd.GeoDataFrame, counts: pd.DataFrame, treated: list[str]
) -> Panel:
    from placeshaping.shaping.evaluation import make_panel, rings_around

    rings = None
    if request.ring_metres is not None:
        rings = rings_around(areas, treated, metres=request.ring_metres)
    elif request.rings:
        rings = rings_around(areas, treated, steps=request.rings)
    named = request.comparison
    return make_panel(
        counts,
        treated=treated,
        start=f"{request.start}-01",
        comparison=None if named is None else resolve_areas(named, areas, what="comparison"),
        rings=rings,
        areas=areas,
        before=request.before,
        after=request.after,
    )


def _what(request: EvaluationRequest, gathered: Gathered, categories: list[str]) -> str:
    from placeshaping._core.words import uncapitalised

    if request.categories is None:
        return gathered.subject
    first, *rest = categories
    *others, last = [first, *(uncapitalised(name) for name in rest)]
    return f"{', '.join(others)} and {last}" if others else last


def _names(areas: gpd.GeoDataFrame, codes: list[str]) -> list[str]:
    from placeshaping._core.words import name_areas

    return name_areas(codes, areas.get("area_name"))


def _written(report: EvaluationReport, target: Path, enter: Callable[[], None]) -> tuple[Path, ...]:
    """Write the report beside its folder, attack its numbers, enter it, and move all into place."""
    import tempfile

    from placeshaping.reports.evaluation import write_evaluation
    from placeshaping.verify.files import verify_file

    if report.protected.policy.leaves:
        with tempfile.TemporaryDirectory() as folder:
            files = write_evaluation(report, Path(folder) / "report")
            judged = [f for f in files if f.suffix in (".html", ".json")]
            verdicts = [verify_file(file) for file in judged]
        breaches = [b for verdict in verdicts for b in verdict.breaches]
        if breaches:
            first = breaches[0]
            msg = (
                f"The report gives away what the policy {report.protected.policy.name!r} hides: "
                f"{first.what} ({first.where}: {first.proof}). Nothing was written. Take longer "
                "periods, or count categories together."
            )
            raise DisclosureError(msg)
    enter()
    return write_evaluation(report, target)
