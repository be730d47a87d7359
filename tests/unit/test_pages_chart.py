"""The chart and the packing of a page."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from placeshaping.pages.chart import Bar, GroupChart, interval_bars
from placeshaping.pages.page import packed_json, script_json


def chart(*bars: Bar) -> GroupChart:
    return GroupChart("By <group>", (), bars, "Per 1,000", "Group & more", (), ())


def test_a_chart_is_well_formed_and_says_its_numbers() -> None:
    drawn = interval_bars(chart(Bar("1", 20.0, 10.0, 30.0), Bar("<b>", None)))
    root = ET.fromstring(str(drawn))
    assert root.attrib["role"] == "img"
    assert root[0].text == "By <group>"
    assert "1: 20.0, interval 10.0 to 30.0; <b>: hidden or missing" in (root[1].text or "")
    assert len(root.findall("rect")) == 1


def test_bars_are_as_high_as_their_numbers() -> None:
    root = ET.fromstring(str(interval_bars(chart(Bar("a", 10.0), Bar("b", 20.0)))))
    low, high = (float(bar.attrib["height"]) for bar in root.findall("rect"))
    assert abs(high / low - 2) < 0.02


def test_nothing_in_json_can_end_its_script() -> None:
    text = script_json({"name": "</script><!--", "line": "\u2028"})
    assert "<" not in text
    assert "\u2028" not in text


def test_packing_is_the_same_each_time() -> None:
    assert packed_json({"a": [1, "é"]}) == packed_json({"a": [1, "é"]})
