"""One test window: every score of one forecast, at several flagged areas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from placeshaping.likelihood import scores
from placeshaping.likelihood.flagging import flag
from placeshaping.likelihood.stability import compactness
from placeshaping.likelihood.units import Units
from placeshaping.statistics.rates import wilson_interval

Floats = NDArray[np.float64]

SHARES = (0.01, 0.02, 0.05, 0.10)
"""Shares of the area that are flagged by default."""

BINS = 10
"""Bars of the PIT histogram, and groups of the calibration table."""

PIT = tuple(f"pit_{i}" for i in range(BINS))
CALIBRATION = tuple(f"{what}_{i}" for what in ("expected", "observed") for i in range(BINS))


def score_window(
    observed: ArrayLike,
    expected: ArrayLike,
    size: ArrayLike,
    units: Units,
    *,
    training: ArrayLike,
    shares: Sequence[float] = SHARES,
    c_max: float = 0.1,
    outside: int = 0,
) -> tuple[pd.DataFrame, Floats]:
    """
    Score one forecast in one test window.

    Parameters
    ----------
    observed
        Events of each unit in the test window.
    expected, size
        Forecast of each unit: mean and size of the negative binomial.
    units
        The places.
    training
        Events of each unit in the training window, for the recapture ratio.
    shares
        Shares of the area that are flagged.
    c_max
        Largest coverage of the area under the hit-rate curve.
    outside
        Events of the window outside every unit, told apart.

    Returns
    -------
    scores
        One row a share: ``share``, ``n``, ``N``, ``outside``, ``flagged_km2``,
        ``hit_rate`` with Wilson's interval (``hit_lower``, ``hit_upper``),
        ``n_oracle``, ``pai``, ``max_pai``, ``pei``, ``recapture_ratio``,
        ``calibration_ratio``, ``compactness``, and the scores of the whole
        window, the same in every row: ``area_under_hit_rate`` (``c_max``),
        ``poisson_deviance``, ``log_score``, ``brier``, ``crps``, the bars of
        the PIT histogram, and events expected and observed in tenths of the
        units by expected count.
    flagged
        Part of each unit that is flagged, shape (shares, units).

    Examples
    --------
    >>> import geopandas as gpd
    >>> from shapely import box
    >>> from placeshaping.likelihood.units import make_cells, make_units
    >>> study = gpd.GeoDataFrame(geometry=[box(0, 0, 2000, 500)], crs=27700)
    >>> units = make_units(make_cells(study, size=500))
    >>> table, _ = score_window(
    ...     [4, 1, 0, 0], [3.0, 1.0, 0.5, 0.5], np.inf, units, training=[9, 3, 2, 2], shares=[0.25]
    ... )
    >>> table[["n", "N", "hit_rate", "pai", "pei"]].iloc[0].tolist()
    [4.0, 5.0, 0.8, 3.2, 1.0]
    """
    y, mean, past = (np.asarray(a, dtype=np.float64) for a in (observed, expected, training))
    flagged = np.stack([flag(mean, units.area, share=share) for share in shares])
    whole = _of_the_whole(y, mean, np.asarray(size, dtype=np.float64), units, c_max)
    rows = [
        _at_a_share(y, mean, past, part, share, units) | {"outside": outside} | whole
        for share, part in zip(shares, flagged, strict=True)
    ]
    table = pd.DataFrame(rows)
    interval = wilson_interval(table["n"].clip(upper=table["N"]), table["N"])
    table.insert(6, "hit_lower", interval["lower"])
    table.insert(7, "hit_upper", interval["upper"])
    return table, flagged


def _at_a_share(
    y: Floats, mean: Floats, past: Floats, part: Floats, share: float, units: Units
) -> dict[str, float]:
    area = units.area
    oracle = flag(y, area, share=share)
    best = scores.hit_rate(y, oracle)
    return {
        "share": share,
        "n": scores.total(y, part),
        "N": float(y.sum()),
        "n_oracle": scores.total(y, oracle),
        "flagged_km2": scores.total(part, area),
        "hit_rate": scores.hit_rate(y, part),
        "pai": scores.pai(y, part, area),
        "max_pai": scores.pai(y, oracle, area),
        "pei": scores.hit_rate(y, part) / best,
        "recapture_ratio": scores.recapture_ratio(y, past, part),
        "calibration_ratio": scores.calibration_ratio(y, mean, part),
        "compactness": compactness(part, units.neighbours),
    }


def _of_the_whole(
    y: Floats, mean: Floats, size: Floats, units: Units, c_max: float
) -> dict[str, float]:
    pit = scores.pit_histogram(y, mean, size, bins=BINS)
    tenth = (np.argsort(np.argsort(mean, kind="stable"), kind="stable") * BINS) // len(mean)
    expected = np.bincount(tenth, mean, minlength=BINS)
    happened = np.bincount(tenth, y, minlength=BINS)
    return {
        "expected": float(mean.sum()),
        "c_max": c_max,
        "area_under_hit_rate": scores.area_under_hit_rate(y, mean, units.area, c_max=c_max),
        "poisson_deviance": scores.poisson_deviance(y, mean),
        "log_score": scores.log_score(y, mean, size),
        "brier": scores.brier(y, mean, size),
        "crps": scores.crps(y, mean, size),
        **dict(zip(PIT, pit.tolist(), strict=True)),
        **dict(zip(CALIBRATION, [*expected.tolist(), *happened.tolist()], strict=True)),
    }
