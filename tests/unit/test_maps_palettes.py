"""The palettes as colour-blind readers see them, on light and on dark ground."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from placeshaping.hotspots.finders import EMERGING, LOCAL_MORAN
from placeshaping.likelihood.labels import likelihood_labels
from placeshaping.maps.palettes import (
    BIVARIATE,
    CLUSTERS,
    DARK,
    HIDDEN_FILL,
    NONE_FILL,
    SEQUENTIAL,
    label_styles,
    sequential,
)
from placeshaping.maps.ward_still import WARD_COLOURS

# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB.
SIGHT = {
    "usual": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
WHITE = np.array([0.95047, 1.0, 1.08883])
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
FLOOR = 10.0
"""CIEDE2000 between any two classes: some ten times what can just be seen side by side."""
FLOOR_NONE = 4.0
"""White for "none recorded" beside the palest class; tritanopia brings them nearest."""


def linear(colour: str) -> NDArray[np.float64]:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def lab(colour: str, sight: str) -> NDArray[np.float64]:
    seen = np.clip(SIGHT[sight] @ linear(colour), 0, 1)
    xyz = TO_XYZ @ seen / WHITE
    f = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def ciede2000(one: NDArray[np.float64], two: NDArray[np.float64]) -> float:
    """Sharma, Wu and Dalal (2005)."""
    c = [float(np.hypot(v[1], v[2])) for v in (one, two)]
    mean7 = (sum(c) / 2) ** 7
    g = 0.5 * (1 - np.sqrt(mean7 / (mean7 + 25.0**7)))
    a = [(1 + g) * v[1] for v in (one, two)]
    chroma = [float(np.hypot(a[k], v[2])) for k, v in enumerate((one, two))]
    hue = [float(np.degrees(np.arctan2(v[2], a[k])) % 360) for k, v in enumerate((one, two))]
    turn = hue[1] - hue[0]
    if chroma[0] * chroma[1] == 0:
        turn = 0.0
    elif abs(turn) > 180:
        turn -= np.sign(turn) * 360
    d_light, d_chroma = two[0] - one[0], chroma[1] - chroma[0]
    d_hue = 2 * np.sqrt(chroma[0] * chroma[1]) * np.sin(np.radians(turn / 2))
    light, mean_c = (one[0] + two[0]) / 2, sum(chroma) / 2
    mean_h = sum(hue) / 2 if abs(hue[0] - hue[1]) <= 180 else (sum(hue) + 360) / 2 % 360
    if chroma[0] * chroma[1] == 0:
        mean_h = sum(hue)
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    s_light = 1 + 0.015 * (light - 50) ** 2 / np.sqrt(20 + (light - 50) ** 2)
    s_chroma, s_hue = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    rotation = (
        -2
        * np.sqrt(mean_c**7 / (mean_c**7 + 25.0**7))
        * np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2))))
    )
    x, y, z = d_light / s_light, d_chroma / s_chroma, d_hue / s_hue
    return float(np.sqrt(x * x + y * y + z * z + rotation * y * z))


def least_difference(colours: Sequence[str], sight: str) -> float:
    seen = [lab(colour, sight) for colour in colours]
    return min(ciede2000(one, two) for one, two in combinations(seen, 2))


def contrast(one: str, two: str) -> float:
    lights = sorted(float(np.array([0.2126, 0.7152, 0.0722]) @ linear(c)) for c in (one, two))
    return (lights[1] + 0.05) / (lights[0] + 0.05)


@pytest.mark.parametrize(
    ("one", "two", "difference"),
    [
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((90.8027, -2.0831, 1.4410), (91.1528, -1.6435, 0.0447), 1.4441),
    ],
)
def test_the_measure_of_difference_agrees_with_the_published_pairs(
    one: tuple[float, ...], two: tuple[float, ...], difference: float
) -> None:
    assert ciede2000(np.array(one), np.array(two)) == pytest.approx(difference, abs=1e-4)


@pytest.mark.parametrize("sight", SIGHT)
def test_classes_of_rates_stay_apart_however_colours_are_seen(sight: str) -> None:
    for size in SEQUENTIAL:
        assert least_difference([DARK["none"], *sequential(size)], sight) >= FLOOR
        assert least_difference([NONE_FILL, *sequential(size)], sight) >= FLOOR_NONE


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("plain", [CLUSTERS["none"].colour, DARK["plain"]], ids=["light", "dark"])
def test_hot_and_cold_spots_stay_apart_however_colours_are_seen(sight: str, plain: str) -> None:
    others = [style.colour for style in CLUSTERS.values() if style.value != "none"]
    assert least_difference([plain, *others], sight) >= FLOOR


@pytest.mark.parametrize("sight", SIGHT)
def test_the_nine_colours_of_rate_by_deprivation_stay_apart(sight: str) -> None:
    nine = [colour for row in BIVARIATE for colour in row]
    assert len(nine) == 9
    assert least_difference(nine, sight) >= FLOOR


def test_a_hatch_can_be_seen_on_its_ground() -> None:
    assert contrast(HIDDEN_FILL, "#6f777b") >= 3
    assert contrast(DARK["hidden"], DARK["hatch"]) >= 3
    assert contrast(DARK["missing"], DARK["hatch"]) >= 3


def test_labels_go_from_the_strongest_hot_to_the_strongest_cold() -> None:
    colours = [style.colour for style in label_styles(LOCAL_MORAN)]
    assert colours == ["#e66101", "#fdb863", "#b2abd2", "#5e3c99", "#f7f7f7"]
    likely = likelihood_labels(
        {"lsoa": pd.Series([1.0], index=["a"])}, when="May", method="m"
    ).scheme
    assert [style.colour for style in label_styles(likely)][:4] == [
        "#b35806", "#e66101", "#fdb863", "#fee0b6",
    ]  # fmt: skip


def test_many_labels_have_colours_and_marks_of_their_own() -> None:
    styles = label_styles(EMERGING)
    assert len({style.colour for style in styles}) == len({s.mark for s in styles}) == 17


@pytest.mark.parametrize("sight", SIGHT)
def test_wards_beside_one_another_stay_apart(sight: str) -> None:
    seen = [lab(colour, sight) for colour in WARD_COLOURS]
    assert min(ciede2000(one, two) for one, two in combinations(seen, 2)) >= FLOOR


def test_dark_names_can_be_read_on_every_ward() -> None:
    weights = np.array([0.2126, 0.7152, 0.0722])
    ink = weights @ linear("#0b0c0c")
    for colour in WARD_COLOURS:
        assert (weights @ linear(colour) + 0.05) / (ink + 0.05) >= 4.5
