"""GPX is read by the attacker: what is not needed in it, and numbers in reasons, are breaches."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from placeshaping.verify.files import verify_file

SAID = {
    "policy": "police", "method": "round", "threshold": 5, "rounding": 5, "zeros_shown": True,
    "counts_shown": False, "levels": ["grid_250"], "expires": "2026-11-24",
}  # fmt: skip
CODE = "S250E458750N304000"


def gpx(folder: Path, *, inside: str = "", desc: str = "well above", code: str = CODE) -> Path:
    text = (
        '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="x"><metadata>'
        f"<name>t</name><keywords>{json.dumps(SAID)}</keywords></metadata>"
        f'<wpt lat="52.631690" lon="-1.131550"><name>A1</name><cmt>{code}</cmt>'
        f"<desc>{desc}</desc></wpt>{inside}</gpx>"
    )
    path = folder / "patrols.gpx"
    path.write_text(text)
    return path


def told(path: Path) -> list[str]:
    verdict = verify_file(path, today=dt.date(2026, 11, 20))
    return [breach.what for breach in verdict.breaches]


def test_a_route_of_words_passes(tmp_path: Path) -> None:
    assert told(gpx(tmp_path)) == []


@pytest.mark.parametrize(
    ("inside", "desc", "code", "what"),
    [
        ("<trk/>", "x", CODE, "is not on the list"),
        ("<!-- 3 -->", "x", CODE, "holds a comment or an instruction"),
        ('<rte><rtept lat="52" lon="one"/></rte>', "x", CODE, "is at no place"),
        ("", "4 burglaries nearby", CODE, "tells a number of a waypoint"),
        ("", "x", "S125E458750N304000", "holds cells of a grid smaller than 250 m"),
        ("", "x", "E00000001", "holds areas of the level 'oa', finer than an LSOA"),
    ],
)
def test_what_says_more_is_found(
    tmp_path: Path, inside: str, desc: str, code: str, what: str
) -> None:
    assert what in told(gpx(tmp_path, inside=inside, desc=desc, code=code))


def test_a_file_after_its_last_day_does_not_pass(tmp_path: Path) -> None:
    verdict = verify_file(gpx(tmp_path), today=dt.date(2026, 11, 25))
    assert [breach.what for breach in verdict.breaches] == ["has expired"]
