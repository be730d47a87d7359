"""
Funnel plots: which areas differ from the rest by more than chance.

Small areas vary more than large ones, so a league table is led by small areas
whatever they do. A funnel compares each area with the limits of chance at its
own size (Spiegelhalter 2005, "Funnel plots for comparing institutional
performance").
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from placeshaping._core.checks import check_choice, check_result, check_unique, listed
from placeshaping._core.errors import EmptyError, InputError
from placeshaping._core.words import Names, name_areas
from placeshaping.statistics._counts import aligned, usable_exposure

_log = logging.getLogger(__name__)

FUNNEL = ("low_998", "low_95", "within", "high_95", "high_998")
"""Places in the funnel, lowest first: the number is the limit passed, in per cent and tenths."""

MUCH_SPREAD = 2.0
"""Times the variance of chance from which on the limits of chance alone say little."""

_PROBABILITIES = (0.001, 0.025, 0.975, 0.999)
_NAMES = ("lower_998", "lower_95", "upper_95", "upper_998")


def funnel_limits(
    count: ArrayLike,
    exposure: ArrayLike,
    *,
    kind: Literal["rate", "share"] = "rate",
    target: float | None = None,
    overdispersion: Literal["none", "additive", "multiplicative"] = "none",
    winsorise: float = 0.1,
    per: float = 1000.0,
) -> pd.DataFrame:
    """
    Work out control limits at the size of each area, and where the area lies.

    Limits hold 95 % and 99.8 % of what chance does to an area that is like the
    rest (two and three standard errors, nearly). Without overdispersion they
    are exact, interpolated between whole counts (Spiegelhalter 2005, appendix
    A.1). With it, z-scores on the square-root scale (counts) or the arcsine
    scale (shares) are winsorised, the spread beyond chance is estimated from
    them, and the limits widen by it: additively (a random effect, DerSimonian
    and Laird) or multiplicatively.

    Parameters
    ----------
    count
        Events, or for shares how many of the exposure; a Series keeps its index.
    exposure
        Residents, households, expected events, or for shares the trials.
    kind
        ``"rate"``: Poisson counts over an exposure (with expected events as
        the exposure, standardised ratios: pass ``per=1, target=1``);
        ``"share"``: binomial.
    target
        What areas are compared with, in the units of the rate; by default the
        rate of all areas together.
    overdispersion
        Whether and how limits widen for spread beyond chance.
    winsorise
        Share of the areas at each end whose z-scores are pulled in to that
        quantile before the spread is estimated, so that outliers do not hide
        themselves.
    per
        The rate is for this many units of `exposure`; 100 for per cent.

    Returns
    -------
    funnel
        Columns ``count``, ``exposure``, ``rate``, ``lower_998``, ``lower_95``,
        ``upper_95``, ``upper_998``, ``z_score`` (on the transformed scale,
        divided by the widened standard error) and ``funnel`` (one of `FUNNEL`).
        Sorted by exposure, limits are the lines of a funnel plot. ``attrs``:
        ``target``, ``dispersion`` (variance of the z-scores over that of
        chance), ``method``, ``cautions``.

    Raises
    ------
    InputError
        If a number is negative, if there are events over an exposure of zero,
        more successes than trials, or an option is out of its range.
    DuplicateError
        If an area stands twice.
    EmptyError
        If fewer than two areas have a count and an exposure.

    Examples
    --------
    >>> table = funnel_limits([12, 30, 9, 11], [1000, 1100, 900, 1050])
    >>> table[["rate", "lower_95", "upper_95", "funnel"]].round(1)
       rate  lower_95  upper_95   funnel
    0  12.0       7.6      22.9   within
    1  27.3       8.0      22.6  high_95
    2  10.0       7.2      23.3   within
    3  10.5       7.8      22.8   within
    """
    check_choice(kind, ["rate", "share"], name="kind")
    check_choice(overdispersion, ["none", "additive", "multiplicative"], name="overdispersion")
    if not 0 <= winsorise < 0.5 or not per > 0:
        msg = "winsorise must lie between 0 and 0.5, and per above zero."
        raise InputError(msg)
    if isinstance(count, pd.Series):
        check_unique(count.index, where="count")
    counts, exposures, index = aligned(count, exposure)
    exposures = usable_exposure(counts, exposures, index, "raise")
    known = np.isfinite(counts) & np.isfinite(exposures)
    if known.sum() < 2:
        both = int(known.sum())
        msg = f"{both} of {len(index):,} areas have a count and an exposure; a funnel needs two."
        raise EmptyError(msg)
    centre = _centre(counts, exposures, known, kind, None if target is None else target / per)
    z = _z_scores(counts, exposures, centre, kind)
    dispersion = float((_winsorised(z[known], winsorise) ** 2).mean())
    own = _standard_error(exposures)
    wide = own
    if overdispersion != "none":
        wide = _widened(own, dispersion, known, overdispersion)
        limits = _transformed_limits(wide, centre, kind)
    else:
        limits = _exact_limits(exposures, centre, kind)
    result = pd.DataFrame(
        {"count": counts, "exposure": exposures, "rate": counts / exposures * per}
    )
    result = result.set_axis(index)
    for name, limit in zip(_NAMES, limits, strict=True):
        result[name] = limit * per
    result["z_score"] = z * own / wide
    result["funnel"] = _places(result["rate"].to_numpy(), result[list(_NAMES)].to_numpy())
    result.attrs = {
        "target": centre * per,
        "dispersion": dispersion,
        "method": (
            f"Funnel limits of 95 and 99.8 % about {centre * per:,.4g} per {per:,.0f} "
            f"({'Poisson' if kind == 'rate' else 'binomial'}, overdispersion: {overdispersion}; "
            "Spiegelhalter 2005)."
        ),
        "cautions": tuple(_cautions(dispersion, overdispersion, int((~known).sum()), len(index))),
    }
    for caution in result.attrs["cautions"]:
        _log.warning("%s", caution)
    return result


def describe_funnel(funnel: pd.DataFrame, *, what: str = "rate", names: Names | None = None) -> str:
    """
    Say in a paragraph which areas lie outside the funnel.

    Parameters
    ----------
    funnel
        From `funnel_limits`.
    what
        What the rate is of, like ``"rate of falls"``.
    names
        Area code -> name; codes stand where there is none.

    Returns
    -------
    paragraph
        For people who are not statisticians.

    Examples
    --------
    >>> print(describe_funnel(funnel_limits([12, 30, 9, 11], [1000, 1100, 900, 1050])))
    Chance alone makes the rate of 4 areas differ. 3 are within what chance does to an area of ...
    """
    check_result(funnel, made_by="funnel_limits", columns=["funnel"])
    places = funnel["funnel"].value_counts()
    within = int(places["within"])
    high, low = (
        name_areas(funnel.index[funnel["funnel"] == f"{side}_998"], names)
        for side in ("high", "low")
    )
    text = (
        f"Chance alone makes the {what} of {int(funnel['funnel'].notna().sum()):,} areas differ. "
        f"{within:,} are within what chance does to an area of their size in 95 of 100 cases. "
        f"{int(places['high_95'] + places['high_998']):,} are higher and "
        f"{int(places['low_95'] + places['low_998']):,} lower; a few of them will be by chance. "
    )
    if high or low:
        text += "Beyond the outer limit, which chance passes once in 500 areas: "
        parts = [
            f"{listed(codes)} ({side})" for codes, side in ((high, "high"), (low, "low")) if codes
        ]
        text += f"{'; '.join(parts)}. "
    return text + "Being outside says that something differs, and not what or whose doing it is."


def _centre(
    counts: NDArray[np.float64],
    exposures: NDArray[np.float64],
    known: NDArray[np.bool_],
    kind: str,
    target: float | None,
) -> float:
    if kind == "share" and (counts[known] > exposures[known]).any():
        wrong = int((counts[known] > exposures[known]).sum())
        msg = f"{wrong:,} rows have more successes than trials. Swap them, or use kind='rate'."
        raise InputError(msg)
    centre = counts[known].sum() / exposures[known].sum() if target is None else target
    if not centre > 0 or (kind == "share" and not centre < 1):
        msg = (
            f"The target is {centre:g} per unit of exposure. A funnel needs one above zero"
            f"{' and below one' if kind == 'share' else ''}: are there any events?"
        )
        raise InputError(msg)
    return float(centre)


def _transform(share: NDArray[np.float64] | float, kind: str) -> NDArray[np.float64]:
    root = np.sqrt(share)
    return np.asarray(root if kind == "rate" else np.arcsin(root))


def _standard_error(exposures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error on the transformed scale, which does not hang on the rate."""
    return np.asarray(1 / (2 * np.sqrt(exposures)))


