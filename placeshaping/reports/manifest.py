"""The manifest: what a product was made from, how, and what it consists of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path, PurePath, PureWindowsPath
from typing import Any

from placeshaping._core.output import staged_file
from placeshaping._core.provenance import sha256, versions
from placeshaping.disclosure.release import Release, require_release

PACKAGES = (
    "placeshaping", "numpy", "pandas", "geopandas", "shapely", "pyproj", "pyogrio", "pyarrow",
    "scipy", "numba", "libpysal", "esda", "mapclassify", "folium", "XStatic-Leaflet", "openpyxl",
)  # fmt: skip
"""The packages whose versions a result may depend on."""

_DECIMALS = 3


def write_manifest(
    release: Release,
    path: str | Path,
    *,
    recipe: Mapping[str, Any],
    outputs: Sequence[str | Path],
) -> Path:
    """
    Write what a product was made from, as JSON.

    Inputs and outputs stand with their checksums and base names. Where the
    recipe names a file, its folders are left out.

    Parameters
    ----------
    release
        What is published.
    path
        The file to write.
    recipe
        The recipe as it was read; plain values.
    outputs
        The files of the product, already written.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    OutputError
        If the file cannot be written.

    Examples
    --------
    >>> write_manifest({}, "manifest.json", recipe={}, outputs=[])
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_manifest takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_manifest")
    path = Path(path)
    content = {
        "declaration": release.declaration,
        "recipe": _plain(recipe),
        "inputs": [asdict(source) for source in release.sources],
        "versions": versions(*PACKAGES),
        "facts": _plain(
            {
                **release.facts,
                "statement": list(release.statement),
                "notes": list(release.notes),
                "cautions": list(release.cautions),
            }
        ),
        "outputs": [_output(Path(output)) for output in outputs],
    }
    with staged_file(path) as staged:
        text = json.dumps(content, indent=1, ensure_ascii=False)
        staged.write_text(text + "\n", encoding="utf-8", newline="\n")
    return path


def _output(path: Path) -> dict[str, Any]:
    return {"name": path.name, "sha256": sha256(path), "bytes": path.stat().st_size}


def _plain(value: Any) -> Any:
    """Return plain values: rounded numbers, base names for paths."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, PurePath):
        return value.name
    if isinstance(value, bool) or value is None or isinstance(value, int):
        return value
    if isinstance(value, float):
        return round(value, _DECIMALS)
    return _without_folders(str(value))


def _without_folders(text: str) -> str:
    """Cut a path down to its base name; leave words, dates and addresses as they are."""
    if PurePath(text).is_absolute() or PureWindowsPath(text).is_absolute():
        return PureWindowsPath(text).name
    return text
