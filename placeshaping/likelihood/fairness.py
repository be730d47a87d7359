"""
Who bears a patrol layer: burden by deprivation and census group, concentration, feedback.

Nothing here enters a model. Deprivation and census columns audit what a model
has flagged; the numbers go on the page that stands beside every patrol layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from placeshaping._core.checks import check_columns, listed
from placeshaping._core.errors import EmptyError, InputError, UnmatchedError
from placeshaping.likelihood._residents import check_numbers, of_units
from placeshaping.statistics.concentration import gini

Floats = NDArray[np.float64]

FOUR_FIFTHS = 0.8
"""A group whose ratio is below this share of another's is looked at (the four-fifths screen)."""

MOST_RISE = 0.25
"""Rise of a burden ratio since the first release at which a layer is withdrawn."""


def burden_audit(
    flagged: pd.DataFrame,
    residents: pd.DataFrame,
    *,
    recorded: pd.DataFrame | None = None,
    level: float = 0.95,
    draws: int = 999,
    rng: int | np.random.Generator = 0,
) -> pd.DataFrame:
    """
    Work out which groups of residents live where patrols are sent.

    Parameters
    ----------
    flagged
        Indexed by unit code, one column a release: which share of the unit
        (0 to 1) was flagged, or minutes of patrol.
    residents
        Indexed by unit code, one column a group (deprivation decile, census
        group): residents of that group in the unit, zero or more.
    recorded
        Of the shape of `residents`: recorded crime of each unit shared out
        among the groups; None to leave the ratio per recorded crime out.
    level
        Confidence level.
    draws
        Bootstrap draws over units, which give the intervals.
    rng
        Seed or generator.

    Returns
    -------
    burden
        Index: the groups. ``residents``, ``share`` (of all residents),
        ``flagged_share`` (of all flagged residents), ``burden_ratio`` (the
        second over the first), ``lower``, ``upper``; with `recorded`
        ``per_crime_ratio`` (flagged share over share of recorded crime),
        ``per_crime_lower``, ``per_crime_upper``; ``screened``: whether the
        ratio differs from another group's by more than four fifths allow.

    Raises
    ------
    UnmatchedError
        If units of `flagged` are not in `residents`.
    EmptyError
        If nobody lives where patrols are sent, or nothing is flagged.
    InputError
        If numbers are negative or missing.

    Examples
    --------
    >>> units = pd.Index(["a", "b", "c", "d"], name="area_code")
    >>> flagged = pd.DataFrame({"May": [1.0, 1.0, 0.0, 0.0]}, index=units)
    >>> people = pd.DataFrame({"1 to 5": [80, 70, 30, 20], "6 to 10": [20, 30, 70, 80]}, units)
    >>> burden_audit(flagged, people)["burden_ratio"].tolist()
    [1.5, 0.5]
    """
    check_numbers(flagged, "flagged")
    people = of_units(residents, flagged.index, "residents")
    minutes = flagged.to_numpy(dtype=float).mean(axis=1)
    if not (minutes @ people).sum() > 0:
        msg = "Nobody lives in what is flagged: there is no burden to share out."
        raise EmptyError(msg)
    crimes = None if recorded is None else of_units(recorded, flagged.index, "recorded")
    weights = _bootstrap_weights(len(flagged), draws, rng)
    ratio, among = _ratios(minutes, people, people, weights)
    table = pd.DataFrame(
        {
            "residents": people.sum(axis=0),
            "share": people.sum(axis=0) / people.sum(),
            "flagged_share": minutes @ people / (minutes @ people).sum(),
            "burden_ratio": ratio,
            **_interval("", among, level),
        },
        index=pd.Index(residents.columns, name="group"),
    )
    if crimes is not None:
        table["per_crime_ratio"], among = _ratios(minutes, people, crimes, weights)
        for name, limit in _interval("per_crime_", among, level).items():
            table[name] = limit
    highest = table["burden_ratio"].max()
    table["screened"] = table["burden_ratio"] < FOUR_FIFTHS * highest
    return table


