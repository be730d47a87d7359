"""A surface as a cloud-optimised GeoTIFF, which says of itself what it obeys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import rasterio
import rasterio.shutil
from rasterio.errors import RasterioError
from rasterio.io import MemoryFile
from rasterio.transform import Affine

from placeshaping._core.crs import NATIONAL_GRID
from placeshaping._core.errors import OutputError
from placeshaping._core.output import staged_file
from placeshaping.disclosure.release import Release, require_release
from placeshaping.disclosure.surfaces import NODATA, Raster
from placeshaping.layers.items import check_suffix, item_of
from placeshaping.maps.palettes import SEQUENTIAL

TAG = "PLACESHAPING"
"""The tag that holds the declaration, as JSON."""

SUFFIXES = (".tif", ".tiff")


def write_raster(release: Release, path: str | Path, *, item: str | None = None) -> Path:
    """
    Write a surface of a release as a GeoTIFF.

    One band of classes (uint8, 0 shows nothing) with a colour for each, in the
    British National Grid. The tag `PLACESHAPING` holds what the file says of
    itself, with the labels of the classes. The same release gives the same
    file.

    Parameters
    ----------
    release
        What is published; it carries the surface.
    path
        The file to write, ending in .tif.
    item
        Name of the surface, where there are several.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    DisclosureError
        If `release` is not a `Release`.
    InputError
        If it carries no such surface.
    OutputError
        If the name ends otherwise, or the file cannot be written; an older
        one is then as it was.

    Examples
    --------
    >>> write_raster({}, "density.tif")
    Traceback (most recent call last):
        ...
    placeshaping._core.errors.DisclosureError: write_raster takes a Release, not a dict. ...
    """
    release = require_release(release, wanted_by="write_raster")
    path = check_suffix(path, SUFFIXES)
    raster = item_of(release, item, Raster)
    about = " ".join([*release.statement, *raster.statement])
    return write_classes(raster, path, declaration=release.declaration, about=about)


def write_classes(
    raster: Raster, path: str | Path, *, declaration: Mapping[str, Any], about: str = ""
) -> Path:
    """
    Write a surface of classes with the declaration of the release that it belongs to.

    Parameters
    ----------
    raster
        Classes that may leave.
    path
        The file to write.
    declaration
        Of the release; that of the surface is added.
    about
        The disclosure statement.

    Returns
    -------
    path
        The file that was written.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    path = Path(path)
    declared = {**declaration, **raster.declaration, "labels": list(raster.labels)}
    text = json.dumps(declared, ensure_ascii=False, default=str)
    rows, columns = raster.classes.shape
    try:
        with staged_file(path) as staged, MemoryFile() as memory:
            with memory.open(
                driver="GTiff",
                height=rows,
                width=columns,
                count=1,
                dtype="uint8",
                crs=f"EPSG:{NATIONAL_GRID}",
                transform=Affine(*raster.transform),
                nodata=NODATA,
            ) as made:
                made.write(raster.classes, 1)
                made.write_colormap(1, _colours(len(raster.labels)))
                made.update_tags(**{TAG: text, "TIFFTAG_IMAGEDESCRIPTION": about})
            with memory.open() as made:
                rasterio.shutil.copy(
                    made,
                    staged,
                    driver="COG",
                    compress="DEFLATE",
                    overview_resampling="nearest",
                )
    except RasterioError as error:
        msg = (
            f"{path.name} could not be written ({str(error)[:100]}). The disk is full, or writing "
            "there is not permitted: free some space or choose another folder."
        )
        raise OutputError(msg) from error
    return path


def _colours(classes: int) -> dict[int, tuple[int, int, int, int]]:
    """Return a colour for each class; nothing shown is clear."""
    shades = {
        place: (int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16), 255)
        for place, code in enumerate(SEQUENTIAL[classes], start=1)
    }
    return {NODATA: (0, 0, 0, 0), **shades}
