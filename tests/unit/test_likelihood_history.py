"""What a model sees: units, steps, offences, covariates, histories, and what is refused."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from placeshaping._core.columns import tag_columns
from placeshaping._core.errors import (
    ColumnError,
    CRSError,
    EmptyError,
    GeometryError,
    InputError,
    UnmatchedError,
)
from placeshaping.areas.grids import make_grid
from placeshaping.areas.neighbours import contiguity, k_nearest
from placeshaping.likelihood.baselines import TrailingCounts, window_steps
from placeshaping.likelihood.covariates import check_covariates
from placeshaping.likelihood.flagging import NIJ
from placeshaping.likelihood.history import history_of_counts, history_of_events
from placeshaping.likelihood.offences import Override, make_target
from placeshaping.likelihood.steps import Step, resolution_of
from placeshaping.likelihood.units import make_cells, make_units


def study(width=2000, height=1000, crs=27700):
    return gpd.GeoDataFrame(geometry=[box(0, 0, width, height)], crs=crs)


def squares(codes="abcd"):
    shapes = [box(i * 900, 0, i * 900 + 900, 900) for i in range(len(codes))]
    return gpd.GeoDataFrame(geometry=shapes, index=list(codes), crs=27700)


def events_at(times, *, x=100.0, category="Burglary"):
    return pd.DataFrame(
        {"easting": x, "northing": 100.0, "time": pd.to_datetime(times), "category": category}
    )


def monthly(counts, *, codes="abcd", category="Burglary", first="2024-01-01"):
    table = np.asarray(counts)
    months = pd.date_range(first, periods=table.shape[1], freq="MS")
    return pd.DataFrame(
        {
            "area_code": np.repeat(list(codes), table.shape[1]),
            "period": np.tile(months, len(table)),
            "category": category,
            "count": table.ravel(),
        }
    )


# -- offences


@pytest.mark.parametrize("category", ["Drugs", "Public order", "Possession of weapons"])
def test_discovered_offences_are_refused(category):
    with pytest.raises(InputError, match="tagged 'discovered': patrols discover it"):
        make_target(category)


@pytest.mark.parametrize("category", ["violence and sexual offences", "ASB", "Other crime"])
def test_mixed_offences_are_refused_in_any_spelling(category):
    with pytest.raises(InputError, match="tagged 'mixed'"):
        make_target(["Burglary", category])


def test_an_override_is_carried_to_the_forecast():
    signed = {"drugs": Override(by="A. Planner", reason="To show what it does.")}
    target = make_target(["Burglary", "Drugs"], overrides=signed)
    history = history_of_counts(
        pd.concat([monthly(np.full((4, 3), 5)), monthly(np.full((4, 3), 1), category="Drugs")]),
        make_units(squares()),
        target=target,
    )
    cautions = TrailingCounts("all").fit(history).predict().attrs["cautions"]
    assert target.tag == "discovered"
    assert history.n == 72
    assert "A. Planner: To show what it does." in cautions[0]


def test_an_override_needs_a_name_and_a_reason():
    with pytest.raises(InputError, match="needs a name and a reason"):
        make_target("Drugs", overrides={"Drugs": Override(by=" ", reason="x")})


def test_unknown_offences_need_a_tag():
    with pytest.raises(ColumnError, match="Say how it comes to be recorded"):
        make_target("Fly-tipping")
    assert make_target("Fly-tipping", tags={"Fly-tipping": "reported"}).tag == "reported"


def test_a_tag_cannot_make_a_discovered_offence_a_reported_one():
    with pytest.raises(InputError, match="tagged 'discovered'"):
        make_target("Drugs", tags={"Drugs": "reported"})


def test_a_tag_must_be_one_of_three():
    with pytest.raises(ColumnError, match="Use one of: discovered, mixed, reported"):
        make_target("Fly-tipping", tags={"Fly-tipping": "seen"})


def test_no_offence_is_refused():
    with pytest.raises(EmptyError, match="No category is named"):
        make_target([])


# -- covariates


@pytest.mark.parametrize("tag", ["personal", "special", "audit_only"])
def test_tagged_columns_are_refused(tag):
    table = pd.DataFrame({"bars": [1.0, 2.0], "x": [1.0, 2.0]}, index=["a", "b"])
    tag_columns(table, {"x": tag})
    with pytest.raises(ColumnError, match=f"'x' is tagged '{tag}'"):
        check_covariates(table, pd.Index(["a", "b"]))


@pytest.mark.parametrize(
    "name",
    ["imd_rank", "IMD Decile", "ethnic_group", "share_black", "deprivation", "age", "income_rate"],
)
def test_columns_named_like_people_are_refused(name):
    table = pd.DataFrame({name: [1.0]}, index=["a"])
    with pytest.raises(ColumnError, match="is named like one about people"):
        check_covariates(table, pd.Index(["a"]))


@pytest.mark.parametrize("name", ["bars_within_500_m", "village_green", "stations", "page_count"])
def test_columns_about_places_are_taken(name):
    table = pd.DataFrame({name: [1, 2]}, index=["b", "a"])
    assert check_covariates(table, pd.Index(["a", "b"]))[name].tolist() == [2.0, 1.0]


def test_a_column_tagged_open_is_taken_whatever_its_name():
    table = pd.DataFrame({"white_hart_distance": [1.0]}, index=["a"])
    tag_columns(table, {"white_hart_distance": "open"})
    assert check_covariates(table, pd.Index(["a"])).shape == (1, 1)


def test_covariates_must_be_numbers_of_every_unit():
    with pytest.raises(ColumnError, match="hold no numbers"):
        check_covariates(pd.DataFrame({"bars": ["x"]}, index=["a"]), pd.Index(["a"]))
    with pytest.raises(UnmatchedError, match="1 of 2 units have no covariates"):
        check_covariates(pd.DataFrame({"bars": [1]}, index=["a"]), pd.Index(["a", "b"]))


# -- units


def test_cells_are_cut_at_the_outline_and_keep_the_codes_of_the_grid():
    cells = make_cells(study(600, 500), size=500)
    assert cells.index.tolist() == make_grid((0, 0, 600, 500), size=500).index.tolist()
    units = make_units(cells)
    assert units.area.tolist() == [0.25, 0.05]
    assert units.exposure.mean() == 1
    assert units.locate(np.array([550.0, -10.0]), np.array([10.0, 10.0])).tolist() == [1, -1]


def test_hexagons_place_points():
    units = make_units(make_cells(study(), size=500, shape="hexagon"))
    assert units.shape == "hexagon"
    assert units.locate(np.array([900.0]), np.array([500.0]))[0] >= 0


def test_neighbours_are_symmetric_whatever_the_graph():
    areas = squares()
    near = make_units(areas, k_nearest(areas, k=1)).neighbours.toarray()
    assert (near == near.T).all()
    assert not near.diagonal().any()


def test_units_in_degrees_are_refused():
    with pytest.raises(CRSError, match="Give them in metres"):
        make_cells(study(crs=4326), size=250)


def test_units_without_extent_or_neighbours_are_refused():
    areas = squares("ab")
    flat = areas.set_geometry(
        gpd.GeoSeries([box(0, 0, 1, 0), box(0, 0, 1, 1)], areas.index, crs=27700)
    )
    with pytest.raises(GeometryError, match="1 of 2 areas have no extent"):
        make_units(flat)
    with pytest.raises(InputError, match="2 of 4 areas are not in the graph"):
        make_units(squares(), contiguity(areas))


def test_areas_do_not_place_points():
    with pytest.raises(InputError, match="Give the events a column 'area_code'"):
        make_units(squares()).locate(np.zeros(1), np.zeros(1))


def test_the_rules_of_nij_are_those_of_the_competition():
    assert NIJ.cell == pytest.approx((62_500 * 0.3048**2 / 1e6, 360_000 * 0.3048**2 / 1e6))
    assert NIJ.flagged == pytest.approx((0.25 * 2.589988110336, 0.75 * 2.589988110336))
    with pytest.raises(InputError, match="A flagged area of 3 km² is outside NIJ's rules"):
        NIJ.check(make_units(make_cells(study(), size=125)), 3.0)


# -- steps


def test_months_weeks_and_days_are_numbered_in_order():
    times = pd.date_range("2023-12-25", "2024-03-10", freq="7h")
    for unit in ("month", "week", "day"):
        step = Step(unit)
        number, inside = step.number(times)
        assert inside.all()
        assert (np.diff(number) >= 0).all()
        assert (step.starts(number) <= times).all()
        assert (times < step.ends(number)).all()


def test_weeks_begin_on_monday():
    assert Step("week").starts(Step("week").number(["2024-05-05"])[0])[0].day_name() == "Monday"


def test_a_shift_over_midnight_belongs_to_the_evening():
    night = Step("day", shift=("22:00", "06:00"))
    number, inside = night.number(["2024-05-05 23:00", "2024-05-06 05:59", "2024-05-06 06:00"])
    assert inside.tolist() == [True, True, False]
    assert number[0] == number[1]
    assert str(night.starts(number[:1])[0]) == "2024-05-05 22:00:00"


def test_a_shift_of_a_whole_day_holds_every_time():
    day = Step("day", shift=("07:00", "07:00"))
    assert day.number(["2024-05-05 06:59", "2024-05-05 07:00"])[1].all()


def test_nights_when_clocks_change_are_shorter_or_longer():
    night = Step("day", shift=("22:00", "06:00"), zone="Europe/London")
    number, _ = night.number(["2025-03-29 23:00", "2025-10-25 23:00", "2025-06-01 23:00"])
    assert night.hours(number).tolist() == [7.0, 9.0, 8.0]
    day = Step("day", zone="Europe/London")
    assert day.hours(day.number(["2025-03-30", "2025-10-26"])[0]).tolist() == [23.0, 25.0]


def test_months_have_their_own_lengths():
    assert (
        Step("month").hours(Step("month").number(["2024-02-01", "2024-03-01"])[0]) / 24
    ).tolist() == [29, 31]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"unit": "hour"}, "step is 'hour'. Give 'month', 'week' or 'day'"),
        ({"unit": "month", "shift": ("06:00", "14:00")}, "A shift is part of a day"),
        ({"unit": "day", "shift": ("6", "14:00")}, "Give start and end as"),
    ],
)
def test_impossible_steps_are_refused(arguments, told):
    with pytest.raises(InputError, match=told):
        Step(**arguments)


@pytest.mark.parametrize("horizon", ["12 hours", "1 day", "3 weeks"])
def test_a_horizon_shorter_than_the_step_is_refused(horizon):
    with pytest.raises(InputError, match="shorter than the data bear"):
        Step("month").steps_in(horizon)


@pytest.mark.parametrize("horizon", [0, True, "soon", "0 days"])
def test_a_horizon_that_is_none_is_refused(horizon):
    with pytest.raises(InputError, match="horizon is"):
        Step("day").steps_in(horizon)


def test_a_horizon_must_be_whole_steps():
    assert Step("week").steps_in("28 days") == 4
    with pytest.raises(InputError, match="no whole number of weeks"):
        Step("week").steps_in("10 days")


def test_resolution_is_seen_from_the_times():
    assert resolution_of(["2024-01-01 10:00"]) == "time"
    assert resolution_of(["2024-01-02"]) == "day"
    assert resolution_of(["2024-01-01", "2024-02-01"]) == "month"


@pytest.mark.parametrize("window", ["year", "0 days", "3 days"])
def test_windows_that_are_none_are_refused(window):
    with pytest.raises(InputError, match="window"):
        window_steps(Step("month"), window)


# -- histories


def test_counts_of_several_categories_are_added():
    counts = pd.concat(
        [monthly(np.eye(4, dtype=int)), monthly(np.eye(4, dtype=int), category="Robbery")]
    )
    history = history_of_counts(counts, make_units(squares()), target=["Burglary", "robbery"])
    assert history.dense().tolist() == (2 * np.eye(4)).tolist()


def test_missing_months_are_missing_and_not_zero():
    counts = monthly([[1, 2, 3]] * 4)
    history = history_of_counts(
        counts[counts["period"] != "2024-02-01"], make_units(squares()), target="Burglary"
    )
    assert history.known.tolist() == [True, False, True]
    assert np.isnan(history.dense()[:, 1]).all()
    assert history.total().tolist() == [4.0] * 4


def test_a_month_with_other_offences_alone_counts_zero():
    counts = pd.concat([monthly([[1, 1]] * 4), monthly([[0, 0, 1]] * 4, category="Robbery")])
    history = history_of_counts(counts, make_units(squares()), target="Burglary")
    assert history.known.all()
    assert history.at(2).tolist() == [0.0] * 4


def test_the_cutoff_leaves_whole_months():
    counts = monthly([[1, 2, 3]] * 4)
    history = history_of_counts(
        counts, make_units(squares()), target="Burglary", cutoff="2024-03-20"
    )
    assert history.steps == 2
    assert str(history.cutoff) == "2024-03-01 00:00:00"
    assert history.days.tolist() == [31.0, 29.0]
    assert history.days_ahead(2).tolist() == [31.0, 30.0]


@pytest.mark.parametrize(
    ("change", "error", "told"),
    [
        (lambda t: t.drop(columns="count"), ColumnError, "counts has no column 'count'"),
        (lambda t: t.assign(area_code="x"), UnmatchedError, "1 codes of the counts are not among"),
        (lambda t: t.assign(count=-1), InputError, "12 of 12 counts are missing, negative"),
        (lambda t: t.assign(count=0.5), InputError, "no whole numbers"),
        (lambda t: t.assign(count=0), EmptyError, "No record of Burglary lies in the units"),
        (lambda t: t.assign(category="Robbery"), EmptyError, "There are no records of Burglary"),
    ],
)
def test_counts_that_cannot_serve_are_refused(change, error, told):
    with pytest.raises(error, match=told):
        history_of_counts(
            change(monthly([[1, 2, 3]] * 4)), make_units(squares()), target="Burglary"
        )


def test_a_cutoff_before_all_counts_is_refused():
    with pytest.raises(EmptyError, match="before the cutoff 2020"):
        history_of_counts(
            monthly([[1]] * 4), make_units(squares()), target="Burglary", cutoff="2020-01-01"
        )


def test_monthly_counts_on_small_cells_are_refused():
    cells = make_units(make_cells(study(), size=125))
    with pytest.raises(InputError, match="Cells of 125 m are finer than monthly records bear"):
        history_of_counts(monthly([[1]] * 4), cells, target="Burglary")


def test_monthly_events_on_small_cells_or_by_the_day_are_refused():
    events = events_at(["2024-01-01", "2024-02-01"])
    with pytest.raises(InputError, match="Cells of 125 m"):
        history_of_events(events, make_units(make_cells(study(), size=125)), step="month")
    units = make_units(make_cells(study(), size=250))
    for step in ("day", "week", Step("day", shift=("06:00", "14:00"))):
        with pytest.raises(InputError, match="known to the month only"):
            history_of_events(events, units, step=step)
    assert history_of_events(events, units, step="month").n == 2


def test_events_without_hours_have_no_shifts():
    events = events_at(["2024-01-01", "2024-01-09"])
    with pytest.raises(InputError, match="known to the day only: a step of one shift is shorter"):
        history_of_events(
            events, make_units(make_cells(study(), size=250)), step=Step("day", ("06:00", "14:00"))
        )


def test_a_shift_counts_its_own_events_and_keeps_the_others():
    events = events_at(["2024-01-01 07:00", "2024-01-01 15:00", "2024-01-02 08:00"])
    history = history_of_events(
        events, make_units(make_cells(study(), size=250)), step=Step("day", ("06:00", "14:00"))
    )
    assert history.n == 2
    assert len(history.events) == 3
    assert history.days.tolist() == [8 / 24] * 2


def test_events_outside_the_units_are_told_apart():
    events = pd.concat([events_at(["2024-01-01 07:00"]), events_at(["2024-01-02 08:00"], x=9e4)])
    history = history_of_events(events, make_units(make_cells(study(), size=250)))
    assert history.outside.tolist() == [0, 1]
    assert history.n == len(history.events) == 1


def test_events_of_areas_go_by_their_code():
    events = events_at(["2024-01-01 07:00", "2024-01-02 08:00"]).assign(area_code=["b", "x"])
    history = history_of_events(events, make_units(squares()))
    assert history.total().tolist() == [0, 1, 0, 0]
    assert history.outside.sum() == 1


def test_untimed_events_are_refused_dropped_or_drawn_from_their_span():
    events = events_at(["2024-01-01 07:00", "2024-01-02 12:00", None])
    events["time_to"] = pd.to_datetime([None, "2024-01-05 22:00", None])
    units = make_units(make_cells(study(), size=250))
    with pytest.raises(InputError, match="2 of 3 events have no time"):
        history_of_events(events, units)
    dropped = history_of_events(events, units, untimed="drop")
    assert dropped.n == 1
    assert "they are left out" in dropped.cautions[0]
    drawn = [history_of_events(events, units, untimed="draw", rng=seed) for seed in range(40)]
    days = {int(np.flatnonzero(one.counts.sum(axis=0))[-1]) for one in drawn}
    assert days == {1, 2, 3, 4}
    assert all(one.n == 2 for one in drawn)


def test_times_with_a_zone_become_local():
    events = events_at(["2024-06-30 23:30"])
    events["time"] = events["time"].dt.tz_localize("UTC")
    step = Step("day", zone="Europe/London")
    history = history_of_events(events, make_units(make_cells(study(), size=250)), step=step)
    assert str(history.periods[0]) == "2024-07-01 00:00:00"


def test_times_must_be_dates():
    events = events_at(["2024-06-30 23:30"]).assign(time="yesterday")
    with pytest.raises(ColumnError, match="holds no dates"):
        history_of_events(events, make_units(make_cells(study(), size=250)))


def test_first_and_cutoff_bound_the_steps():
    events = events_at(pd.date_range("2024-01-01 10:00", periods=10, freq="D"))
    units = make_units(make_cells(study(), size=250))
    history = history_of_events(events, units, first="2024-01-03", cutoff="2024-01-06 12:00")
    assert (history.n, str(history.cutoff)) == (3, "2024-01-06 00:00:00")
    with pytest.raises(EmptyError, match="No day lies between"):
        history_of_events(events, units, cutoff="2023-01-01")


def test_absent_categories_are_told():
    events = events_at(["2024-01-01 07:00", "2024-01-03 09:00"])
    history = history_of_events(
        events, make_units(make_cells(study(), size=250)), target=["Burglary", "Robbery"]
    )
    assert history.cautions == ("There are no records of Robbery.",)


def test_a_cut_history_holds_nothing_later():
    events = events_at(pd.date_range("2024-01-01 10:00", periods=10, freq="D"))
    history = history_of_events(events, make_units(make_cells(study(), size=250)))
    early = history.cut(4)
    assert early.counts.sum() == len(early.events) == 4
    assert early.events["time"].max() < early.cutoff
    assert not np.shares_memory(early.counts.data, history.counts.data)
    assert history.steps == 10


@pytest.mark.parametrize("steps", [0, 11])
def test_a_history_cannot_be_cut_to_nothing_or_more(steps):
    events = events_at(pd.date_range("2024-01-01 10:00", periods=10, freq="D"))
    history = history_of_events(events, make_units(make_cells(study(), size=250)))
    with pytest.raises(EmptyError, match=f"cannot be cut to {steps}"):
        history.cut(steps)
    with pytest.raises(EmptyError, match="No step had ended"):
        history.until("2023-01-01")