def burden_drift(burdens: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """
    Follow the burden ratio of each group from release to release.

    Parameters
    ----------
    burdens
        Name or date of each release, oldest first -> its table of `burden_audit`.

    Returns
    -------
    drift
        Index: the groups of the last release. One column a release, and
        ``change``: the last less the first that tells of the group; missing where none does.

    Raises
    ------
    EmptyError
        If there is none.
    """
    if not burdens:
        msg = "There is no former release to compare with."
        raise EmptyError(msg)
    table = pd.DataFrame({name: burden["burden_ratio"] for name, burden in burdens.items()})
    table = table.reindex(list(burdens.values())[-1].index)
    before = table.iloc[:, : max(len(burdens) - 1, 1)]
    table["change"] = table.iloc[:, -1] - before.bfill(axis=1).iloc[:, 0]
    return table


def flag_concentration(flagged: pd.DataFrame) -> pd.Series[float]:
    """
    Tell how much the same places are flagged again and again.

    Parameters
    ----------
    flagged
        Indexed by unit code, one column a release, shares of 0 to 1.

    Returns
    -------
    concentration
        ``gini`` of how often units were flagged; ``ever``, ``always``: shares
        of units flagged at least once, and in every release; ``kept``: share
        of what one release flagged that the next flags too, on average
        (missing with one release).

    Examples
    --------
    >>> flagged = pd.DataFrame({"May": [1, 1, 0, 0], "June": [1, 0, 1, 0]})
    >>> flag_concentration(flagged).round(2).to_dict()
    {'gini': 0.38, 'ever': 0.75, 'always': 0.25, 'kept': 0.5}
    """
    check_numbers(flagged, "flagged")
    table = flagged.to_numpy(dtype=float)
    before, after = table[:, :-1], table[:, 1:]
    kept = np.minimum(before, after).sum(axis=0) / np.maximum(before.sum(axis=0), 1e-12)
    return pd.Series(
        {
            "gini": float(gini(table.mean(axis=1))),
            "ever": float((table > 0).any(axis=1).mean()),
            "always": float((table > 0).all(axis=1).mean()),
            "kept": float(kept.mean()) if kept.size else float("nan"),
        }
    )


@dataclass(frozen=True)
class Feedback:
    """
    Where patrols drift if they follow what patrols find.

    Attributes
    ----------
    true_share
        Share of incidents that the first area has.
    begin_share
        Share of patrols that it was given at first.
    share, lower, upper
        Share of patrols that it has in the end: mean, and where nine in ten
        runs end.
    sentence
        The same in words.
    """

    true_share: float
    begin_share: float
    share: float
    lower: float
    upper: float
    sentence: str


def feedback_urn(
    rates: tuple[float, float],
    begin: tuple[float, float],
    *,
    discovered: float,
    days: int = 365,
    corrected: bool = False,
    runs: int = 2000,
    rng: int | np.random.Generator = 0,
) -> Feedback:
    """
    Run a two-area urn: what patrols find decides where they go next (Ensign et al. 2018).

    Each day a patrol goes to one of two areas, in proportion to the incidents
    recorded there so far. Reported incidents are recorded wherever they
    happen; discovered ones only where the patrol is.

    Parameters
    ----------
    rates
        Incidents a day in either area, reported and discovered together.
    begin
        Incidents on record at the start, above zero.
    discovered
        Share of the incidents that is recorded only if a patrol is there.
    days
        Length of a run.
    corrected
        Whether a discovered incident counts in inverse proportion to how
        likely the patrol was to be there, which is the authors' remedy.
    runs
        Number of runs.
    rng
        Seed or generator.

    Returns
    -------
    feedback
        Where the share of the first area ends.

    Raises
    ------
    InputError
        If rates or the start are not above zero, or `discovered` is no share.

    Examples
    --------
    >>> drifted = feedback_urn((0.6, 0.5), (10, 10), discovered=1.0)
    >>> drifted.share > drifted.true_share
    True
    """
    _check_urn(rates, begin, discovered)
    generator = np.random.default_rng(rng)
    record = np.tile(np.asarray(begin, dtype=float), (runs, 1))
    for _ in range(days):
        chance = record[:, 0] / record.sum(axis=1)
        there = generator.random(runs) < chance
        seen = np.column_stack([there, ~there])
        likely = np.column_stack([chance, 1 - chance])
        happened = generator.poisson(rates, (runs, 2))
        found = generator.binomial(happened, discovered)
        worth = np.where(seen, 1 / np.maximum(likely, 1e-3) if corrected else 1.0, 0.0)
        record += happened - found + found * worth
    share = record[:, 0] / record.sum(axis=1)
    true = rates[0] / sum(rates)
    mean = float(share.mean())
    lower, upper = np.quantile(share, [0.05, 0.95]).tolist()
    return Feedback(
        true_share=true,
        begin_share=begin[0] / sum(begin),
        share=mean,
        lower=lower,
        upper=upper,
        sentence=(
            f"If patrols followed what is on record, the first of two areas with {true:.0%} of the "
            f"incidents would have {mean:.0%} of the patrols after {days:,} days (nine runs in "
            f"ten: {lower:.0%} to {upper:.0%}), where {discovered:.0%} of incidents are found only "
            "by patrols."
        ),
    )


def reweight_discovered(
    count: pd.Series[float], patrolled: pd.Series[float], *, least: float = 0.05
) -> pd.Series[float]:
    """
    Weigh discovered incidents down where patrols were, and up where they were not.

    Parameters
    ----------
    count
        Discovered incidents of each unit.
    patrolled
        Share of the time that a patrol was there, 0 to 1.
    least
        Shares below this count as this: what was hardly looked at tells
        little.

    Returns
    -------
    weighted
        Counts over the share, scaled to the same total.

    Raises
    ------
    UnmatchedError
        If a unit has no share.
    """
    missing = count.index.difference(patrolled.index)
    if len(missing):
        msg = f"{len(missing):,} units have no patrolled share ({listed(list(missing))})."
        raise UnmatchedError(msg)
    weighted = count / patrolled.reindex(count.index).clip(lower=least)
    return weighted * (count.sum() / weighted.sum() if weighted.sum() > 0 else 1.0)


def withdrawal_reasons(
    *,
    lift_upper: float | None = None,
    drift: pd.DataFrame | None = None,
    least_lift: float = 1.0,
    most_rise: float = MOST_RISE,
) -> tuple[str, ...]:
    """
    Say why a patrol layer must be withdrawn; nothing where it need not.

    Parameters
    ----------
    lift_upper
        Upper limit of the lift over trailing counts; None where not measured.
    drift
        From `burden_drift`.
    least_lift, most_rise
        When to withdraw.

    Returns
    -------
    reasons
        One sentence each.

    Examples
    --------
    >>> withdrawal_reasons(lift_upper=0.97)
    ('Against trailing counts the model finds less: the upper limit of its lift is 0.97.',)
    """
    reasons = []
    if lift_upper is not None and lift_upper < least_lift:
        reasons.append(
            "Against trailing counts the model finds less: the upper limit of its lift is "
            f"{lift_upper:.2f}."
        )
    if drift is not None:
        check_columns(drift.columns, ["change"], where="drift")
        risen = drift[drift["change"] > most_rise]
        reasons += [
            f"The burden ratio of {group} has risen by {change:.2f} since the first release."
            for group, change in risen["change"].items()
        ]
    return tuple(reasons)


def _bootstrap_weights(units: int, draws: int, rng: int | np.random.Generator) -> Floats:
    generator = np.random.default_rng(rng)
    return generator.multinomial(units, np.full(units, 1 / units), size=draws).astype(float)


def _ratios(
    minutes: Floats, people: Floats, base: Floats, weights: Floats
) -> tuple[Floats, Floats]:
    """Return each group's share of flagged residents over its share of a base, and of draws."""

    def ratio(weight: Floats) -> Floats:
        flagged = (weight * minutes) @ people
        whole = weight @ base
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                (flagged / flagged.sum(axis=-1, keepdims=True))
                / (whole / whole.sum(axis=-1, keepdims=True))
            )

    return ratio(np.ones(len(minutes))), ratio(weights)


def _interval(prefix: str, among: Floats, level: float) -> dict[str, Floats]:
    tails = ((1 - level) / 2, (1 + level) / 2)
    lower, upper = np.nanquantile(np.where(np.isfinite(among), among, np.nan), tails, axis=0)
    return {f"{prefix}lower": lower, f"{prefix}upper": upper}


def _check_urn(rates: tuple[float, float], begin: tuple[float, float], discovered: float) -> None:
    if min(*rates, *begin) <= 0:
        msg = f"rates are {rates} and begin is {begin}: give numbers above zero."
        raise InputError(msg)
    if not 0 <= discovered <= 1:
        msg = f"discovered is {discovered}; give a share between 0 and 1."
        raise InputError(msg)
