"""What a new release gives away together with former ones is found, named and proved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import pytest

from placeshaping.disclosure.ledger.differences import Differences, find_differences
from placeshaping.disclosure.ledger.system import Known, error_of
from placeshaping.disclosure.policies import POLICIES, Policy

COLUMNS = ["level", "area_code", "first", "last", "category", "status", "count", "threshold"]
EXACT = Policy("exact", "test", 5, 1, zeros_shown=True, numbers=False, method="suppress")
PUBLIC, COUNCILLOR = POLICIES["public"], POLICIES["councillor"]
YEAR = ("2024-01", "2024-12")

Row = tuple[str, tuple[str, str], int | None]


def known(
    *rows: Row | tuple[str, tuple[str, str], int | None, str],
    policy: Policy = EXACT,
    name: str = "this release",
    members: Iterable[tuple[str, str]] = (),
    categories: Iterable[tuple[str, str]] = (),
) -> Known:
    """Build a release from (area, span, count[, category]); a count of None is hidden."""
    cells = pd.DataFrame(
        [
            ("lsoa", row[0], *row[1], row[3] if len(row) > 3 else "Burglary",
             "hidden" if row[2] is None else "shown", row[2], policy.threshold)
            for row in rows
        ],
        columns=COLUMNS,
    ).astype({"count": "Int64"})  # fmt: skip
    made_of = [("area", *pair) for pair in members] + [("category", *pair) for pair in categories]
    table = pd.DataFrame(made_of, columns=["kind", "whole", "part"], dtype=str)
    return Known(name, policy.smallest_hidden, error_of(policy), cells, table)


def differences(new: Known, *former: Known, policy: Policy = EXACT) -> Differences:
    """Attack a release together with former ones, oldest first."""
    return find_differences(
        new, former[::-1], numbers=range(len(former), 0, -1), threshold=policy.threshold
    )


def old(*rows: Row | tuple[str, tuple[str, str], int | None, str], **options: object) -> Known:
    return known(*rows, name="release 1", **options)  # type: ignore[arg-type]


def test_a_month_more_leaves_the_month() -> None:
    found = differences(known(("a", ("2024-01", "2025-01"), 15)), old(("a", YEAR, 12)))
    row = found.cells.iloc[0]
    assert len(found.cells) == 1
    assert row["proof"] == (
        "a, Burglary, 2025-01 = 15 (this release, 2024-01 to 2025-01) "
        "- 12 (release 1, 2024-01 to 2024-12) = 3"
    )
    assert (row["other_release"], row["lower"], row["upper"]) == (1, 3, 3)
    assert row[["first", "last"]].tolist() == ["2024-01", "2025-01"]


def test_rounded_counts_leave_an_interval() -> None:
    new = known(("a", ("2024-01", "2025-01"), 15), policy=PUBLIC)
    found = differences(new, old(("a", YEAR, 15), policy=PUBLIC), policy=PUBLIC)
    row = found.cells.iloc[0]
    assert (row["lower"], row["upper"]) == (0, 4)
    assert "15 [13 to 17] (this release" in row["proof"]


def test_an_interval_as_wide_as_the_mark_is_no_breach() -> None:
    new = known(("a", ("2024-01", "2025-01"), 15), policy=COUNCILLOR)
    former = old(("a", YEAR, 15), policy=COUNCILLOR)
    assert differences(new, former, policy=COUNCILLOR).cells.empty  # 0 to 4: the mark says 1 to 4


def test_a_difference_of_nothing_is_no_breach_where_zero_is_shown() -> None:
    found = differences(known(("a", ("2024-01", "2025-01"), 12)), old(("a", YEAR, 12)))
    assert found.cells.empty


def test_a_large_difference_is_no_breach() -> None:
    found = differences(known(("a", ("2024-01", "2025-01"), 20)), old(("a", YEAR, 12)))
    assert found.cells.empty


@pytest.mark.parametrize(
    ("policy", "rolling", "span", "last"),
    [
        # a year without any after them makes the months that went out of the window known
        (EXACT, [12, 10, 5], ("2025-01", "2025-12"), 0),
        (COUNCILLOR, [5, 5, 5], ("2025-01", "2025-12"), 0),
        (PUBLIC, [15, 15, 15], ("2024-01", "2025-02"), 15),
    ],
)
def test_rolling_twelve_months_are_found(
    policy: Policy, rolling: list[int], span: tuple[str, str], last: int
) -> None:
    spans = [YEAR, ("2024-02", "2025-01"), ("2024-03", "2025-02")]
    former = [
        known(("a", one, count), name=f"release {n + 1}", policy=policy)
        for n, (one, count) in enumerate(zip(spans, rolling, strict=True))
    ]
    found = differences(known(("a", span, last), policy=policy), *former, policy=policy)
    assert found.cells[["area_code", "first", "last"]].values.tolist() == [["a", *span]]
    assert found.cells["proof"].str.contains("this release.*release").all()
    assert (found.cells["upper"] < policy.threshold).all()
    alone = differences(known(("a", spans[2], rolling[2]), policy=policy), former[0], policy=policy)
    assert alone.cells.empty


def test_a_chain_of_windows_is_followed() -> None:
    # Jan-Jun and Jul-Dec, then Jan-Mar, then Apr-Dec and a month: the month is left
    former = [
        old(("a", ("2024-01", "2024-06"), 20), ("a", ("2024-07", "2024-12"), 30)),
        known(("a", ("2024-01", "2024-03"), 8), name="release 2"),
    ]
    found = differences(known(("a", ("2024-04", "2025-01"), 44)), *former)
    assert found.cells["proof"].tolist() == [
        "a, Burglary, 2025-01 = 44 (this release, 2024-04 to 2025-01) "
        "+ 8 (release 2, 2024-01 to 2024-03) - 20 (release 1, 2024-01 to 2024-06) "
        "- 30 (release 1, 2024-07 to 2024-12) = 2"
    ]


def test_a_merged_area_and_one_of_its_parts_leave_the_other() -> None:
    new = known(("M", YEAR, 15), members=[("M", "a"), ("M", "b")])
    found = differences(new, old(("a", YEAR, 12), ("b", YEAR, None)))
    assert found.cells["proof"].tolist() == [
        "b, Burglary, 2024-01 to 2024-12 = 15 (this release, M, 2024-01 to 2024-12) "
        "- 12 (release 1, a, 2024-01 to 2024-12) = 3"
    ]


def test_a_sliver_between_two_partitions_is_found() -> None:
    new = known(("ward", YEAR, 15), members=[("ward", "a"), ("ward", "b")])
    former = old(("msoa", YEAR, 19), members=[("msoa", p) for p in "abc"])
    found = differences(new, former)
    assert found.cells["proof"].iloc[0].startswith("msoa without ward, Burglary")
    assert found.cells["upper"].tolist() == [4]


def test_shifted_pairs_of_areas_are_found() -> None:
    new = known(
        ("a", YEAR, 20), ("bc", YEAR, 23), ("d", YEAR, 9), members=[("bc", "b"), ("bc", "c")]
    )
    former = old(
        ("ab", YEAR, 40), ("cd", YEAR, 12),
        members=[("ab", "a"), ("ab", "b"), ("cd", "c"), ("cd", "d")],
    )  # fmt: skip
    found = differences(new, former)
    assert not found.cells.empty
    assert (found.cells["lower"] == 3).all()  # c = 12 - 9


def test_a_category_and_a_group_that_holds_it_leave_the_rest() -> None:
    new = known(("a", YEAR, 15, "All"), categories=[("All", "x"), ("All", "y")])
    found = differences(new, old(("a", YEAR, 12, "x")))
    assert found.cells["proof"].iloc[0].startswith("a, All without x, 2024-01 to 2024-12 = 15")


def test_area_month_and_category_are_followed_together() -> None:
    span = ("2024-01", "2025-01")
    new = known(("M", span, 40), ("a", span, 25), members=[("M", "a"), ("M", "b")])
    former = old(("M", YEAR, 33), ("a", YEAR, 20), members=[("M", "a"), ("M", "b")])
    found = differences(new, former)
    # in January 2025: M 7, a 5, so b 2; hiding one cell is enough
    assert found.cells["upper"].tolist() == [2]


def test_the_same_release_again_is_no_conflict() -> None:
    rows: Sequence[Row] = [("a", YEAR, 12), ("b", YEAR, None), ("a", ("2024-01", "2024-06"), 8)]
    assert differences(known(*rows), old(*rows)).cells.empty


def test_what_former_releases_give_away_alone_is_not_blamed_on_the_new_one() -> None:
    former = [old(("a", YEAR, 12)), known(("a", ("2024-01", "2025-01"), 15), name="release 2")]
    assert differences(known(("a", ("2024-01", "2025-01"), 15)), *former).cells.empty
    assert differences(known(("b", YEAR, 40)), *former).cells.empty


def test_revised_counts_say_nothing_and_are_told() -> None:
    span = ("2024-01", "2025-01")
    found = differences(known(("a", span, 10)), old(("a", YEAR, 12)))
    assert found.cells.empty
    assert found.contradictions == 1


def test_an_open_release_hides_nothing() -> None:
    found = differences(
        known(("a", ("2024-01", "2025-01"), 15), policy=POLICIES["open"]),
        old(("a", YEAR, 12)),
        policy=POLICIES["open"],
    )
    assert found.cells.empty


def test_noisy_counts_are_no_bounds() -> None:
    noisy = Policy("noisy", "test", 5, 1, zeros_shown=True, numbers=False, method="cell_key")
    new = known(("a", ("2024-01", "2025-01"), 15), policy=noisy)
    assert differences(new, old(("a", YEAR, 12), policy=noisy), policy=noisy).cells.empty


def test_sensitive_categories_have_their_own_threshold() -> None:
    new = known(("a", ("2024-01", "2025-01"), 20))
    new.cells["threshold"] = 10
    found = differences(new, old(("a", YEAR, 12)))
    assert found.cells["lower"].tolist() == [8]


def test_result_does_not_depend_on_the_order_of_rows() -> None:
    spans = [("2024-01", "2025-01"), ("2024-02", "2025-01"), ("2024-01", "2024-06")]
    new = known(*[(area, span, count) for area in "ab"
                  for span, count in zip(spans, (30, 27, 12), strict=True)])  # fmt: skip
    former = old(*[(area, YEAR, 28) for area in "ab"])
    first = differences(new, former).cells
    turned = Known(new.name, 1, 0, new.cells.iloc[::-1], new.members)
    second = differences(turned, former).cells
    assert not first.empty
    assert second.sort_index().equals(first)
