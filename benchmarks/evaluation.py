"""
Evaluations: seconds beside statsmodels, and how often tests and intervals are right.

``python -m benchmarks.evaluation`` prints coverage and false positives of
every method over simulated series, and false positives over pretended
measures in real records.
"""

from __future__ import annotations

import os
import sys
import warnings
from dataclasses import dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import statsmodels.api as sm

from benchmarks.harness import Result, beside, seconds
from placeshaping.areas.neighbours import k_nearest
from placeshaping.joins.points import count_by_area
from placeshaping.shaping.difference import difference_in_differences
from placeshaping.shaping.displacement import displacement
from placeshaping.shaping.evaluation import TREATED, Panel, in_blocks, make_panel
from placeshaping.shaping.evaluation_results import evaluate
from placeshaping.shaping.event_study import pre_trend
from placeshaping.shaping.synthetic_control import synthetic_control
from placeshaping.sources.police import read_police

EFFECT = -0.25
DRAWS = 499


@dataclass(frozen=True)
class Setting:
    """How series are drawn: log-normal noise by area, handed on from month to month."""

    name: str
    treated: int
    areas: int = 60
    mean: float = 3.0
    noise: float = 0.0
    handed_on: float = 0.0
    shared: float = 0.0
    before: int = 24
    after: int = 12


SETTINGS = (
    Setting("Poisson, 12 of 60 treated", 12),
    Setting("over-dispersed, autocorrelated, 20 of 60", 20, noise=0.5, handed_on=0.7),
    Setting("over-dispersed, autocorrelated, 12 of 60", 12, noise=0.5, handed_on=0.7),
    Setting("over-dispersed, autocorrelated, 3 of 60", 3, noise=0.5, handed_on=0.7),
    Setting("over-dispersed, autocorrelated, 1 of 40", 1, 40, noise=0.5, handed_on=0.7),
    Setting("the same, and treated areas share shocks, 12 of 60", 12, noise=0.5, handed_on=0.7,
            shared=0.2),
)  # fmt: skip


def draw(setting: Setting, effect: float, rng: np.random.Generator) -> Panel:
    """Draw a panel in which something was counted on either side in the treated areas."""
    while True:
        panel = draw_once(setting, effect, rng)
        if all(panel.total(TREATED, after=after) for after in (False, True)):
            return panel


def draw_once(setting: Setting, effect: float, rng: np.random.Generator) -> Panel:
    """Draw a panel; areas differ in level by a gamma distribution of shape 2."""
    periods = setting.before + setting.after
    level = setting.mean * rng.gamma(2.0, 0.5, setting.areas) + 0.2
    logs = np.zeros((setting.areas, periods))
    state = rng.normal(0, setting.noise, setting.areas)
    for month in range(periods):
        fresh = rng.normal(0, setting.noise, setting.areas)
        state = setting.handed_on * state + np.sqrt(1 - setting.handed_on**2) * fresh
        logs[:, month] = state
    logs += rng.normal(0, 0.15, periods)
    logs[: setting.treated] += rng.normal(0, setting.shared, 1)
    logs[: setting.treated, setting.before :] += rng.normal(0, setting.shared, 1)
    means = level[:, None] * np.exp(logs - setting.noise**2 / 2)
    means[: setting.treated, setting.before :] *= 1 + effect
    codes = [f"a{n:03}" for n in range(setting.areas)]
    months = pd.date_range("2022-01-01", periods=periods, freq="MS")
    counts = pd.DataFrame(
        {
            "area_code": np.repeat(codes, periods),
            "period": np.tile(months, setting.areas),
            "count": rng.poisson(means).ravel(),
        }
    )
    return make_panel(counts, treated=codes[: setting.treated], start=months[setting.before])


def intervals(panel: Panel, seed: int) -> dict[str, tuple[float, float]]:
    """Return the interval of every method, in per cent."""
    row = displacement(panel).loc[TREATED]
    wide = (row["upper"] - row["lower"]) / 2
    plain = 1.96 * row["se_poisson"]
    ends = {"WDD": (row["difference"] - wide, row["difference"] + wide)}
    ends["WDD, Poisson alone"] = (row["difference"] - plain, row["difference"] + plain)
    found = {
        name: tuple(100 * end / row["expected"] for end in pair) for name, pair in ends.items()
    }
    tried = [("poisson", "permutation"), ("linear", "permutation")]
    if (panel.roles == TREATED).sum() > 1:
        tried += [("poisson", "cluster"), ("linear", "cluster"), ("linear", "wild")]
    for model, inference in tried:
        one = difference_in_differences(
            panel, model=model, inference=inference, draws=DRAWS, rng=seed
        ).iloc[0]
        found[f"{model}, {inference}"] = (one["percent_lower"], one["percent_upper"])
    one = difference_in_differences(panel, draws=DRAWS, rng=seed).iloc[0]
    found["difference in differences, as chosen"] = (one["percent_lower"], one["percent_upper"])
    return found


def coverage(setting: Setting, simulations: int) -> pd.DataFrame:
    """Return false positives without an effect, and coverage and power with one."""
    rng = np.random.default_rng(1)
    rows = []
    for number in range(simulations):
        for effect in (0.0, EFFECT):
            panel = draw(setting, effect, rng)
            for name, (low, high) in intervals(panel, number).items():
                rows.append((name, effect, low <= 100 * effect <= high, not low <= 0 <= high))
    table = pd.DataFrame(rows, columns=["method", "effect", "covered", "seen"])
    means = table.groupby(["method", "effect"], sort=False)[["covered", "seen"]].mean().unstack()
    return pd.DataFrame(
        {
            "false positives": means["seen", 0.0],
            "coverage": means["covered", EFFECT],
            "power": means["seen", EFFECT],
        }
    )


