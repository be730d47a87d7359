"""Words of sentences: names of areas, and what was counted."""

import pandas as pd
import pytest

from placeshaping._core.errors import InputError
from placeshaping._core.words import in_plural, name_areas
from placeshaping.hotspots.emerging_words import emerging_paragraph
from placeshaping.hotspots.getis import CLUSTERS
from placeshaping.hotspots.near_repeat import describe_near_repeat
from placeshaping.hotspots.paragraph import describe_clusters
from placeshaping.hotspots.repeats import describe_repeats, repeat_locations
from placeshaping.hotspots.scan_words import scan_sentences
from placeshaping.hotspots.streets import describe_streets
from placeshaping.hotspots.time_of_day import describe_profile
from placeshaping.statistics.change import change_between, describe_change
from placeshaping.statistics.concentration import describe_inequality
from placeshaping.statistics.dispersion import describe_dispersion
from placeshaping.statistics.funnel import describe_funnel
from placeshaping.statistics.sensitivity import describe_index
from placeshaping.statistics.standardisation import describe_ratios

CLUSTER = {
    "centre": "a", "radius": 0.0, "areas": 1, "start": None, "end": None,
    "observed": 310, "expected": 250.0, "p_value": 0.001,
}  # fmt: skip
HOT = pd.DataFrame(
    {"gi_star": [4.0, 0.1], "cluster": pd.Categorical(["hot_99", "none"], list(CLUSTERS))},
    index=["a", "b"],
)
EMERGING = pd.DataFrame(
    {"category": pd.Categorical(["new_hot", "no_pattern"]), "gi_star": [4.0, 0.1]},
    index=["a", "b"],
)


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("burglaries", "burglaries"),
        ("Shoplifting", "records of shoplifting"),
        ("Anti-social behaviour", "records of anti-social behaviour"),
        ("Theft from the person", "thefts from the person"),
        ("Possession of weapons", "records of possession of weapons"),
        ("Violence and sexual offences", "violence and sexual offences"),
        ("recorded crime", "recorded crimes"),
        ("reports of fly-tipping", "reports of fly-tipping"),
        ("assaults in pubs", "assaults in pubs"),
        ("ASB calls", "ASB calls"),
        ("", "records of "),
    ],
)
def test_a_number_can_stand_before_what_was_counted(what, told):
    assert in_plural(what) == told


def test_an_area_without_a_name_is_told_by_its_code():
    names = pd.Series(["Marsh 001A", None], index=["a", "b"])
    assert name_areas(["a", "b", "c"], names) == ["Marsh 001A", "b", "c"]


@pytest.mark.parametrize("names", [{"a": "Marsh 001A"}, pd.Series({"a": "Marsh 001A"})])
def test_names_are_a_mapping_or_a_series(names):
    change = change_between(pd.Series({"a": 50, "b": 8}), pd.Series({"a": 150, "b": 6}))
    texts = [
        describe_clusters(HOT, what="Shoplifting", names=names),
        emerging_paragraph(EMERGING, what="Shoplifting", names=names),
        scan_sentences(pd.DataFrame([CLUSTER]), what="Shoplifting", names=names)[0],
        describe_change(change, what="Shoplifting", names=names),
    ]
    assert all("Marsh 001A" in text for text in texts)
    assert texts[0].startswith("In 1 of 2 areas, with those around it, there are more records of ")
    assert texts[2].startswith("In Marsh 001A: 310 records of shoplifting, where 250.0 were ")


@pytest.mark.parametrize(
    ("describe", "maker"),
    [
        (describe_near_repeat, "knox"),
        (describe_repeats, "repeat_locations"),
        (describe_streets, "hot_streets"),
        (describe_profile, "temporal_profile"),
        (describe_change, "change_between"),
        (describe_dispersion, "change_dispersion"),
        (describe_funnel, "funnel_limits"),
        (describe_index, "rank_sensitivity"),
        (describe_ratios, "indirectly_standardised_ratio"),
        (lambda table: describe_inequality(table, None), "decile_table"),
    ],
)
def test_the_result_of_another_function_is_not_described(describe, maker):
    with pytest.raises(InputError, match=f"not what {maker} gives: it lacks"):
        describe(pd.DataFrame({"other": [1]}))


def test_a_result_that_lost_its_facts_is_not_described():
    change = change_between(pd.Series({"a": 50, "b": 8}), pd.Series({"a": 90, "b": 6}))
    change.attrs = {}
    with pytest.raises(InputError, match=r"overall.*loses what stood in attrs"):
        describe_change(change)


def test_a_slope_that_is_none_is_refused():
    table = pd.DataFrame({"rate": [1.0]})
    with pytest.raises(InputError, match=r"slope is a NoneType\. Give slope_index"):
        describe_inequality(table, None)


def test_services_without_names_are_refused():
    with pytest.raises(InputError, match="services is a DataFrame"):
        repeat_locations(pd.DataFrame({"uprn": [1]}), key="uprn")
