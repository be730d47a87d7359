"""Several indicators into the rank of one domain, before domains are weighed into an index."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from scipy import special

from placeshaping._core.checks import check_columns
from placeshaping._core.columns import Tag, column_tags, tag_columns

_MILDEST_FIRST: tuple[Tag, ...] = ("open", "audit_only", "personal", "special")


def domain_ranks(ranks: pd.DataFrame, domains: Mapping[str, str]) -> pd.DataFrame:
    """
    Rank areas in each domain by the mean of its indicators' normal scores.

    Each indicator's ranks are turned into quantiles of the normal distribution,
    ``z = Phi^-1((N + 1 - rank) / (N + 1))``, and those of a domain are averaged
    with equal weights, as the Indices of Deprivation do where no factor
    analysis is called for (McLennan et al. 2019, technical report, chapter 3).

    Parameters
    ----------
    ranks
        From `indices.rank_areas`: areas by indicators, 1 being most in need.
    domains
        Indicator -> its domain.

    Returns
    -------
    ranked
        Index of `ranks`; one column a domain, in the order of `domains`. Ties
        share their mean rank. A domain is tagged as its indicators are.

    Raises
    ------
    ColumnError
        If an indicator has no column.

    Examples
    --------
    >>> ranks = pd.DataFrame({"damp": [1, 2, 3], "cold": [2, 1, 3], "old": [3, 1, 2]})
    >>> domain_ranks(ranks, {"damp": "homes", "cold": "homes", "old": "age"}).to_dict("list")
    {'homes': [1.5, 1.5, 3.0], 'age': [3.0, 1.0, 2.0]}
    """
    check_columns(ranks.columns, domains, where="The table of ranks")
    size = len(ranks)
    share = (size + 1 - ranks[list(domains)]) / (size + 1)
    normal = pd.DataFrame(special.ndtri(share), index=ranks.index, columns=list(domains))
    tags = column_tags(ranks)
    made: dict[str, pd.Series[float]] = {}
    tagged: dict[str, Tag] = {}
    for domain in dict.fromkeys(domains.values()):
        members = [name for name, where in domains.items() if where == domain]
        mean = normal[members].mean(axis="columns").round(10)
        made[domain] = mean.rank(ascending=False)
        found = {tags[name] for name in members if name in tags}
        if found:
            tagged[domain] = max(found, key=_MILDEST_FIRST.index)
    result = pd.DataFrame(made, index=ranks.index)
    if tagged:
        tag_columns(result, tagged)
    return result
