"""An index of deprivation with its domains, in the layout of the official file 7 of 2025."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import stats

from placeshaping.synthetic.hierarchy import Hierarchy
from placeshaping.synthetic.labels import Labels
from placeshaping.synthetic.terrain import Floats, Ints

ENGLAND = 33_755
"""LSOAs in the national ranking that the invented ranks pretend to belong to."""

_IMD = "Index of Multiple Deprivation (IMD)"
_RANK = "Rank (where 1 is most deprived)"
_DECILE = "Decile (where 1 is most deprived 10% of LSOAs)"

# Name, suffix of its score, weight in the index, correlation with need, and how the score is
# spread: the weights and the exponential transformation are those of the Indices' technical report.
_DOMAINS: tuple[tuple[str, str, float, float, str], ...] = (
    ("Income", "Score (rate)", 0.225, 0.95, "rate"),
    ("Employment", "Score (rate)", 0.225, 0.92, "rate"),
    ("Education, Skills and Training", "Score", 0.135, 0.86, "index"),
    ("Health Deprivation and Disability", "Score", 0.135, 0.88, "normal"),
    ("Crime", "Score", 0.093, 0.70, "normal"),
    ("Barriers to Housing and Services", "Score", 0.093, -0.15, "index"),
    ("Living Environment", "Score", 0.093, 0.25, "index"),
)
_SUPPLEMENTS: tuple[tuple[str, str, float, str], ...] = (
    ("Income Deprivation Affecting Children Index (IDACI)", "Score (rate)", 0.9, "rate"),
    ("Income Deprivation Affecting Older People (IDAOPI)", "Score (rate)", 0.85, "rate"),
    ("Children and Young People Sub-domain", "Score", 0.82, "normal"),
    ("Adult Skills Sub-domain", "Score", 0.85, "index"),
    ("Geographical Barriers Sub-domain", "Score", -0.5, "normal"),
    ("Wider Barriers Sub-domain", "Score", 0.5, "normal"),
    ("Indoors Sub-domain", "Score", 0.2, "normal"),
    ("Outdoors Sub-domain", "Score", 0.3, "normal"),
)


def make_deprivation(
    hierarchy: Hierarchy,
    labels: Labels,
    need: Floats,
    remoteness: Floats,
    people: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """
    Score and rank LSOAs as if in a national ranking.

    Parameters
    ----------
    hierarchy, labels
        Who belongs to whom, and codes.
    need
        Of each LSOA: latent deprivation, about standard normal, spatially correlated.
    remoteness
        Of each LSOA: distance from services, about standard normal.
    people
        Residents by age, one row an LSOA.
    rng
        Source of randomness.

    Returns
    -------
    deprivation
        One row an LSOA of 2021, columns named as in file 7 of the English
        Indices of Deprivation 2025, one cut-off name included.
    """
    district = hierarchy.district_of_lsoa
    columns: dict[str, object] = {
        "LSOA code (2021)": labels.lsoa,
        "LSOA name (2021)": labels.lsoa_name,
        "Local Authority District code (2024)": labels.district[district],
        "Local Authority District name (2024)": labels.district_name[district],
    }
    latent = {}
    for name, _, _, tie, _ in _DOMAINS:
        noise = rng.standard_normal(len(need))
        if name.startswith("Barriers"):
            noise = 0.8 * remoteness + 0.6 * noise
        latent[name] = tie * need + np.sqrt(1 - tie**2) * noise
    columns |= _block(_IMD, "Score", *_index(latent, rng))
    for name, suffix, _, _, spread in _DOMAINS:
        columns |= _block(name, suffix, _score(latent[name], spread), stats.norm.sf(latent[name]))
    for name, suffix, tie, spread in _SUPPLEMENTS:
        value = tie * need + np.sqrt(1 - tie**2) * rng.standard_normal(len(need))
        columns |= _block(name, suffix, _score(value, spread), stats.norm.sf(value))
    columns |= _denominators(people)
    table = pd.DataFrame(columns)
    cut = f"Children and Young People Sub-domain {_DECILE}"
    table = table.rename(columns={cut: cut[:80]})  # the official file cuts this one name off
    text = list(table.columns[:4])
    return table.astype(dict.fromkeys(text, "str")).sort_values(text[0], ignore_index=True)


def _index(latent: dict[str, Floats], rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the index and the share of England with a higher one."""
    score = _combine({name: stats.norm.cdf(value) for name, value in latent.items()})
    england = rng.standard_normal(ENGLAND)
    reference = _combine(
        {
            name: stats.norm.cdf(tie * england + np.sqrt(1 - tie**2) * rng.standard_normal(ENGLAND))
            for name, _, _, tie, _ in _DOMAINS
        }
    )
    above = ENGLAND - np.searchsorted(np.sort(reference), score, side="right")
    return np.round(score, 3), above / ENGLAND


def _combine(shares: dict[str, Floats]) -> Floats:
    total = np.zeros(len(next(iter(shares.values()))))
    for name, _, weight, _, _ in _DOMAINS:
        total += weight * -23 * np.log(1 - shares[name] * (1 - np.exp(-100 / 23)))
    return total


def _score(latent: Floats, spread: str) -> Floats:
    share = stats.norm.cdf(latent)
    if spread == "rate":
        return np.asarray(np.round(stats.beta.ppf(share, 1.6, 10.5), 3))
    if spread == "index":
        return np.asarray(np.round(np.minimum(stats.gamma.ppf(share, 1.9, scale=11.5), 99), 3))
    return np.asarray(np.round(0.85 * latent, 3))


def _block(name: str, suffix: str, score: Floats, above: Floats) -> dict[str, object]:
    total = max(ENGLAND, len(score))
    rank = _ranks(above, score, total)
    decile = np.minimum(10, (rank - 1) * 10 // total + 1)
    return {f"{name} {suffix}": score, f"{name} {_RANK}": rank, f"{name} {_DECILE}": decile}


def _ranks(above: Floats, score: Floats, total: int) -> Ints:
    """Return ranks near to the wanted shares, no two alike, higher scores first."""
    order = np.lexsort((-score, above))
    wanted = np.floor(above[order] * total).astype(np.int64) + 1
    step = np.arange(len(wanted))
    rank = np.maximum.accumulate(wanted - step) + step
    rank = np.minimum(rank, total - (len(rank) - 1 - step))
    out = np.empty(len(rank), dtype=np.int64)
    out[order] = rank
    return out


def _denominators(people: pd.DataFrame) -> dict[str, object]:
    older = people["age_60_66"] + people["age_67_plus"]
    working = people[["age_18_29", "age_30_44", "age_45_59", "age_60_66"]].sum(axis=1)
    employment = (
        "Working age population 18-66 (for use with Employment Deprivation Domain): mid 2022"
    )
    return {
        "Total population: mid 2022": people["residents"].to_numpy(),
        "Dependent Children aged 0-15: mid 2022": people["age_0_15"].to_numpy(),
        "Older population aged 60 and over: mid 2022": older.to_numpy(),
        employment: working.to_numpy(),
    }
