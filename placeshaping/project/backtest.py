"""From a recipe with a section `[backtest]` to a folder with the report."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placeshaping._core.errors import DisclosureError, RecipeError
from placeshaping.project.backtest_request import (
    BacktestRequest,
    make_models,
    read_backtest_recipe,
)
from placeshaping.project.gather import Gathered, gather
from placeshaping.project.protect import policy_for
from placeshaping.project.recipe import Recipe

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from placeshaping.disclosure.policies import Policy
    from placeshaping.likelihood.backtest import Backtest
    from placeshaping.likelihood.history import History
    from placeshaping.likelihood.offences import Target
    from placeshaping.reports.backtest import BacktestReport


@dataclass(frozen=True, eq=False)
class BacktestOutcome:
    """
    What a backtest has come to.

    Attributes
    ----------
    folder, files
        Where the report is.
    report
        What it says.
    """

    folder: Path
    files: tuple[Path, ...]
    report: BacktestReport

    def to_dict(self) -> dict[str, Any]:
        """Return the outcome as plain values."""
        from placeshaping.reports.backtest import choices

        return {
            "folder": str(self.folder),
            "files": [path.name for path in self.files],
            "finding": self.report.lead,
            **choices(self.report),
        }


def run_backtest(
    recipe: str | Path, *, made_on: dt.date, cluster: str | None = None
) -> BacktestOutcome:
    """
    Backtest what a recipe names and write the report.

    Origins that are done are kept in the recipe's working folder: when it was
    interrupted, the same recipe goes on from there.

    Parameters
    ----------
    recipe
        A TOML file with a section `[backtest]`.
    made_on
        The day that the report bears, unless the recipe says another.
    cluster
        Where to run: ``"local"``, ``"local:N"`` or ``"tcp://host:port"`` of a
        Dask scheduler; None for this machine.

    Returns
    -------
    outcome
        Files and findings.

    Raises
    ------
    RecipeError
        If a key is missing or wrong.
    InputError
        If a file cannot be used, an offence is refused, or there are too few
        data.
    DisclosureError
        If the policy is looser than the records allow, or the page gives
        something away.
    """
    from placeshaping.reports.backtest import make_report

    path = Path(recipe)
    given, request = read_backtest_recipe(path)
    base = path.parent
    _check_apart(request)
    gathered = gather(given, folder=base)
    policy = _policy(given, gathered)
    histories = _histories(given, request, gathered, base)
    with _client(cluster) as client:
        done = {
            name: _tested(history, request, base / request.working / _stem(name), client)
            for name, history in histories.items()
        }
    report = make_report(
        done,
        title=f"{given.title}: how well would forecasts have done?",
        made_on=given.made_on or made_on,
        policy=policy,
        share=request.share,
        sources=[source for source in gathered.sources if source.role in ("records", "areas")],
        already_published=gathered.already_published,
        expires=given.expires,
        residents=_residents(request, gathered),
    )
    target = base / request.output
    return BacktestOutcome(target, _written(report, target), report)


def _check_apart(request: BacktestRequest) -> None:
    if request.working == request.output:
        msg = "backtest.working and backtest.output are one folder. Name two."
        raise RecipeError(msg)


def _policy(recipe: Recipe, gathered: Gathered) -> Policy:
    from placeshaping.disclosure.permission import check_policy, governed
    from placeshaping.reports.backtest_tables import policy_of_report

    policy = policy_of_report(policy_for(recipe, gathered))
    check_policy(
        policy,
        sensitivity=gathered.sensitivity,
        already_published=gathered.already_published,
        purpose=recipe.purpose,
        expires=recipe.expires,
        made_on=recipe.made_on,
    )
    return governed(policy, gathered.sensitivity)


def _histories(
    recipe: Recipe, request: BacktestRequest, gathered: Gathered, folder: Path
) -> dict[str, History]:
    """Make a history of every offence."""
    from placeshaping.likelihood.history import history_of_counts, history_of_events
    from placeshaping.likelihood.units import make_cells, make_units

    areas = _covered(gathered)
    targets = _targets(request, [str(c) for c in gathered.counts["category"].unique()])
    if request.grid is None and request.step == "month":
        counts = gathered.counts[gathered.counts["area_code"].isin(areas.index)]
        units = make_units(areas)
        return {
            name: history_of_counts(counts, units, target=target)
            for name, target in targets.items()
        }
    units = make_units(areas if request.grid is None else make_cells(areas, size=request.grid))
    events = _events(recipe, areas, folder, placed=request.grid is None)
    return {
        name: history_of_events(
            events,
            units,
            target=target,
            step=request.step,
            untimed=request.untimed,
            rng=request.seed,
        )
        for name, target in targets.items()
    }


def _covered(gathered: Gathered) -> gpd.GeoDataFrame:
    if gathered.covered is None:
        return gathered.areas
    return gathered.areas[gathered.areas.index.isin(gathered.covered)]


def _residents(request: BacktestRequest, gathered: Gathered) -> dict[str, pd.DataFrame]:
    """Return residents by deprivation decile of each unit, for the audit alone."""
    from placeshaping.likelihood.groups import residents_by_decile, residents_of_cells
    from placeshaping.likelihood.units import make_cells

    people, deprivation = gathered.population, gathered.deprivation
    if people is None or deprivation is None:
        return {}
    if "residents" not in people or "imd_decile" not in deprivation:
        return {}
    areas = _covered(gathered)
    table = residents_by_decile(
        deprivation["imd_decile"].reindex(areas.index), people["residents"].reindex(areas.index)
    )
    table = table.loc[:, table.sum() > 0]
    if request.grid is not None:
        table = residents_of_cells(make_cells(areas, size=request.grid), areas, table)
    return {"deprivation decile": table}


def _targets(request: BacktestRequest, present: list[str]) -> dict[str, Target]:
    """Check the offences; without names, all in the records that the public reports."""
    from placeshaping.likelihood.offences import Override, make_target
    from placeshaping.sources.offences import OFFENCE_TAGS, check_categories

    tags = {**OFFENCE_TAGS, **request.tags}
    if request.offences is None:
        names = sorted(name for name in present if tags.get(name) == "reported")
        if not names:
            msg = (
                "backtest.offences: no category of the records is known to be reported by the "
                "public. Name the offences, and with backtest.tags how they come to be recorded."
            )
            raise RecipeError(msg)
    else:
        names = check_categories(request.offences, present)
    signed = {name: Override(one.by, one.reason) for name, one in request.overrides.items()}
    groups = [names] if request.together else [[name] for name in names]
    targets = [make_target(group, tags=request.tags, overrides=signed) for group in groups]
    return {target.name: target for target in targets}


def _events(recipe: Recipe, areas: gpd.GeoDataFrame, folder: Path, *, placed: bool) -> pd.DataFrame:
    """Read the records again, with their times, and place them where areas are the places."""
    import pandas as pd

    from placeshaping.joins.points import assign_area
    from placeshaping.project.records import read_records

    tables = [file.events for file in read_records(recipe.records, folder=folder)]
    known = [table for table in tables if table is not None]
    timed = all("time" in table for table in known)
    columns = ["easting", "northing", "period", "category", *(["time"] if timed else [])]
    events = pd.concat([table.reindex(columns=columns) for table in known], ignore_index=True)
    events = events[events["easting"].notna()].reset_index(drop=True)
    if not placed:
        return events
    codes = assign_area(events, areas)
    return events.assign(area_code=codes.to_numpy())[codes.notna().to_numpy()]


def _tested(history: History, request: BacktestRequest, folder: Path, client: Any) -> Backtest:
    from placeshaping.likelihood.backtest import backtest

    origins = request.origins
    folder.parent.mkdir(parents=True, exist_ok=True)
    return backtest(
        history,
        make_models(request),
        origins=origins if isinstance(origins, int) else [day.isoformat() for day in origins],
        delay=request.delay,
        refit_every=request.refit_every,
        shares=request.shares,
        folder=folder,
        processes=request.processes,
        client=client,
    )


@contextmanager
def _client(cluster: str | None) -> Iterator[Any]:
    if cluster is None:
        yield None
        return
    from placeshaping.joins.cluster import connect

    with connect(cluster) as client:
        yield client


def _written(report: BacktestReport, target: Path) -> tuple[Path, ...]:
    """Write the report beside its folder, attack the page, and move all into place."""
    import tempfile

    from placeshaping.reports.backtest import write_report
    from placeshaping.verify.files import verify_file

    if report.policy.leaves:
        with tempfile.TemporaryDirectory() as folder:
            verdict = verify_file(write_report(report, Path(folder) / "report")[0])
        if not verdict.passed:
            first = verdict.breaches[0]
            msg = (
                f"The report gives away what the policy {report.policy.name!r} hides: {first.what} "
                f"({first.where}: {first.proof}). Nothing was written. Take more origins, or count "
                "offences together."
            )
            raise DisclosureError(msg)
    return write_report(report, target)


def _stem(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.casefold()).strip("_")
