"""Which origins a backtest forecasts, how, and a digest of what its results depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from placeshaping._core.checks import check_whole, listed
from placeshaping._core.errors import InputError
from placeshaping._core.provenance import versions
from placeshaping.likelihood.history import History

CHAIN = 4
"""Refits in a row that warm each other up."""


@dataclass(frozen=True)
class Plan:
    """
    Which origins, and how each is treated.

    Attributes
    ----------
    origins
        Positions in the history of the steps that are forecast.
    delay
        Steps before each of which nothing is known yet.
    refit_every
        Parameters are learned anew at every so manyth origin.
    shares
        Shares of the area that are flagged.
    c_max
        Largest coverage of the area under the hit-rate curve.
    """

    origins: tuple[int, ...]
    delay: int
    refit_every: int
    shares: tuple[float, ...]
    c_max: float

    @property
    def chains(self) -> list[tuple[int, ...]]:
        """Origins in groups that are worked off one after the other."""
        size = self.refit_every * CHAIN
        return [self.origins[i : i + size] for i in range(0, len(self.origins), size)]


def choose_origins(
    history: History, origins: int | Sequence[str | pd.Timestamp], delay: int
) -> tuple[int, ...]:
    """
    Find the steps to forecast: each has data, and some history before it.

    Parameters
    ----------
    history
        All that is known now.
    origins
        The last so many steps with data, or the dates of steps.
    delay
        Steps before an origin of which nothing is known at it.

    Returns
    -------
    positions
        In the history, earliest first.

    Raises
    ------
    InputError
        If there are not so many, or a date has no data or nothing before it.
    """
    known = np.flatnonzero(history.known)
    if isinstance(origins, int):
        chosen = known[known > delay][-check_whole(origins, name="origins") :]
        if len(chosen) < origins:
            msg = (
                f"{origins} origins are asked for; {len(chosen)} of {history.steps} steps have "
                "data and a history before them."
            )
            raise InputError(msg)
        return tuple(int(position) for position in chosen)
    number, _ = history.step.number(pd.DatetimeIndex([pd.Timestamp(one) for one in origins]))
    position = np.unique(number - history.first)
    usable = np.isin(position, known[known > delay])
    if not len(position) or not usable.all():
        lost = history.step.starts(history.first + position[~usable])
        msg = (
            f"{len(lost)} of {len(position)} origins have no data, or nothing known before them "
            f"({listed([f'{day:%Y-%m-%d}' for day in lost])})."
        )
        raise InputError(msg)
    return tuple(int(one) for one in position)


def digests_of(history: History, models: dict[str, str], plan: Plan) -> dict[str, str]:
    """
    Return a digest of each thing that the results of a backtest depend on.

    Parameters
    ----------
    history, plan
        As in the backtest.
    models
        By name, the options behind each.

    Returns
    -------
    digests
        ``data``, ``models``, ``plan``, and the package's ``version``.
    """
    units = history.units
    data = hashlib.sha256()
    for array in (history.counts.data, history.counts.indices, history.counts.indptr):
        data.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
    for array in (history.known, history.outside, units.area, units.xy):
        data.update(np.ascontiguousarray(array).tobytes())
    data.update("\n".join(map(str, units.codes)).encode())
    told = (history.step, history.first, history.target.categories, history.target.overrides)
    data.update(repr(told).encode())
    for table in (history.events, history.covariates):
        if table is not None:
            data.update(pd.util.hash_pandas_object(table).to_numpy().tobytes())
    return {
        "data": data.hexdigest(),
        "models": hashlib.sha256(repr(models).encode()).hexdigest(),
        "plan": hashlib.sha256(repr(asdict(plan)).encode()).hexdigest(),
        "version": versions("placeshaping").get("placeshaping", "unknown"),
    }
