"""Residents by age, households and electors, by output area."""

from __future__ import annotations

import numpy as np
import pandas as pd

from placeshaping.synthetic.hierarchy import Hierarchy
from placeshaping.synthetic.terrain import Floats, Ints

AGE_BANDS: tuple[str, ...] = (
    "age_0_15", "age_16_17", "age_18_29", "age_30_44", "age_45_59", "age_60_66", "age_67_plus",
)  # fmt: skip
"""Columns of residents by age; they add up to `residents`."""

_SHARES = np.array([0.185, 0.024, 0.15, 0.195, 0.2, 0.085, 0.161])
_LEAST, _MOST = 1_000, 3_000


def make_people(
    hierarchy: Hierarchy,
    weight: Floats,
    need: Floats,
    centrality: Floats,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """
    Draw the people of each output area.

    Parameters
    ----------
    hierarchy
        Who belongs to whom.
    weight
        Of each output area: how built-up it is.
    need
        Of each output area: deprivation, standard normal.
    centrality
        Of each output area: nearness to a town centre, 0 to 1.
    rng
        Source of randomness.

    Returns
    -------
    people
        One row an output area: `residents`, the age bands, `households`,
        `electors`, `electors_in_five_years`.
    """
    residents = _residents(hierarchy.lsoa_of_oa, weight, rng)
    old = 0.35 * rng.standard_normal(len(residents)) - 0.25 * need - 0.8 * centrality
    lean = np.array([-0.2, -0.2, -0.6, -0.25, 0.15, 0.6, 0.9])
    young = np.array([0.12, 0.1, 0.25, 0.05, -0.05, -0.1, -0.12])
    odds = _SHARES * np.exp(0.55 * old[:, None] * lean + 0.4 * need[:, None] * young)
    ages = rng.multinomial(residents, odds / odds.sum(axis=1, keepdims=True))
    size = np.clip(2.35 - 0.35 * centrality - 0.12 * old + rng.normal(0, 0.08, len(old)), 1.5, 3.2)
    households = np.maximum(40, np.round(residents / size)).astype(np.int64)
    adults = ages[:, 2:].sum(axis=1)
    electors = rng.binomial(adults, np.clip(0.93 - 0.03 * need, 0.7, 0.99))
    growth = 1 + 0.012 + 0.015 * rng.standard_normal(len(adults))
    estate = rng.random(len(adults)) < 0.02
    growth[estate] += rng.uniform(0.2, 0.9, int(estate.sum()))
    table = pd.DataFrame({"residents": residents})
    for name, column in zip(AGE_BANDS, ages.T, strict=True):
        table[name] = column
    table["households"] = households
    table["electors"] = electors
    table["electors_in_five_years"] = np.round(electors * growth).astype(np.int64)
    return table


def _residents(lsoa: Ints, weight: Floats, rng: np.random.Generator) -> Ints:
    """Draw residents around 310 an output area, an LSOA holding 1,000 to 3,000."""
    relative = np.maximum(weight, 1e-6) / weight.mean()
    factor = np.exp(rng.normal(0, 0.13, int(lsoa.max()) + 1))[lsoa]
    draw = 316 * relative**0.3 * factor * np.exp(rng.normal(0, 0.2, len(lsoa)))
    residents = np.clip(draw, 100, 625)
    total = np.bincount(lsoa, weights=residents)
    scale = np.clip(total, _LEAST + 25, _MOST - 25) / total
    return np.asarray(np.round(residents * scale[lsoa]), dtype=np.int64)
