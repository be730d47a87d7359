"""Hours, weekdays and months: spans by brute force, clock changes, and records without times."""

from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

from placeshaping._core.errors import ColumnError, EmptyError, InputError
from placeshaping.hotspots.time_of_day import (
    MONTHS,
    WEEKDAYS,
    aoristic,
    describe_profile,
    temporal_profile,
)


def make_spans(pairs):
    starts, ends = zip(*pairs, strict=True)
    return pd.DataFrame({"time": pd.to_datetime(starts), "end": pd.to_datetime(ends)})


def brute_force(table):
    """Spread each span minute by minute over (weekday, hour)."""
    sums = np.zeros((7, 24))
    for start, end in zip(table["time"], table["end"], strict=True):
        zone = ZoneInfo("Europe/London")
        low = start.tz_localize(zone, ambiguous=True).tz_convert("UTC")
        high = end.tz_localize(zone, ambiguous=False).tz_convert("UTC")
        minutes = pd.date_range(low, high, freq="min", inclusive="left").tz_convert(zone)
        minutes = minutes if len(minutes) else pd.DatetimeIndex([low]).tz_convert(zone)
        np.add.at(sums, (minutes.day_of_week, minutes.hour), 1 / len(minutes))
    return sums


def matrix(profile):
    return profile["count"].to_numpy().reshape(7, 24)


def test_spans_are_spread_as_minute_by_minute():
    rng = np.random.default_rng(0)
    starts = pd.Timestamp("2024-10-20") + pd.to_timedelta(
        rng.integers(0, 14 * 1440, 60), unit="min"
    )
    ends = starts + pd.to_timedelta(rng.integers(0, 3000, 60), unit="min")
    table = pd.DataFrame({"time": starts, "end": ends})
    profile = temporal_profile(table, end="end")
    np.testing.assert_allclose(matrix(profile), brute_force(table), atol=1e-9)


@pytest.mark.parametrize(
    "pair",
    [
        ("2025-03-29 22:00", "2025-03-30 05:30"),  # the clocks skip 01:00 to 02:00
        ("2025-10-25 22:00", "2025-10-26 05:30"),  # and go through 01:00 to 02:00 twice
        ("2025-10-26 01:30", "2025-10-26 01:45"),
        ("2025-12-31 23:59", "2026-01-01 00:01"),
    ],
)
def test_clock_changes_and_midnight_are_counted_as_they_were(pair):
    table = make_spans([pair])
    profile = temporal_profile(table, end="end")
    np.testing.assert_allclose(matrix(profile), brute_force(table), atol=1e-12)
    assert profile["count"].sum() == pytest.approx(1)


def test_the_hours_of_the_record_follow_the_clock():
    spring = temporal_profile(make_spans([("2025-03-30 00:30", "2025-03-30 04:00")]), end="end")
    autumn = temporal_profile(make_spans([("2025-10-26 00:30", "2025-10-26 04:00")]), end="end")
    sunday_at_one = 6 * 24 + 1
    assert spring["hours"].sum() == 23
    assert autumn["hours"].sum() == 25
    assert spring.loc[sunday_at_one, "hours"] == 0
    assert autumn.loc[sunday_at_one, "hours"] == 2
    assert np.isnan(spring.loc[sunday_at_one, "index"])


def test_an_end_on_the_hour_touches_no_hour_after_it():
    hourly = aoristic(make_spans([("2025-06-02 10:00", "2025-06-02 12:00")]))
    assert hourly[hourly > 0].index.hour.tolist() == [10, 11]
    at_once = aoristic(make_spans([("2025-06-02 10:00", "2025-06-02 10:00")]))
    assert at_once[at_once > 0].to_dict() == {
        pd.Timestamp("2025-06-02 10:00", tz="Europe/London"): 1
    }


