"""
How well models would have done: forecasts from past origins, scored by what came.

At each origin a model sees the history up to it, less the reporting delay, and
nothing after. Its parameters are learned anew every so many origins, starting from
the former ones, and in between only its history is updated. Origins are worked off
in chains of a few refits, which start cold: chains can run side by side and be
taken up again, and the answer is the same however many ran at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_whole, listed
from placeshaping._core.errors import DuplicateError, EmptyError
from placeshaping._core.optional import require
from placeshaping._core.progress import track
from placeshaping.likelihood._threads import one_thread
from placeshaping.likelihood.backtest_files import BacktestFolder
from placeshaping.likelihood.history import History
from placeshaping.likelihood.plan import Plan, choose_origins, digests_of
from placeshaping.likelihood.protocol import Fitted, Model
from placeshaping.likelihood.windows import SHARES, score_window


@dataclass(frozen=True, eq=False)
class Backtest:
    """
    Scores of models at past origins.

    Attributes
    ----------
    history
        All of it, what came after the origins too.
    models
        Names, and the options behind each.
    plan
        Which origins, and how each was treated.
    scores
        One row for each origin (``period``), ``model`` and ``share``: the
        columns of `windows.score_window`, and ``reason``: why a model had no
        forecast there, empty where it had one.
    flags
        One row for each origin, model and unit that is flagged at the largest
        share: ``unit`` (position) and a column for each share, ``part_0.05``.
    parameters
        One row for each refit, model and parameter: ``period``, ``model``,
        ``parameter``, ``value`` (as text).
    """

    history: History = field(repr=False)
    models: dict[str, str]
    plan: Plan
    scores: pd.DataFrame = field(repr=False)
    flags: pd.DataFrame = field(repr=False)
    parameters: pd.DataFrame = field(repr=False)

    @property
    def periods(self) -> pd.DatetimeIndex:
        """First moments of the steps that were forecast."""
        return self.history.periods[list(self.plan.origins)]


def backtest(
    history: History,
    models: Sequence[Model],
    *,
    origins: int | Sequence[str | pd.Timestamp] = 24,
    delay: int = 0,
    refit_every: int = 1,
    shares: Sequence[float] = SHARES,
    c_max: float = 0.1,
    folder: str | Path | None = None,
    processes: int = 1,
    client: Any = None,
) -> Backtest:
    """
    Forecast from past origins and score the forecasts by what came.

    Parameters
    ----------
    history
        All that is known now.
    models
        Models with unlike names.
    origins
        The steps to forecast: the last so many, or their dates. Steps without
        data are refused.
    delay
        Steps of reporting delay: what is known at an origin ends so many steps
        before it.
    refit_every
        Parameters are learned anew at every so manyth origin; histories are
        updated at each.
    shares
        Shares of the area that are flagged.
    c_max
        Largest coverage of the area under the hit-rate curve.
    folder
        Where the results of each origin are kept. An interrupted backtest goes
        on from there; one of another configuration is refused.
    processes
        How many origins' chains run side by side. More than one needs
        ``if __name__ == "__main__":`` in scripts.
    client
        A Dask client (`joins.cluster.connect`) to run chains on instead.

    Returns
    -------
    backtest
        The same whatever `processes`, `client` and `folder`.

    Raises
    ------
    InputError
        If origins have no data or no history before them, an option makes no
        sense, or `folder` holds a backtest of another configuration.
    DuplicateError
        If two models have one name.
    EmptyError
        If no model has a forecast at any origin.

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.likelihood.baselines import TrailingCounts
    >>> from placeshaping.likelihood.history import history_of_counts
    >>> from placeshaping.likelihood.units import make_units
    >>> shapes = [box(i * 900, 0, i * 900 + 900, 900) for i in range(4)]
    >>> areas = gpd.GeoDataFrame(geometry=shapes, index=list("abcd"), crs=27700)
    >>> months = pd.date_range("2024-01-01", periods=6, freq="MS")
    >>> counts = pd.DataFrame(
    ...     {
    ...         "area_code": np.tile(list("abcd"), 6),
    ...         "period": np.repeat(months, 4),
    ...         "category": "Burglary",
    ...         "count": [5, 1, 0, 0] * 6,
    ...     }
    ... )
    >>> history = history_of_counts(counts, make_units(areas), target="Burglary")
    >>> done = backtest(history, [TrailingCounts("all")], origins=2, shares=[0.25])
    >>> done.scores[["period", "n", "N", "pai"]].to_numpy().tolist()
    [[Timestamp('2024-05-01 00:00:00'), 5.0, 6.0, 3.33...], [...]]
    """
    plan = Plan(
        origins=choose_origins(history, origins, check_whole(delay, name="delay", least=0)),
        delay=delay,
        refit_every=check_whole(refit_every, name="refit_every"),
        shares=tuple(float(share) for share in shares),
        c_max=float(c_max),
    )
    names = [model.name for model in models]
    if len(set(names)) < len(names) or not names:
        msg = f"Models need names of their own; these are {listed(names)}."
        raise DuplicateError(msg)
    options = {model.name: repr(model) for model in models}
    kept = BacktestFolder(folder, digests_of(history, options, plan)) if folder else None
    work = Work(history, tuple(models), plan, kept)
    results = _run(work, check_whole(processes, name="processes"), client)
    tables = [
        pd.concat([getattr(one, name) for one in results], ignore_index=True)
        for name in ("scores", "flags", "parameters")
    ]
    if tables[0]["reason"].ne("").all():
        msg = f"No model has a forecast at any origin: {tables[0]['reason'].iloc[0]}"
        raise EmptyError(msg)
    return Backtest(history, options, plan, *tables)


@dataclass(frozen=True, eq=False)
class OriginResult:
    """
    What one origin gave; see `Backtest` for the tables.

    Attributes
    ----------
    origin
        Position of the step in the history.
    scores, flags, parameters
        The rows of this origin.
    """

    origin: int
    scores: pd.DataFrame
    flags: pd.DataFrame
    parameters: pd.DataFrame


@dataclass(frozen=True, eq=False)
class Work:
    """Everything that a process needs to work off a chain."""

    history: History
    models: tuple[Model, ...]
    plan: Plan
    folder: BacktestFolder | None

    def chain(self, origins: Sequence[int]) -> list[OriginResult]:
        """Return the results of a chain, computed or read."""
        return list(self.results(origins))

    def results(self, origins: Sequence[int]) -> Iterator[OriginResult]:
        """Give the results of a chain one by one; what lies in the folder is read."""
        left = [origin for origin in origins if not self._is_done(origin)]
        fits: dict[str, Fitted | str] = {}
        for number, origin in enumerate(origins):
            refit = number % self.plan.refit_every == 0
            if refit and left and left[-1] >= origin:
                with one_thread():
                    fits = self._refitted(origin, fits)
            if self.folder is not None and origin not in left:
                yield OriginResult(origin, *self.folder.read(self.period(origin)))
                continue
            with one_thread():
                result = self._scored(origin, fits, refit)
            if self.folder is not None:
                tables = (result.scores, result.flags, result.parameters)
                self.folder.write(self.period(origin), tables)
            yield result

    def _is_done(self, origin: int) -> bool:
        return self.folder is not None and self.folder.holds(self.period(origin))

    def period(self, origin: int) -> pd.Timestamp:
        """Return the first moment of an origin's step."""
        return pd.Timestamp(self.history.periods[origin])

    def _known(self, origin: int) -> History:
        return self.history.cut(origin - self.plan.delay)

    def _refitted(self, origin: int, former: dict[str, Fitted | str]) -> dict[str, Fitted | str]:
        """Fit every model; where one cannot be, say why."""
        known = self._known(origin)
        fits: dict[str, Fitted | str] = {}
        for model in self.models:
            warm = former.get(model.name)
            try:
                fits[model.name] = model.fit(known, warm=warm if isinstance(warm, Fitted) else None)
            except EmptyError as error:
                fits[model.name] = str(error)
        return fits

    def _scored(self, origin: int, fits: dict[str, Fitted | str], refit: bool) -> OriginResult:
        known, period = self._known(origin), self.period(origin)
        scores, flags, parameters = [], [], []
        for name, fitted in fits.items():
            table, flagged = self._forecast_scored(origin, known, fitted)
            scores.append(table.assign(period=period, model=name))
            flags.append(self._flag_rows(flagged).assign(period=period, model=name))
            if refit and isinstance(fitted, Fitted):
                rows = [(period, name, key, str(v)) for key, v in fitted.parameters.items()]
                parameters.extend(rows)
        return OriginResult(
            origin,
            pd.concat(scores, ignore_index=True),
            pd.concat(flags, ignore_index=True),
            pd.DataFrame(parameters, columns=["period", "model", "parameter", "value"]),
        )

    def _forecast_scored(
        self, origin: int, known: History, fitted: Fitted | str
    ) -> tuple[pd.DataFrame, NDArray[np.float64]]:
        """Return the scores of one model at one origin, or why there are none."""
        plan, history = self.plan, self.history
        if isinstance(fitted, Fitted):
            try:
                forecast = fitted.update(known).forecast(plan.delay + 1)
            except EmptyError as error:
                fitted = str(error)
            else:
                table, flagged = score_window(
                    history.at(origin),
                    forecast.expected[:, -1],
                    forecast.size[:, -1],
                    history.units,
                    training=known.total(),
                    shares=plan.shares,
                    c_max=plan.c_max,
                    outside=int(history.outside[origin]),
                )
                return table.assign(reason=""), flagged
        none = np.zeros((len(plan.shares), len(history.units)))
        return pd.DataFrame({"share": plan.shares, "reason": fitted}), none

    def _flag_rows(self, flagged: NDArray[np.float64]) -> pd.DataFrame:
        units = np.flatnonzero(flagged.max(axis=0) > 0)
        parts = {
            part_column(share): part[units].astype(np.float32)
            for share, part in zip(self.plan.shares, flagged, strict=True)
        }
        return pd.DataFrame({"unit": units.astype(np.int32), **parts})