def placebo_rates(simulations: int) -> dict[str, float]:
    """Return how often tests of the synthetic control and of the time before are positive."""
    rng = np.random.default_rng(2)
    setting = replace(SETTINGS[4], before=36, mean=6.0)
    first, any_of, most, trend = [], [], [], []
    for number in range(simulations):
        blocks = in_blocks(draw(setting, 0.0, rng), 3)
        p = synthetic_control(blocks).range["p_value"]
        first.append(p.iloc[0] < 0.05)
        any_of.append((p < 0.05).any())
        most.append((p < 0.05).mean() > 0.5)
        trend.append(pre_trend(blocks, draws=DRAWS, rng=number)["p_value"])
    before = pd.DataFrame(trend) < 0.05
    return {
        "synthetic control, first specification": float(np.mean(first)),
        "synthetic control, any specification": float(np.mean(any_of)),
        "synthetic control, most specifications": float(np.mean(most)),
        "time before, together": float(before["together"].mean()),
        "time before, drift": float(before["drift"].mean()),
    }


def leicestershire(data: Path) -> tuple[pd.DataFrame, gpd.GeoDataFrame]:
    """Return burglary by month and area, and the areas."""
    nation = gpd.read_parquet(data / "boundaries" / "lsoa_2021_ew.parquet")
    lookup = pd.read_csv(data / "lookups" / "lad24_csp24_pfa24.csv")
    districts = lookup.loc[lookup["PFA24NM"] == "Leicestershire", "LAD24CD"]
    areas = nation[nation["LADCD"].isin(districts)].to_crs(27700)
    areas = areas.rename(columns={"LSOA21CD": "area_code"}).set_index("area_code")
    events = read_police(data / "police_uk" / "leicestershire.zip")
    counts = count_by_area(events, areas, outside="drop")
    return counts[counts["category"] == "Burglary"], areas


def pretended(data: Path, simulations: int) -> pd.DataFrame:
    """Pretend that something was done in areas that lie together, and see how often it "worked"."""
    counts, areas = leicestershire(data)
    near = k_nearest(areas, k=9)
    rng = np.random.default_rng(3)
    rows = []
    for number in range(simulations):
        middle = rng.choice(areas.index)
        treated = [middle, *near[middle].index]
        when = {"start": "2025-01-01", "before": 24, "after": 12}
        apart = evaluate(make_panel(counts, treated=treated, **when), synthetic=False, rng=number)
        found = evaluate(
            make_panel(counts, treated=treated, areas=areas, **when), synthetic=False, rng=number
        )
        row = found.displacement.loc[TREATED]
        plain = abs(row["difference"]) > 1.96 * row["se_poisson"]
        did = found.difference is not None and found.difference["p_value"].iloc[0] < 0.05
        verdicts = [one.verdict in ("fewer", "more") for one in (apart, found)]
        rows.append((plain, verdicts[0], row["p_value"] < 0.05, did, verdicts[1]))
    columns = [
        "WDD, Poisson alone",
        "both, were areas taken one by one",
        "WDD",
        "difference in differences",
        "both (what is reported)",
    ]
    return pd.DataFrame(rows, columns=columns).mean().to_frame("false positives")


def statsmodels_fit(panel: Panel) -> float:
    """Fit the same model with dummies for areas and periods; return the effect."""
    counts = panel.counts
    areas, periods = counts.shape
    area = np.repeat(np.arange(areas), periods)
    period = np.tile(np.arange(periods), areas)
    treated = (panel.roles == TREATED).to_numpy()
    done = treated[area] & panel.after[period]
    design = np.column_stack(
        [np.eye(areas)[area], np.eye(periods)[period][:, 1:], done.astype(float)]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = sm.GLM(counts.to_numpy().ravel(), design, family=sm.families.Poisson())
        return float(model.fit(cov_type="cluster", cov_kwds={"groups": area}).params[-1])


def run(data: Path) -> list[Result]:
    """Time drawn series, so `data` is not read."""
    del data
    panel = draw(replace(SETTINGS[1], areas=80, treated=20), EFFECT, np.random.default_rng(0))
    ours, theirs = beside(
        lambda: difference_in_differences(panel, inference="cluster"),
        lambda: statsmodels_fit(panel),
        times=1,
    )
    effect = difference_in_differences(panel, inference="cluster")["effect"].iloc[0]
    permuted = seconds(lambda: difference_in_differences(panel, inference="permutation"), times=3)
    blocks = in_blocks(panel, 3)
    control = seconds(lambda: synthetic_control(blocks), times=1, warm=0)
    return [
        Result(
            "difference_in_differences",
            "80 areas, 36 months, clustered by area",
            ours,
            peer="statsmodels GLM with dummies",
            theirs=theirs,
            same_answer=bool(np.isclose(effect, statsmodels_fit(panel), atol=1e-6)),
            notes={"1,999 permutations with interval, seconds": permuted},
        ),
        Result(
            "synthetic_control",
            "60 donors, 20 treated, 12 quarters, every specification with 199 placebos",
            control,
            limit=30.0,
        ),
    ]


def main() -> None:
    """Print what stands in docs/evaluation.md."""
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    for setting in SETTINGS:
        print(f"\n{setting.name}, {simulations} simulations")
        print(coverage(setting, simulations).round(3).to_string(), flush=True)
    print()
    for name, rate in placebo_rates(min(simulations, 300)).items():
        print(f"{name}: {rate:.3f}", flush=True)
    data = os.environ.get("PLACESHAPING_DATA")
    if data:
        print(f"\nLeicestershire, burglary, {simulations} pretended measures in 10 areas each")
        print(pretended(Path(data), simulations).round(3).to_string())


if __name__ == "__main__":
    main()
