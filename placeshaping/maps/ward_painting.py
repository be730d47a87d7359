"""The page on which a councillor paints units from ward to ward: one file that opens anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd

from placeshaping._core.codes import is_synthetic
from placeshaping._core.crs import to_degrees
from placeshaping._core.errors import DisclosureError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.wards import WardRelease, require_ward_release
from placeshaping.maps.coverage import encode_coverage, polygons_to_text
from placeshaping.maps.licences import attribution
from placeshaping.maps.palettes import SEQUENTIAL
from placeshaping.maps.ward_still import WARD_COLOURS, ward_still
from placeshaping.pages.leaflet import leaflet_version
from placeshaping.pages.page import Section
from placeshaping.pages.paint import PaintContent, render_painting
from placeshaping.shaping.ward_scores import place_labels, ward_numbers
from placeshaping.shaping.wards import ELECTORS, Proposal, Review

_PERIODS = ("Electors now", "Electors on the forecast")
_WIDE = 1000
_LEAD = (
    "Move small areas from one ward to another and see at once whether every councillor would "
    "still stand for about the same number of electors."
)


def painting_page(released: WardRelease, *, tolerance: float | None = None) -> PaintingPage:
    """
    Make the page on which the wards of a review are painted.

    Parameters
    ----------
    released
        Made by `disclosure.wards.release_review`; anything else is refused. Its
        first proposal is the one that the page opens with.
    tolerance
        Metres by which borders may be simplified for display; by default
        chosen from the size of the units. Scores rest on the borders as they
        are.

    Returns
    -------
    page
        `save(path)` writes one file that needs no network.

    Raises
    ------
    DisclosureError
        If `released` is anything else, or its policy lets no map be passed on.

    Examples
    --------
    >>> painting_page({"units": [3]})
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: painting_page takes a WardRelease, not a dict. ...
    """
    given = require_ward_release(released, wanted_by="painting_page")
    if not given.policy.shareable_map:
        msg = (
            f"Policy {given.policy.name!r} lets no map be passed on, and the painting page is one. "
            "Write layers and tables, or choose another policy."
        )
        raise DisclosureError(msg)
    return PaintingPage(given, tolerance=tolerance)


class PaintingPage:
    """
    A page on which wards are painted; `painting_page` makes it.

    Parameters
    ----------
    released
        What it shows.
    tolerance
        Metres by which borders may be simplified.

    Attributes
    ----------
    released
        What it shows.
    coverage
        Its shapes, with the `tolerance` that was used.
    """

    def __init__(self, released: WardRelease, *, tolerance: float | None = None) -> None:
        self.released = released
        self.coverage = encode_coverage([released.review.units], tolerance=tolerance)

    def __repr__(self) -> str:
        """Say in a line what it is."""
        units = len(self.released.review.units)
        return f"<PaintingPage {self.released.title!r}: {units:,} units>"

    def render(self) -> str:
        """
        Return the page.

        Returns
        -------
        page
            HTML that needs nothing but itself.
        """
        released = self.released
        return render_painting(
            PaintContent(
                title=released.title,
                lead=_LEAD,
                stamp=released.policy.stamp,
                about=tuple(_about(released, self.coverage.tolerance)),
                footer=_footer(released),
                declaration=released.declaration,
                settings=_settings(released.review),
                data=self._data(),
                still=ward_still(released.review, released.proposals[0]),
                expires=released.expires,
            ),
            scripts=[_script("shapes.js"), _script("areas.js")],
        )

    def save(self, outfile: str | Path) -> None:
        """
        Write the page into one file.

        Parameters
        ----------
        outfile
            An old file of that name is replaced once the new one is complete.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        page = self.render()
        with staged_file(outfile) as path:
            path.write_text(page, encoding="utf-8", newline="\n")

    def _data(self) -> dict[str, Any]:
        """Lay units, shapes and proposals out as ``docs/formats.md`` describes."""
        review = self.released.review
        return {
            "format": 1,
            "periods": [{"label": label} for label in _PERIODS],
            "categories": [{"label": "Electors", "denominator": None}],
            "levels": [_level(self.released, polygons_to_text(self.coverage.polygons)[0])],
            "arcs": self.coverage.arcs,
            "review": {
                "name": review.name,
                "digest": review.digest,
                "councillors": review.councillors,
                "sizes": list(review.sizes),
                "tolerance": review.tolerance,
                "square_metres": review.units["square_metres"].tolist(),
                "outer_metres": review.units["outer_metres"].tolist(),
                "neighbours": {
                    name: review.neighbours[name].tolist() for name in ("one", "other", "metres")
                },
                "groups": [_group(review, kind) for kind in review.places],
                "proposals": [_proposal(review, one) for one in _proposals(self.released)],
            },
        }