def part_column(share: float) -> str:
    """
    Name the column of `Backtest.flags` that holds the flags of a share.

    Examples
    --------
    >>> part_column(0.05)
    'part_0.05'
    """
    return f"part_{share:g}"


def _run(work: Work, processes: int, client: Any) -> list[OriginResult]:
    chains, total = work.plan.chains, len(work.plan.origins)
    if client is not None:
        results = _on_cluster(client, work)
    elif processes > 1 and len(chains) > 1:
        results = _side_by_side(work, min(processes, len(chains)))
    else:
        results = (result for chain in chains for result in work.results(chain))
    done = list(track(results, label="Backtesting", total=total))
    return sorted(done, key=lambda result: result.origin)


def _side_by_side(work: Work, processes: int) -> Iterator[OriginResult]:
    # Not forked: a forked process inherits the locks of threads that it does not have.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(work.chain, chain) for chain in work.plan.chains]
        try:
            for future in as_completed(futures):
                yield from future.result()
        finally:
            for future in futures:
                future.cancel()


def _on_cluster(client: Any, work: Work) -> Iterator[OriginResult]:
    """Run the chains on workers; what they send back is written here."""
    distributed = require("distributed", extra="cluster")
    alone = Work(work.history, work.models, work.plan, None)
    waiting = []
    for chain in work.plan.chains:
        if work.folder and all(work.folder.holds(work.period(o)) for o in chain):
            yield from work.results(chain)
        else:
            waiting.append(chain)
    shared = client.scatter(alone, hash=False)
    futures = [client.submit(_chain_of, shared, chain, pure=False) for chain in waiting]
    for future in distributed.as_completed(futures):
        for result in future.result():
            if work.folder is not None:
                work.folder.write(
                    work.period(result.origin), (result.scores, result.flags, result.parameters)
                )
            yield result


def _chain_of(work: Work, origins: Sequence[int]) -> list[OriginResult]:
    return work.chain(origins)
