"""The attribution that open data ask for, read from what a release holds."""

from __future__ import annotations

from collections.abc import Sequence

from placeshaping._core.codes import is_gss, is_synthetic
from placeshaping.disclosure.release import Release

_PUBLIC_SECTOR = (
    "Contains public sector information licensed under the Open Government Licence v3.0"
)


def licences(release: Release) -> tuple[str, ...]:
    """
    Write the attribution of boundaries and records under the Open Government Licence.

    Parameters
    ----------
    release
        Areas with codes of the Office for National Statistics are taken as
        its boundaries; records are police.uk's where the release says that
        they are published there.

    Returns
    -------
    sentences
        None for areas of one's own, or invented ones.
    """
    codes = [str(code) for code in release.tables[release.levels[0]].areas.index]
    return attribution(codes, year=release.made_on.year, published=release.already_published)


def attribution(codes: Sequence[str], *, year: int, published: str | None) -> tuple[str, ...]:
    """
    Write the attribution of areas with these codes, and of records published at an address.

    Parameters
    ----------
    codes
        Of areas.
    year
        In which the product was made.
    published
        Where the records can be had.

    Returns
    -------
    sentences
        As `licences` has them.

    Examples
    --------
    >>> attribution(["Ours 1"], year=2026, published="https://data.police.uk/data/")[0][:26]
    'Records: data.police.uk. C'
    """
    found = []
    if codes and all(is_gss(code) and not is_synthetic(code) for code in codes):
        found.append(
            f"Boundaries: Office for National Statistics. {_PUBLIC_SECTOR}; contains OS data "
            f"© Crown copyright and database right {year}."
        )
    if "police.uk" in (published or ""):
        found.append(f"Records: data.police.uk. {_PUBLIC_SECTOR}.")
    return tuple(found)
