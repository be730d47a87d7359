"""Indicators into domains: ranks on the normal scale, worked out otherwise."""

from statistics import NormalDist

import pandas as pd
import pytest

from placeshaping._core.columns import column_tags, tag_columns
from placeshaping._core.errors import ColumnError
from placeshaping.statistics.domains import domain_ranks

RANKS = pd.DataFrame(
    {"damp": [1, 2, 3, 4], "cold": [4, 1, 3, 2], "old": [2.5, 2.5, 1, 4]}, index=list("abcd")
)


def test_a_domain_is_the_mean_of_normal_scores_ranked():
    ranked = domain_ranks(RANKS, {"damp": "homes", "cold": "homes", "old": "age"})
    normal = NormalDist().inv_cdf
    mean = [(normal((5 - a) / 5) + normal((5 - b) / 5)) / 2
            for a, b in zip(RANKS["damp"], RANKS["cold"], strict=True)]  # fmt: skip
    expected = [1.0 + sum(round(other - one, 9) > 0 for other in mean)
                + (sum(round(other - one, 9) == 0 for other in mean) - 1) / 2
                for one in mean]  # fmt: skip
    assert ranked["homes"].tolist() == expected
    assert ranked.columns.tolist() == ["homes", "age"]


def test_a_domain_of_one_indicator_keeps_its_ranks_and_ties():
    ranked = domain_ranks(RANKS, {"old": "age"})
    assert ranked["age"].tolist() == RANKS["old"].tolist()
    assert ranked.index.equals(RANKS.index)


def test_a_domain_is_tagged_as_the_most_sensitive_of_its_indicators():
    ranks = RANKS.copy()
    tag_columns(ranks, {"damp": "audit_only", "cold": "special"})
    ranked = domain_ranks(ranks, {"damp": "homes", "cold": "homes", "old": "age"})
    assert column_tags(ranked) == {"homes": "special"}


def test_an_indicator_without_a_column_is_refused():
    with pytest.raises(ColumnError, match="no column 'warm'"):
        domain_ranks(RANKS, {"warm": "homes"})
