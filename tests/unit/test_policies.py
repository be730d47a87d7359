"""The rules of each policy, and policies that a council writes for itself."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from placeshaping._core.errors import DisclosureError
from placeshaping.disclosure.own_policies import (
    known_policy,
    looser_fields,
    make_policy,
    read_policy,
)
from placeshaping.disclosure.permission import check_policy, governed
from placeshaping.disclosure.policies import POLICIES, Policy
from placeshaping.disclosure.release import release
from placeshaping.hotspots.study import Study
from placeshaping.layers.geopackage import write_layers
from placeshaping.verify.files import verify_file


def test_the_eight_policies_of_the_design_are_there() -> None:
    assert list(POLICIES) == [
        "open",
        "public",
        "councillor",
        "police",
        "nhs",
        "ons-10-5",
        "restricted",
        "internal",
    ]


def test_every_field_is_compared_when_a_policy_is_loosened() -> None:
    told = {"name", "audience", "stamp", "base", "loosened"}
    loosest = Policy(
        "loosest",
        "all",
        threshold=0,
        rounding=1,
        zeros_shown=True,
        numbers=True,
        method="as_is",
        extra_fields=("ward_notes",),
        sensitive_factor=1,
    )
    strict = dataclasses.replace(
        POLICIES["police"], counts_shown=False, shareable_map=False, leaves=False, zeros_shown=False
    )
    compared = {field.name for field in dataclasses.fields(Policy)} - told
    assert set(looser_fields(loosest, strict)) == compared


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"name": "own", "threshold": 5}, "threshold = 5 is looser than in 'public'"),
        ({"name": "own", "loosen": ["rounding"]}, "loosen names rounding, which is not looser"),
        ({"name": "own", "treshold": 12}, "no rule 'treshold'. Did you mean threshold"),
        ({"name": "own", "threshold": "12"}, "threshold = '12' is of the wrong kind"),
        ({"name": "own", "zeros_shown": 1}, "zeros_shown = 1 is of the wrong kind"),
        ({"name": "own", "zeros_shown": "no"}, "wrong kind; write true or false, without quotes"),
        ({"name": "own", "threshold": "12"}, "write a whole number, without quotes"),
        ({"name": "own", "extra_fields": "x"}, r"write a list of texts: \['a', 'b'\]"),
        ({"name": "own", "base": ["public"]}, r"base = \['public'\] is of the wrong kind"),
        ({"name": "own", "loosen": 3}, "loosen = 3 is of the wrong kind"),
        ({"name": "own", "loosen": [3]}, r"loosen = \[3\] is of the wrong kind"),
        ({"name": "own", "bse": "public"}, "there is no rule 'bse'.*base"),
        ({"name": "own", "losen": ["threshold"]}, "Did you mean loosen"),
        ({"name": "public", "threshold": 12}, "'public' is a policy that is there already; give"),
        ({"threshold": 12}, "give it a name of its own"),
        ({"name": "own", "base": "publik"}, "no policy 'publik'. Did you mean public"),
        ({"name": "own", "threshold": 12}, "12, is rounded to 10, which the threshold hides"),
        ({"name": "own", "method": "suppress"}, "needs a threshold of 2 or more, and rounding = 1"),
        ({"name": "own", "method": "hide"}, "method is 'hide'"),
        ({"name": "own", "dominance": 1.5}, "dominance is a share"),
        ({"name": "own", "finest": "street"}, "finest is 'street'"),
        ({"name": "own", "rounding": 0}, "rounding and sensitive_factor are 1 or more"),
    ],
)
def test_a_wrong_policy_is_told(given: dict[str, object], told: str) -> None:
    with pytest.raises(DisclosureError, match=told.replace("(", r"\(")):
        make_policy(given)


def test_one_field_may_be_loosened_without_a_list() -> None:
    own = make_policy({"name": "own", "base": "public", "threshold": 8, "loosen": "threshold"})
    assert own.loosened == ("threshold",)


@pytest.mark.parametrize("base", ["internal", "restricted"])
@pytest.mark.parametrize("words", [{"stamp": ""}, {"audience": "anybody; for the web"}])
def test_what_must_stay_inside_bears_no_other_words(base: str, words: dict[str, Any]) -> None:
    """A policy of another name could else put raw counts out as if they were protected."""
    with pytest.raises(DisclosureError, match="not protected and must stay inside"):
        make_policy({"name": "own", "base": base, **words})
    disguised = dataclasses.replace(POLICIES[base], name="own", base=base, **words)
    with pytest.raises(DisclosureError, match="not protected and must stay inside"):
        known_policy(disguised)


def test_a_policy_is_loosened_by_naming_the_field() -> None:
    own = make_policy(
        {
            "name": "members",
            "base": "councillor",
            "rounding": 3,
            "threshold": 6,
            "loosen": ["rounding"],
        }
    )
    assert (own.threshold, own.rounding, own.base, own.loosened) == (
        6,
        3,
        "councillor",
        ("rounding",),
    )
    assert known_policy(own) == own
    with pytest.raises(DisclosureError, match="in zeros_shown, which it does not name"):
        known_policy(dataclasses.replace(own, base="public", loosened=("rounding", "threshold")))


def test_a_policy_is_read_from_toml(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text('name = "strict"\nthreshold = 20\nextra_fields = []\n', encoding="utf-8")
    assert read_policy(path).threshold == 20
    path.write_text("name = strict", encoding="utf-8")
    with pytest.raises(DisclosureError, match=r"own\.toml is not a policy in TOML"):
        read_policy(path)


def test_personal_records_need_a_threshold_whatever_a_policy_allows() -> None:
    loose = make_policy(
        {
            "name": "own",
            "base": "councillor",
            "threshold": 3,
            "rounding": 3,
            "loosen": ["threshold", "rounding"],
        }
    )
    check_policy(loose, sensitivity="open", already_published="https://data.police.uk")
    with pytest.raises(DisclosureError, match="'personal' need a threshold of at least 5"):
        check_policy(loose, sensitivity="personal")


def test_special_records_are_protected_twice_as_strictly() -> None:
    assert governed(POLICIES["councillor"], "special").threshold == 10
    assert governed(POLICIES["public"], "special").threshold == 20
    assert governed(POLICIES["internal"], "special") is POLICIES["internal"]
    check_policy(governed(POLICIES["councillor"], "special"), sensitivity="special")


def test_purpose_and_expiry_are_demanded_where_the_policy_needs_them() -> None:
    police = POLICIES["police"]
    with pytest.raises(DisclosureError, match="needs a purpose"):
        check_policy(police, sensitivity="personal")
    with pytest.raises(DisclosureError, match="needs the last day"):
        check_policy(police, sensitivity="personal", purpose="night shift")
    with pytest.raises(DisclosureError, match="lies before the product's own date"):
        check_policy(
            police,
            sensitivity="personal",
            purpose="night shift",
            expires=dt.date(2026, 1, 1),
            made_on=dt.date(2026, 2, 1),
        )


def test_a_policy_of_a_councils_own_is_judged_by_what_it_declares(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    """Every rule that differs from the base is in the file, so that verify can hold it to it."""
    own = make_policy(
        {
            "name": "members",
            "base": "councillor",
            "threshold": 6,
            "rounding": 3,
            "dominance": 0.4,
            "loosen": ["rounding"],
        }
    )
    made = release(make_study(), policy=own, title="t", made_on=dt.date(2026, 1, 31))
    assert made.declaration["base"] == "councillor"
    assert made.declaration["dominance"] == 0.4
    path = write_layers(made, tmp_path / "layers.gpkg")
    assert not verify_file(path).passed
    assert verify_file(path, policy="members").passed


def test_scores_that_a_policy_lets_out_are_stopped_where_they_give_counts_back(
    make_study: Callable[..., Study], tmp_path: Path
) -> None:
    own = make_policy(
        {"name": "scores", "base": "councillor", "numbers": True, "loosen": ["numbers"]}
    )
    made = release(make_study(), policy=own, title="t", made_on=dt.date(2026, 1, 31))
    assert "gi_star" in made.tables["lsoa"].values
    verdict = verify_file(write_layers(made, tmp_path / "layers.gpkg"), policy="scores")
    assert {breach.attack for breach in verdict.breaches} == {"scores"}
