"""Hot spots told in a paragraph."""

import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, InputError
from placeshaping.hotspots.getis import CLUSTERS
from placeshaping.hotspots.local_moran import QUADRANTS
from placeshaping.hotspots.paragraph import describe_clusters


def make_result(labels, categories, **columns):
    frame = {"cluster": pd.Categorical(labels, list(categories)), **columns}
    return pd.DataFrame(frame, index=list("abcdef")[: len(labels)])


def test_hot_spots_are_named_by_their_records():
    result = make_result(
        ["hot_95", "hot_99", "none", "cold_95", None],
        CLUSTERS,
        count=[50, 3, 10, 1, 2],
        gi_star=[3.0, 4.0, 0.0, -3.0, None],
    )
    names = pd.Series({"a": "Castle Park", "b": "North Station"})
    assert describe_clusters(result, what="burglaries", names=names) == (
        "In 2 of 4 areas, with those around them, there are more burglaries than chance would "
        "bring together: Castle Park, North Station. They hold 53 of 64 burglaries (83%). 1 of "
        "them has fewer than average: it is named for what lies beside it. In 1 "
        "there are fewer than chance would leave. About one in twenty areas named on such maps is "
        "there by chance. The map says where, not why, and nothing about the people who live "
        "there. 1 of 5 areas could not be judged."
    )
    assert "together. They" in describe_clusters(result, most=0)


def test_no_hot_spots_are_told_as_such():
    result = make_result(["none"] * 3, CLUSTERS, gi_star=[0.0] * 3)
    assert describe_clusters(result, what="fires") == (
        "In none of 3 areas are there more fires than chance would bring together. That does not "
        "mean that none exist: few records hide much."
    )
    result = make_result(["none"] * 3, QUADRANTS, z_score=[0.0] * 3)
    assert "None of 3 areas stands out from chance in its fires" in describe_clusters(
        result, what="fires"
    )


def test_quadrants_are_told_one_by_one():
    result = make_result(
        ["high_high", "high_high", "low_high", "none"], QUADRANTS, z_score=[3.0, 5.0, -4.0, 0.0]
    )
    assert describe_clusters(result, what="thefts").startswith(
        "2 of 4 areas have many thefts, as have the areas around them: b, a. 1 of 4 areas have few "
        "thefts among areas with many: c. About one in twenty"
    )


def test_what_cannot_be_told_is_refused():
    with pytest.raises(ColumnError, match="no column 'cluster'"):
        describe_clusters(pd.DataFrame({"gi_star": [1.0]}))
    with pytest.raises(InputError, match="of another method"):
        describe_clusters(make_result(["new"], ["new", "old"]))
    several = make_result(["none"] * 2, CLUSTERS, series=["x", "y"], gi_star=[0.0] * 2)
    with pytest.raises(InputError, match="several series"):
        describe_clusters(several)