def test_every_event_counts_once():
    rng = np.random.default_rng(1)
    starts = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 500_000, 900), unit="min")
    ends = starts + pd.to_timedelta(rng.integers(0, 10_000, 900), unit="min")
    hourly = aoristic(pd.DataFrame({"time": starts, "end": ends}))
    assert hourly.sum() == pytest.approx(900)
    assert hourly.attrs["events"] == 900


def test_times_with_a_zone_are_brought_to_the_wall_clock():
    utc = pd.DataFrame({"time": pd.to_datetime(["2025-07-01 22:30", "2025-01-01 22:30"], utc=True)})
    profile = temporal_profile(utc, by="hour")
    assert profile.loc[profile["count"] > 0, "hour"].tolist() == [22, 23]


def test_times_that_the_clock_skips_are_told():
    table = pd.DataFrame({"time": pd.to_datetime(["2025-03-30 01:30", "2025-03-30 05:00"])})
    profile = temporal_profile(table, by="hour")
    assert profile.loc[profile["count"] > 0, "hour"].tolist() == [2, 5]
    assert "1 times of 'time' lie in the hour that the clocks skip" in profile.attrs["cautions"][0]


def test_an_even_record_is_as_usual_everywhere():
    hours = pd.date_range("2025-01-01", "2025-12-31 23:00", freq="h", tz="Europe/London")
    for by in ("hour", "weekday", "month", ("weekday", "hour")):
        profile = temporal_profile(pd.DataFrame({"time": hours + pd.Timedelta("5min")}), by=by)
        np.testing.assert_allclose(profile["index"], 1)
        assert (profile["count"] == profile["hours"]).all()


def test_rows_follow_the_calendar():
    times = pd.DataFrame({"time": pd.to_datetime(["2025-05-05 10:10", "2025-06-06 11:11"])})
    profile = temporal_profile(times)
    assert profile["weekday"].astype(str).iloc[::24].tolist() == list(WEEKDAYS)
    assert profile["hour"].tolist()[:25] == [*range(24), 0]
    monthly = temporal_profile(times, by="month")
    assert monthly["month"].astype(str).tolist() == list(MONTHS)
    assert monthly["hours"].tolist()[4:6] == [27 * 24, 6 * 24]


def test_intervals_of_the_index_are_poissons():
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(40):
        minutes = rng.integers(0, 28 * 1440, 2000)
        times = pd.Timestamp("2025-02-01") + pd.to_timedelta(minutes, unit="min")
        profile = temporal_profile(pd.DataFrame({"time": times}), by="hour")
        covered.append(((profile["lower"] <= 1) & (profile["upper"] >= 1)).mean())
    assert 0.93 < np.mean(covered) < 0.98


def test_events_without_times_long_spans_and_missing_ends_are_told():
    table = make_spans(
        [
            ("2025-05-05 10:00", "2025-05-05 11:00"),
            (None, "2025-05-05 11:00"),
            ("2025-05-05 10:00", None),
            ("2025-05-05 10:00", "2025-05-25 10:00"),
        ]
    )
    profile = temporal_profile(table, end="end", by="hour")
    facts = [profile.attrs[name] for name in ("events", "missing", "no_end", "too_long")]
    assert facts == [2, 1, 1, 1]
    told = " ".join(profile.attrs["cautions"])
    assert "1 of 4 events have no time" in told
    assert "1 events have no end" in told
    assert "a span of more than 7 days" in told
    assert profile.loc[10, "count"] == 2


def test_ends_before_starts_are_refused_or_dropped():
    table = make_spans(
        [("2025-05-05 10:00", "2025-05-05 09:00"), ("2025-05-05 10:00", "2025-05-05 11:00")]
    )
    with pytest.raises(InputError, match=r"1 of 2 events end before they start \(rows 0\)"):
        temporal_profile(table, end="end")
    profile = temporal_profile(table, end="end", out_of_order="drop")
    assert profile["count"].sum() == 1
    assert profile.attrs["dropped"] == 1


