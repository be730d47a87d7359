"""
Difference in differences: the change of treated areas over that of comparison areas.

With one start for all areas, fixed effects of areas and periods, and nothing
else in the model, the estimates have a closed form: the Poisson model gives
the ratio of two ratios of sums, the linear model a difference of mean
differences. So thousands of reassignments cost next to nothing, and few areas
are tested by them instead of by formulas that need many.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import optimize, stats

from placeshaping._core.checks import check_choice, check_whole
from placeshaping._core.errors import InputError
from placeshaping.shaping._reassigned import (
    FEWEST_SETS,
    lie_together,
    sets_of,
    sets_together,
    share_as_far,
)
from placeshaping.shaping.displacement import LEVEL, POWER
from placeshaping.shaping.evaluation import COMPARISON, TREATED, Floats, Panel

Inference = Literal["auto", "cluster", "permutation", "together", "wild"]

FEWEST_CLUSTERS = 15
"""Treated and comparison areas from which formulas are trusted; below, areas are permuted."""

_WEBB = np.sqrt([1.5, 1.0, 0.5])
_FEW_FOR_SIGNS = 12
_FARTHEST = 6.0  # of a log ratio: a factor of 400


@dataclass(frozen=True)
class _Sums:
    """What each area had before and after, treated areas first."""

    before: Floats
    after: Floats
    treated: int
    periods: tuple[int, int]
    places: Floats | None = None

    @property
    def changes(self) -> Floats:
        """By area, the change of the mean count of a period."""
        return self.after / self.periods[1] - self.before / self.periods[0]

    @property
    def noise(self) -> Floats:
        """By area, the variance of that change if counts were Poisson."""
        return self.after / self.periods[1] ** 2 + self.before / self.periods[0] ** 2

    @property
    def sizes(self) -> tuple[int, int]:
        return self.treated, len(self.before) - self.treated


def difference_in_differences(
    panel: Panel,
    *,
    model: Literal["poisson", "linear"] = "poisson",
    inference: Inference = "auto",
    draws: int = 1999,
    rng: int | np.random.Generator = 0,
    level: float = LEVEL,
    power: float = POWER,
) -> pd.DataFrame:
    """
    Estimate how much treated areas changed beyond the comparison areas.

    Parameters
    ----------
    panel
        From `make_panel`; rings are left out.
    model
        ``"poisson"``: log-linear, fixed effects of areas and periods; the
        effect is a ratio. ``"linear"``: counts per area and period.
    inference
        ``"cluster"``: variance from how unevenly areas changed, robust to
        whatever happens within an area over time (Liang and Zeger 1986), t
        with Welch's degrees of freedom. ``"permutation"``: the treated set is
        compared with other sets of areas of its size. ``"together"``: with
        other sets that lie together. ``"wild"``: wild cluster bootstrap with
        the null imposed (Cameron, Gelbach and Miller 2008), of the linear
        model. ``"auto"``: together where the panel knows the areas and the
        treated ones lie together; else permutation where there are fewer than
        15 treated or comparison areas, else cluster.
    draws
        Sets, or bootstrap samples.
    rng
        Seed or generator.
    level, power
        Of interval and test, and of the smallest effect that could have been
        seen.

    Returns
    -------
    table
        One row: ``effect`` (log ratio, or counts per area and period), ``se``,
        ``lower``, ``upper``, ``p_value``, ``percent`` with ``percent_lower``
        and ``percent_upper`` (of what would have been), ``detectable`` (per
        cent), ``inference``, ``treated``, ``comparison``.

    Raises
    ------
    InputError
        If there are too few areas for the inference, or an option is unknown.

    Examples
    --------
    >>> from placeshaping.shaping.evaluation import make_panel
    >>> counts = pd.DataFrame({"area_code": list("abcd") * 2, "period": ["2024-01-01"] * 4 +
    ...                        ["2024-02-01"] * 4, "count": [90, 80, 85, 75, 50, 78, 90, 72]})
    >>> panel = make_panel(counts, treated=["a", "b"], start="2024-02-01")
    >>> difference_in_differences(panel, inference="cluster")["percent"].round(1).tolist()
    [-25.6]
    """
    check_choice(model, ["poisson", "linear"], name="model")
    check_choice(inference, list(get_args(Inference)), name="inference")
    check_whole(draws, name="draws", least=FEWEST_SETS)
    sums = _sums(panel)
    chosen = _inference(inference, model, sums)
    if model == "poisson":
        _check_ratio(sums)
    if chosen in ("permutation", "together"):
        row = _permuted(sums, model, _sets(sums, chosen, draws, rng), level)
    else:
        effect, se, freedom = _ratio(sums) if model == "poisson" else _difference(sums)
        critical = float(stats.t.ppf(0.5 + level / 2, freedom))
        p = float(2 * stats.t.sf(abs(effect / se), freedom)) if se > 0 else float("nan")
        if chosen == "wild":
            critical, p = _wild(sums, draws, rng, level)
        row = {"effect": effect, "se": se, "p_value": p, "critical": critical}
        row |= {"lower": effect - critical * se, "upper": effect + critical * se}
    row["detectable_effect"] = (row["critical"] + float(stats.norm.ppf(power))) * row["se"]
    table = pd.DataFrame([row], index=pd.Index([model], name="model"))
    table = _as_percent(table, sums, model)
    table["inference"], (table["treated"], table["comparison"]) = chosen, sums.sizes
    table.attrs["method"] = _method(model, chosen)
    return table.drop(columns=["critical", "detectable_effect"])


def _sums(panel: Panel) -> _Sums:
    treated, comparison = (panel.sums(role) for role in (TREATED, COMPARISON))
    before, after = (np.concatenate(pair) for pair in zip(treated, comparison, strict=True))
    late = int(panel.after.sum())
    places = panel.places(TREATED, COMPARISON)
    return _Sums(before, after, len(treated[0]), (len(panel.after) - late, late), places)


def _inference(given: Inference, model: str, sums: _Sums) -> str:
    few = min(sums.sizes)
    if given == "wild" and model != "linear":
        msg = "The wild bootstrap is of the linear model: say model='linear'."
        raise InputError(msg)
    if given in ("cluster", "wild") and few < 2:
        msg = (
            f"There are {sums.sizes[0]} treated and {sums.sizes[1]} comparison areas: inference "
            f"{given!r} needs 2 of each at least, 15 to be trusted. Use inference='permutation'."
        )
        raise InputError(msg)
    if given == "together" and sums.places is None:
        msg = "Inference 'together' needs the areas: make_panel(..., areas=areas)."
        raise InputError(msg)
    if given != "auto":
        return given
    if lie_together(sums.places, sums.treated):
        return "together"
    return "cluster" if few >= FEWEST_CLUSTERS else "permutation"


def _check_ratio(sums: _Sums) -> None:
    if any(part.sum() == 0 for pair in _parts(sums) for part in pair):
        msg = (
            "Nothing was counted before or after in the treated or the comparison areas: a ratio "
            "has no value. Use more periods or categories, or model='linear'."
        )
        raise InputError(msg)


def _ratio(sums: _Sums) -> tuple[float, float, float]:
    """Return log ratio, cluster-robust standard error and degrees of freedom."""
    parts = _parts(sums)
    logs = [np.log(after.sum() / before.sum()) for before, after in parts]
    moved = [after / after.sum() - before / before.sum() for before, after in parts]
    se, freedom = _welch([len(m) * (m**2).sum() / (len(m) - 1) for m in moved], sums)
    return float(logs[0] - logs[1]), se, freedom


def _difference(sums: _Sums) -> tuple[float, float, float]:
    """Return the difference per area and period, its standard error and degrees of freedom."""
    changes = [sums.changes[: sums.treated], sums.changes[sums.treated :]]
    se, freedom = _welch([c.var(ddof=1) / len(c) for c in changes], sums)
    return float(changes[0].mean() - changes[1].mean()), se, freedom


def _parts(sums: _Sums) -> list[tuple[Floats, Floats]]:
    n = sums.treated
    return [(sums.before[:n], sums.after[:n]), (sums.before[n:], sums.after[n:])]


def _welch(variances: list[float], sums: _Sums) -> tuple[float, float]:
    total = float(sum(variances))
    below = sum(v**2 / (n - 1) for v, n in zip(variances, sums.sizes, strict=True))
    return float(np.sqrt(total)), float(total**2 / below) if below > 0 else 1.0


def _log_ratios(before: Floats, after: Floats, sets: Floats) -> tuple[Floats, Floats]:
    """
    Return the log ratio of each set, and its standard error if counts were Poisson.

    The error is that of counts in which nothing was done: a set is judged by
    how many records it has, not by how many chance left it with after.
    """
    inside = [sets @ counts for counts in (before, after)]
    outside = [counts.sum() - own for counts, own in zip((before, after), inside, strict=True)]
    change = after.sum() / before.sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        effect = np.log(inside[1] / inside[0]) - np.log(outside[1] / outside[0])
        variance = (1 + change) ** 2 / change * (1 / sum(inside) + 1 / sum(outside))
    return np.clip(np.nan_to_num(effect, nan=0.0), -_FARTHEST, _FARTHEST), np.sqrt(variance)


def _mean_differences(changes: Floats, noise: Floats, sets: Floats) -> tuple[Floats, Floats]:
    """Return the difference of each set, and its standard error if counts were Poisson."""
    inside, outside = sets.sum(axis=1), (1 - sets).sum(axis=1)
    effect = sets @ changes / inside - (1 - sets) @ changes / outside
    return effect, np.sqrt(sets @ noise / inside**2 + (1 - sets) @ noise / outside**2)


def _sets(sums: _Sums, inference: str, draws: int, rng: int | np.random.Generator) -> Floats:
    """Return the sets that the treated one is compared with, itself first."""
    if inference == "together" and sums.places is not None:
        sets = sets_together(sums.places, sums.treated, most=draws, rng=rng)
    else:
        sets = sets_of(len(sums.before), sums.treated, most=draws, rng=rng)
    if len(sets) < FEWEST_SETS:
        msg = (
            f"{sums.sizes[0]} treated and {sums.sizes[1]} comparison areas can be told apart in "
            f"{len(sets)} ways, and {FEWEST_SETS} are needed to reach 5 %. Name more comparison "
            "areas: 19 where one area is treated."
        )
        raise InputError(msg)
    return sets


def _permuted(sums: _Sums, model: str, sets: Floats, level: float) -> dict[str, float]:
    """Compare the treated set with others; the interval holds the effects that are not refused."""
    own = sets[0]

    def of_sets(effect: float) -> tuple[Floats, Floats]:
        """Return effects and errors had the treated areas not changed by so much."""
        if model == "poisson":
            return _log_ratios(sums.before, sums.after * np.exp(-effect * own), sets)
        return _mean_differences(sums.changes - effect * own, sums.noise, sets)

    def z(effect: float) -> Floats:
        found, se = of_sets(effect)
        out: Floats = found / se
        return out

    estimate, se = (float(part[0]) for part in of_sets(0.0))
    normal = float(stats.norm.ppf(0.5 + level / 2))
    spread = float(np.quantile(np.abs(z(estimate)), level)) / normal
    lower, upper = _not_refused(
        lambda effect: share_as_far(z(effect)) - (1 - level), estimate, normal * spread * se
    )
    return {
        "effect": estimate,
        "se": se * spread,
        "lower": lower,
        "upper": upper,
        "p_value": share_as_far(z(0.0)),
        "critical": normal,
    }


def _not_refused(
    excess: Callable[[float], float], estimate: float, reach: float
) -> tuple[float, float]:
    """Find the effects at which the p-value crosses the level, outwards from the estimate."""
    ends = []
    for side in (-1.0, 1.0):
        tried = [estimate + side * reach * 1.6**n for n in range(9)]
        refused = next((effect for effect in tried if excess(effect) < 0), None)
        if refused is None:
            ends.append(side * np.inf)
        else:
            ends.append(float(optimize.bisect(excess, estimate, refused, xtol=1e-4 * reach)))
    return ends[0], ends[1]


def _wild(
    sums: _Sums, draws: int, rng: int | np.random.Generator, level: float
) -> tuple[float, float]:
    """Return the critical value of t, and the p-value, from samples in which nothing was done."""
    changes, n = sums.changes, sums.treated
    generator = np.random.default_rng(rng)
    if len(changes) < _FEW_FOR_SIGNS:  # Webb's six weights: two give too few samples
        values = np.concatenate([-_WEBB, _WEBB])
    else:
        values = np.array([-1.0, 1.0])
    weights = generator.choice(values, (draws, len(changes)))
    samples = np.vstack([changes, changes.mean() + weights * (changes - changes.mean())])
    inside, outside = samples[:, :n], samples[:, n:]
    effect = inside.mean(axis=1) - outside.mean(axis=1)
    variance = sum(s.var(axis=1, ddof=1) / s.shape[1] for s in (inside, outside))
    t = np.abs(effect) / np.sqrt(np.maximum(variance, 1e-300))
    return float(np.quantile(t[1:], level)), float((t[1:] >= t[0]).mean())


def _as_percent(table: pd.DataFrame, sums: _Sums, model: str) -> pd.DataFrame:
    columns = {"percent": "effect", "percent_lower": "lower", "percent_upper": "upper"}
    if model == "poisson":
        for new, old in columns.items():
            table[new] = 100 * np.expm1(table[old])
        table["detectable"] = -100 * np.expm1(-table["detectable_effect"])
        return table
    n = sums.treated
    without = (sums.before[:n] / sums.periods[0]).mean() + sums.changes[n:].mean()
    for new, old in columns.items():
        table[new] = 100 * table[old] / without if without > 0 else np.nan
    table["detectable"] = 100 * table["detectable_effect"] / without if without > 0 else np.nan
    return table


def _method(model: str, inference: str) -> str:
    said = {
        "cluster": "standard errors robust to clustering by area, t with Welch's degrees of "
        "freedom",
        "permutation": "tested against other sets of areas of the same number",
        "together": "tested against other sets of areas of the same number that lie together",
        "wild": "wild cluster bootstrap by area with the null imposed (Cameron, Gelbach and Miller "
        "2008)",
    }
    kind = "Poisson (log-linear)" if model == "poisson" else "Linear"
    return f"{kind} difference in differences with effects of areas and periods; {said[inference]}."
