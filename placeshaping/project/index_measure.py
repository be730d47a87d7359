"""Areas into tenths by need, and how far the tenths hang on the weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from placeshaping._core.checks import listed
from placeshaping._core.errors import EmptyError
from placeshaping.project.index_inputs import FEWEST_AREAS, IndexInputs, check_varied
from placeshaping.project.segment_protect import UNIT

if TYPE_CHECKING:
    import pandas as pd

    from placeshaping.project.index_request import IndexRecipe


@dataclass(frozen=True, eq=False)
class Measured:
    """
    An index and all that is said of it, before anything is released.

    Attributes
    ----------
    tenths
        By area: `decile` (1 is most need), `lower`, `upper` (deciles that 95 %
        of the weightings give) and `kept` (share of them in its own).
    places
        Areas by indicators: share of areas with less need, 0 to 1.
    indicators
        By words: `domain`, `more_need`, `weight` (share of the index), `unit`,
        `low`, `median`, `high` and `shrunk` (median weight of the own figure).
    sensitivity
        From `sensitivity.weight_sensitivity`.
    beside
        Deciles here by deciles of deprivation; None where not known.
    agreement
        The same in a sentence; empty without.
    method
        How it was made, in sentences.
    cautions
        To be read before the numbers.
    """

    tenths: pd.DataFrame
    places: pd.DataFrame
    indicators: pd.DataFrame
    sensitivity: pd.DataFrame
    beside: pd.DataFrame | None
    agreement: str
    method: tuple[str, ...]
    cautions: tuple[str, ...]


def measure_areas(recipe: IndexRecipe, inputs: IndexInputs, values: pd.DataFrame) -> Measured:
    """
    Rank the areas, and tell how far their tenths hang on the weights.

    Parameters
    ----------
    recipe
        How.
    inputs
        Of the place.
    values
        Areas by indicators; areas that lack one are left out.

    Returns
    -------
    measured
        The index, and what is said of it.

    Raises
    ------
    EmptyError
        If fewer than ten areas have all values.
    InputError
        If an indicator is the same everywhere.
    """
    import numpy as np
    import pandas as pd

    from placeshaping.statistics.domains import domain_ranks
    from placeshaping.statistics.indices import rank_areas
    from placeshaping.statistics.sensitivity import rank_sensitivity, weight_sensitivity

    ask = recipe.index
    whole = values[list(ask.domains)].dropna()
    if len(whole) < FEWEST_AREAS:
        msg = (
            f"{len(whole):,} of {len(values):,} areas have all their numbers, and deciles need "
            f"{FEWEST_AREAS} or more. Take larger areas, or a longer span of records."
        )
        raise EmptyError(msg)
    check_varied(whole)
    ranks = rank_areas(whole, worst=ask.ways)
    domains = domain_ranks(ranks, ask.domains)
    weights = {str(name): float(ask.weights[str(name)]) for name in domains}
    drawn = rank_sensitivity(domains, weights, draws=ask.draws, spread=ask.spread, rng=ask.seed)
    size = len(whole)
    tenths = pd.DataFrame(
        {
            "decile": drawn["decile"],
            "lower": np.ceil(10 * drawn["lower"] / size).astype("int64"),
            "upper": np.ceil(10 * drawn["upper"] / size).astype("int64"),
            "kept": drawn["decile_kept"],
        }
    )
    beside, agreement = _beside(recipe, inputs, tenths["decile"], drawn["rank"])
    return Measured(
        tenths=tenths,
        places=1 - (ranks - 1) / (size - 1),
        indicators=_indicators(recipe, inputs, whole),
        sensitivity=weight_sensitivity(domains, weights, by=0.25),
        beside=beside,
        agreement=agreement,
        method=tuple(_method(recipe, inputs, size)),
        cautions=tuple(_cautions(recipe, domains, drawn["decile_kept"])),
    )


def _indicators(recipe: IndexRecipe, inputs: IndexInputs, whole: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    ask = recipe.index
    members = pd.Series(ask.domains)
    total = sum(ask.weights.values())
    units = {one.words: "%" for one in ask.indicators if one.of}
    units |= {} if ask.own is None else {ask.own.words: UNIT}
    each = members.map(lambda d: ask.weights[d] / total / int((members == d).sum()))
    return pd.DataFrame(
        {
            "domain": members,
            "more_need": pd.Series(ask.ways),
            "weight": each,
            "unit": members.index.map(lambda name: units.get(name, "")),
            "low": whole.min(),
            "median": whole.median(),
            "high": whole.max(),
            "shrunk": pd.Series(inputs.shrunk, dtype="float64").reindex(members.index),
        },
        index=members.index,
    )


def _beside(
    recipe: IndexRecipe, inputs: IndexInputs, decile: pd.Series[int], rank: pd.Series[int]
) -> tuple[pd.DataFrame | None, str]:
    """Compare with the Indices of Deprivation: a table of both, and a sentence."""
    import numpy as np
    import pandas as pd

    if inputs.deprivation is None or "imd_decile" not in inputs.deprivation:
        return None, ""
    known = inputs.deprivation.reindex(decile.index).dropna(subset="imd_decile")
    official = known["imd_decile"].astype("int64")
    table = pd.crosstab(decile.loc[known.index], official)
    table = table.reindex(index=range(1, 11), columns=range(1, 11), fill_value=0)
    if len(known) < FEWEST_AREAS or official.nunique() < 2:
        return table, f"{len(known):,} areas have a decile of deprivation: too few to compare."
    by = known["imd_rank"] if "imd_rank" in known and known["imd_rank"].notna().all() else official
    rho = float(rank.loc[known.index].corr(by, method="spearman"))
    error = np.sqrt((1 + rho**2 / 2) / (len(known) - 3))
    bounds = np.tanh(np.arctanh(np.clip(rho, -0.9999, 0.9999)) + np.array([-1.96, 1.96]) * error)
    first = decile.loc[known.index] == 1
    both = int((first & (official <= 3)).sum())
    sentence = (
        f"Ranks here and ranks of deprivation go together at {rho:.2f} (Spearman, 95% "
        f"{bounds[0]:.2f} to {bounds[1]:.2f}; {len(known):,} areas; 1 is the same order, 0 none). "
        f"Of the {int(first.sum()):,} areas of the first tenth here, {both:,} are among the three "
        "most deprived tenths of England."
    )
    used = {one.file for one in recipe.index.indicators}
    if recipe.deprivation is not None and recipe.deprivation.file in used:
        sentence += (
            " Part of this index is made of those Indices themselves, so that some of the "
            "agreement is of their making."
        )
    return table, sentence


def _method(recipe: IndexRecipe, inputs: IndexInputs, size: int) -> list[str]:
    ask = recipe.index
    total = sum(ask.weights.values())
    shares = ", ".join(f"{name} {weight / total:.0%}" for name, weight in ask.weights.items())
    within = ask.shrink_within or "place as a whole"
    steps = []
    if inputs.shrunk:
        steps.append(
            f"Shares ({listed(list(inputs.shrunk), most=20)}) were drawn towards those of the "
            f"{within}, the more so the fewer people stand behind them."
        )
    steps.append(
        f"{size:,} areas were ranked by each indicator; the indicators of a domain were averaged "
        "with equal weights on the normal scale and ranked again; ranks of domains were "
        f"transformed exponentially (constant 23) and weighted: {shares}. The steps are those of "
        "the Indices of Deprivation (McLennan et al. 2019, technical report)."
    )
    steps.append(
        f"How far tenths hang on the weights: {ask.draws:,} random sets of weights about the given "
        f"ones (Dirichlet, spread {ask.spread:g}, seed {ask.seed})."
    )
    return steps


def _cautions(recipe: IndexRecipe, domains: pd.DataFrame, kept: pd.Series[float]) -> list[str]:
    import numpy as np

    told = []
    share = float(kept.mean())
    if share < 0.75:
        told.append(
            f"The tenths hang on the weights: with others, an area is in the same tenth only "
            f"{share:.0%} of the time. Speak of the first three tenths rather than of one."
        )
    along = domains.corr("spearman").to_numpy()
    for i, j in zip(*np.nonzero(np.triu(along < -0.3, 1)), strict=True):
        told.append(
            f"{domains.columns[i]} and {domains.columns[j]} run against each other "
            f"({along[i, j]:.2f}): areas with more need in one have less in the other, and the "
            "index hides both. Is high or low more need in each of their indicators?"
        )
    if len(recipe.index.domains) < 3:
        told.append("Few indicators make an index of little: look at each of them as well.")
    return told
