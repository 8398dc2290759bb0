"""The handbook without a network, where it is served: a manifest, an icon, and a worker that keeps the whole site.

A worker holds the digest of each file of its language, and takes a site only when every file is as the list says: what
was published by half is not taken, and a page is never given parts of another version.
"""

from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from markupsafe import escape

from carepolicy.charts.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

WORKER = "worker.js"
APP = "app.webmanifest"
ICON = "assets/icon.svg"
KEPT = (".html", ".js", ".css", ".webmanifest")
"""What is kept of a language's folder; pictures and printed pages of the charts stay where they are."""

GROUND = "#1F4E79"
_ICON = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 512 512">
<rect width="512" height="512" fill="{ground}"/>
<path d="M256 190v46M256 300v46" stroke="#ffffff" stroke-width="14"/>
<rect x="136" y="118" width="240" height="72" rx="14" fill="none" stroke="#ffffff" stroke-width="14"/>
<rect x="136" y="322" width="240" height="72" rx="14" fill="none" stroke="#ffffff" stroke-width="14"/>
<circle cx="256" cy="256" r="56" fill="#ffffff"/>
<text x="256" y="281" font-family="Arial, Helvetica, sans-serif" font-size="72" font-weight="bold" text-anchor="middle"\
 fill="{ground}">{letter}</text>
</svg>
"""


def icon(organisation: str) -> str:
    """The icon of the app: a step, a question with the first letter of the organisation, a step."""
    return _ICON.format(ground=GROUND, letter=escape(clean(organisation)[:1].upper()))


def manifest(organisation: str, handbook: str, language: str, direction: str) -> str:
    """The manifest of the app in one language; it stands in the language's folder."""
    told = {
        "name": f"{clean(organisation)} – {handbook}",
        "short_name": clean(organisation),
        "lang": language,
        "dir": direction,
        "start_url": "index.html",
        "scope": "./",
        "display": "minimal-ui",
        "background_color": "#ffffff",
        "theme_color": GROUND,
        "icons": [{"src": f"../{ICON}", "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def worker(site: Mapping[str, bytes], folder: str) -> str:
    """The worker of a language's folder, which keeps what ``site`` has for it; paths are relative to the folder."""
    kept = {
        name.removeprefix(f"{folder}/") if name.startswith(f"{folder}/") else f"../{name}": _digest(content)
        for name, content in sorted(site.items())
        if name.startswith("assets/") or (name.startswith(f"{folder}/") and name.endswith(KEPT))
    }
    code = (files("carepolicy.handbook") / "assets" / WORKER).read_text(encoding="utf-8")
    listed = json.dumps(kept, ensure_ascii=True, indent=0)
    version = _digest((code + listed).encode())
    return f'"use strict";\n/* files */\nconst VERSION = "{version}";\nconst FILES = {listed};\n/* /files */\n{code}'


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