def _level(released: WardRelease, polygons: Any) -> dict[str, Any]:
    units = released.review.units
    codes = [str(code) for code in units.index]
    named = units["name"] if "name" in units else pd.Series(codes, index=units.index)
    deciles = units.get("decile")
    return {
        "level": released.level,
        "label": "Units of the review",
        "short": "Units",
        "codes": codes,
        "names": [
            code if pd.isna(name) else str(name) for code, name in zip(codes, named, strict=True)
        ],
        "parents": None,
        "members": [
            " ".join(released.members[code]) if code in released.members else None for code in codes
        ],
        "imd_decile": None if deciles is None else [_whole(decile) for decile in deciles],
        "count": [int(n) for column in ELECTORS for n in units[column]],
        "polygons": polygons,
    }


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _group(review: Review, kind: str) -> dict[str, Any]:
    """Return the places of a kind and in which of them each unit lies; -1 for none."""
    labels = place_labels(review, kind)
    names = sorted(labels.dropna().unique())
    return {"kind": kind, "names": names, "of": pd.Index(names).get_indexer(labels).tolist()}


def _proposals(released: WardRelease) -> list[Proposal]:
    """Return the proposals, and the present wards after them where they are known."""
    present = released.present
    return [*released.proposals, *([present] if present is not None else [])]


def _proposal(review: Review, proposal: Proposal) -> dict[str, Any]:
    wards = proposal.wards
    return {
        "name": proposal.name,
        "wards": [
            {"id": str(ward), "name": str(name), "councillors": int(seats)}
            for ward, name, seats in zip(
                wards.index, wards["name"], wards["councillors"], strict=True
            )
        ],
        "of": ward_numbers(review, proposal).tolist(),
    }


def _settings(review: Review) -> dict[str, Any]:
    west, south, east, north = review.units.total_bounds
    lon, lat = to_degrees([(west + east) / 2], [(south + north) / 2])
    return {
        "centre": [round(float(lat[0]), 3), round(float(lon[0]), 3)],
        "look": {"dark": {"night": True}},
        "wards": list(WARD_COLOURS),
        "deciles": list(SEQUENTIAL[5][::-1]),
    }


def _about(released: WardRelease, tolerance: float) -> Iterator[Section]:
    review = released.review
    made_by = str(released.declaration["made_by"])
    parts: list[tuple[str, Sequence[str]]] = [
        ("How a proposal is judged", _tests(review)),
        ("How it was worked out", _method(review, tolerance)),
        ("What was hidden, and why", released.statement),
        ("Mind", released.cautions),
        ("It must not be used", released.not_for),
        ("What it is for", [released.purpose] if released.purpose else []),
        ("Sources", [_source(source) for source in released.sources]),
        ("Licences", _licences(released)),
        (
            "Who made it",
            [
                f"Made on {released.made_on.day} {released.made_on:%B %Y} with {made_by} and "
                f"Leaflet {leaflet_version()}.",
                *([f"Contact: {released.contact}"] if released.contact else []),
            ],
        ),
    ]
    for heading, sentences in parts:
        if sentences:
            yield Section(heading, tuple(sentences))


def _tests(review: Review) -> list[str]:
    mark = f"{100 * review.tolerance:g} %"
    sizes = " or ".join(str(size) for size in review.sizes)
    return [
        f"On the forecast, no ward's electors for each councillor lie more than {mark} from the "
        "average of the whole district; today's are shown beside them.",
        f"Each ward has {sizes} councillors, {review.councillors:,} together; it is of one piece, "
        "and does not lie wholly within another.",
        "Parishes, parish wards, polling districts and communities should not be split; where one "
        "is, the page says so.",
        "The numbers follow the guidance of the Local Government Boundary Commission for England; "
        "the Commission decides, and weighs communities and good local government as well.",
    ]


def _method(review: Review, tolerance: float) -> list[str]:
    return [
        "Each step counts electors, neighbours and the lengths of borders of every unit anew, with "
        "the same numbers as placeshaping review check.",
        "Compactness is 4 pi times the area over the square of the border (Polsby and Popper "
        "1991): 1 is a circle.",
        f"Borders are simplified by up to about {tolerance:,.0f} metres for display; the scores "
        "rest on the borders as they are.",
        f"This review is known by {review.digest}: a file saved from it can be loaded here alone.",
    ]


def _source(source: Any) -> str:
    rows = "" if source.rows is None else f", {source.rows:,} rows"
    checksum = f"SHA-256 {source.sha256[:12]}…" if source.sha256 else source.checksum
    return f"{source.role}: {source.name}{rows} ({checksum})"


def _licences(released: WardRelease) -> tuple[str, ...]:
    codes = [str(code) for code in released.review.units.index]
    return attribution(codes, year=released.made_on.year, published=released.already_published)


def _footer(released: WardRelease) -> tuple[str, ...]:
    own = "This page is one file. It works without a network and sends nothing anywhere."
    if all(is_synthetic(str(code)) for code in released.review.units.index):
        return ("The place, its people and its wards are invented.", own)
    return (*_licences(released), own)


@cache
def _script(name: str) -> str:
    return resources.files("placeshaping.maps").joinpath(name).read_text(encoding="utf-8")
