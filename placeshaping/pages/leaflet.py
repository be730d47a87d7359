"""Leaflet's own files, taken from the XStatic-Leaflet wheel and made fit to stand inside a page."""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from pathlib import Path

from placeshaping._core.checks import check_file

_ICONS = {
    "iconUrl": "marker-icon.png",
    "iconRetinaUrl": "marker-icon-2x.png",
    "shadowUrl": "marker-shadow.png",
}


def leaflet_version() -> str:
    """
    Return the version of the Leaflet that pages carry.

    Examples
    --------
    >>> leaflet_version()
    '1.9.3'
    """
    from xstatic.pkg import leaflet

    return str(leaflet.VERSION)


@cache
def leaflet_script() -> str:
    """
    Return Leaflet's script, with its marker pictures inside and no link to a source map.

    Returns
    -------
    script
        JavaScript that asks for nothing outside.
    """
    text = (_folder() / "leaflet.js").read_text(encoding="utf-8")
    text = re.sub(r"\n//# sourceMappingURL=.*", "\n", text)
    pictures = {option: _data_uri(name) for option, name in _ICONS.items()}
    return (
        f"{text.strip()}\ndelete L.Icon.Default.prototype._getIconUrl;"
        f"L.Icon.Default.mergeOptions({json.dumps(pictures)});\n"
    )


@cache
def leaflet_styles() -> str:
    """
    Return Leaflet's style sheet, with its pictures inside as data URIs.

    Returns
    -------
    styles
        CSS that asks for nothing outside.
    """
    text = (_folder() / "leaflet.css").read_text(encoding="utf-8")
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)
    text = re.sub(r"\s*behavior: url\(#default#VML\);", "", text)
    text = re.sub(
        r"url\(images/([\w.-]+)\)", lambda found: f"url({_data_uri(found.group(1))})", text
    )
    return re.sub(r"\s*\n\s*", "\n", text).strip() + "\n"


def _folder() -> Path:
    from xstatic.pkg import leaflet

    return check_file(leaflet.BASE_DIR)


def _data_uri(name: str) -> str:
    content = check_file(_folder() / "images" / name).read_bytes()
    return "data:image/png;base64," + base64.b64encode(content).decode("ascii")