def test_monthly_records_are_refused_with_the_remedy():
    monthly = pd.DataFrame({"period": pd.date_range("2025-01-01", periods=6, freq="MS")})
    with pytest.raises(ColumnError, match=r"police\.uk publishes no days or hours.*ask the force"):
        temporal_profile(monthly)
    with pytest.raises(ColumnError, match="All 6 times are the first of a month"):
        temporal_profile(monthly, start="period")
    with pytest.raises(ColumnError, match="All 6 times are the first of a month"):
        temporal_profile(monthly, start="period", by="weekday")
    assert temporal_profile(monthly, start="period", by="month")["count"].sum() == 6


def test_the_last_month_of_monthly_records_is_whole():
    monthly = pd.DataFrame({"period": pd.date_range("2023-01-01", periods=24, freq="MS")})
    profile = temporal_profile(monthly, start="period", by="month")
    assert profile["count"].tolist() == [2] * 12
    assert profile["hours"].sum() == (365 + 366) * 24
    assert profile["hours"].iloc[-1] == 2 * 31 * 24
    assert profile.attrs["cautions"] == ()


def test_months_that_hold_nothing_are_told():
    gap = pd.DataFrame({"time": pd.to_datetime(["2024-01-05 10:00", "2024-06-05 10:00"])})
    told = temporal_profile(gap).attrs["cautions"]
    assert "4 of 6 months from the first to the last event hold none" in told[0]


def test_dates_without_a_time_of_day_give_weekdays_alone():
    dates = pd.DataFrame({"time": pd.to_datetime(["2025-05-05", "2025-05-06", "2025-05-06"])})
    with pytest.raises(ColumnError, match="All 3 times are midnight"):
        temporal_profile(dates)
    assert temporal_profile(dates, by="weekday")["count"].tolist()[:2] == [1, 2]


def test_a_heap_at_midnight_is_told():
    times = pd.to_datetime(["2025-05-05 10:00", "2025-05-06 00:00", "2025-05-07 12:00"])
    profile = temporal_profile(pd.DataFrame({"time": times}))
    assert "33% of the times are midnight sharp" in profile.attrs["cautions"][0]


def test_columns_that_hold_no_times_are_refused():
    with pytest.raises(ColumnError, match="Column 'time' holds no times but"):
        temporal_profile(pd.DataFrame({"time": ["05/06/2025 10:00"]}))
    with pytest.raises(ColumnError, match="events has no column 'time'"):
        temporal_profile(pd.DataFrame({"when": [1]}))
    good = pd.DataFrame({"time": [pd.Timestamp("2025-05-05 10:00")]})
    with pytest.raises(ColumnError, match="events has no column 'end'"):
        temporal_profile(good, end="end")
    with pytest.raises(EmptyError, match="None of 1 events has a time"):
        temporal_profile(pd.DataFrame({"time": pd.to_datetime([None])}))
    with pytest.raises(InputError, match="by is 'day'"):
        temporal_profile(good, by="day")
    with pytest.raises(InputError, match="each once"):
        temporal_profile(good, by=["hour", "hour"])
    with pytest.raises(InputError, match="not a whole number of hours"):
        temporal_profile(good, timezone="Asia/Kolkata")


def test_the_paragraph_finds_the_busiest_hours_past_midnight():
    times = pd.to_datetime(
        ["2025-05-02 23:10", "2025-05-03 00:20", "2025-05-03 01:30", "2025-05-07 12:00", None]
    )
    profile = temporal_profile(pd.DataFrame({"time": times}))
    text = describe_profile(profile, what="disturbances")
    assert text.startswith("Of 4 disturbances, 75% fall between 22:00 and 02:00, a time that makes")
    assert "Saturday has the most for its length" in text
    assert "the busiest single hour is Wednesday 12:00 to 13:00" in text
    assert "1 more have no usable time" in text


def test_an_even_week_is_called_even():
    hours = pd.date_range("2025-01-06", periods=4 * 168, freq="h")
    text = describe_profile(temporal_profile(pd.DataFrame({"time": hours}), by="weekday"))
    assert "weekdays differ by less than 5% from the average" in text