def _z_scores(
    counts: NDArray[np.float64], exposures: NDArray[np.float64], centre: float, kind: str
) -> NDArray[np.float64]:
    gap = _transform(counts / exposures, kind) - _transform(centre, kind)
    return np.asarray(gap / _standard_error(exposures))


def _winsorised(z: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    return np.asarray(np.clip(z, *np.quantile(z, [share, 1 - share])))


def _widened(
    own: NDArray[np.float64], dispersion: float, known: NDArray[np.bool_], way: str
) -> NDArray[np.float64]:
    """Return standard errors that hold the spread beyond chance; never below those of chance."""
    if way == "multiplicative":
        return np.asarray(own * max(dispersion, 1.0) ** 0.5)
    weight = 1 / own[known] ** 2
    between = (known.sum() * dispersion - (known.sum() - 1)) / (
        weight.sum() - (weight**2).sum() / weight.sum()
    )
    return np.asarray(np.sqrt(own**2 + max(between, 0.0)))


def _transformed_limits(
    error: NDArray[np.float64], centre: float, kind: str
) -> list[NDArray[np.float64]]:
    middle = _transform(centre, kind)
    highest = np.inf if kind == "rate" else np.pi / 2
    edges = [np.clip(middle + stats.norm.ppf(p) * error, 0, highest) for p in _PROBABILITIES]
    return [edge**2 if kind == "rate" else np.sin(edge) ** 2 for edge in edges]


def _exact_limits(
    exposures: NDArray[np.float64], centre: float, kind: str
) -> list[NDArray[np.float64]]:
    """Interpolate between the whole counts about each quantile of the exact distribution."""
    law: Any
    if kind == "rate":
        law = stats.poisson(exposures * centre)
    else:
        law = stats.binom(np.round(exposures), centre)
    limits = []
    for probability in _PROBABILITIES:
        whole = law.ppf(probability)
        above, below = law.cdf(whole), law.cdf(whole - 1)
        step = (above - probability) / np.maximum(above - below, 1e-300)
        limits.append(np.maximum(whole - step, 0) / exposures)
    return limits


def _places(rate: NDArray[np.float64], limits: NDArray[np.float64]) -> Any:
    place = 2 - (rate[:, None] < limits[:, :2]).sum(axis=1) + (rate[:, None] > limits[:, 2:]).sum(1)
    return pd.Categorical.from_codes(
        np.where(np.isfinite(rate), place, -1), pd.Index(FUNNEL), ordered=True
    )


def _cautions(dispersion: float, way: str, missing: int, areas: int) -> Iterator[str]:
    if missing:
        yield f"{missing:,} of {areas:,} areas lack a count or an exposure and are not placed."
    if way == "none" and dispersion > MUCH_SPREAD:
        yield (
            f"The areas vary {dispersion:.1f} times as much as chance alone would have it, so that "
            "many pass its limits. Compare like with like, or pass overdispersion='additive'."
        )
