"""Letters of a chart for which nothing that draws here has a font: boxes would stand for them, and nobody be told.

Graphviz takes letters from the fonts of the machine (fontconfig's), graphviz-pure from Arimo alone, but for SVG, which
keeps letters as letters.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import sys
import unicodedata
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from carepolicy.charts.render import renderer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

_TAGS = re.compile(r'<[^<>]*>|\\.|"')
_LONGEST = 40
_ANY = "fonts-noto-core"
_PACKAGES = {
    "CJK": "fonts-noto-cjk", "HIRAGANA": "fonts-noto-cjk", "KATAKANA": "fonts-noto-cjk", "HANGUL": "fonts-noto-cjk",
    "BOPOMOFO": "fonts-noto-cjk", "emoji": "fonts-noto-color-emoji", "LATIN": "fonts-liberation",
    "GREEK": "fonts-liberation", "CYRILLIC": "fonts-liberation", "HEBREW": "fonts-noto-core",
    "symbol": "fonts-dejavu-core",
}  # fmt: skip
"""Packages of Debian with a font, by the script as Unicode's names of letters begin."""

_HAN = "Chinese or Japanese"
_CALLED = {"CJK": _HAN, "HIRAGANA": _HAN, "KATAKANA": _HAN, "BOPOMOFO": _HAN, "HANGUL": "Korean"}


def fonts_wanted(dots: Iterable[str], ending: str = ".svg") -> str:
    """A warning for charts with these DOT texts: the first words of each script that no font here has, and what to
    install; "" where every letter has one, or where that cannot be known."""
    if ending == ".dot" or renderer() is None:
        return ""
    texts = list(dict.fromkeys(part for dot in dots for part in _texts(dot)))
    missing = _without_font(frozenset().union(*texts) if texts else frozenset(), ending)
    scripts: dict[str, str] = {}
    for text in texts:
        for letter in text:
            if letter in missing:
                scripts.setdefault(script_of(letter), text)
    if not scripts:
        return ""
    told = ", ".join(
        f"“{_short(text)}” ({', '.join(_called(scripts, text))})" for text in dict.fromkeys(scripts.values())
    )
    wanted = " ".join(dict.fromkeys(_PACKAGES.get(script, _ANY) for script in scripts))
    how = f"install a font of the script (on Debian: apt-get install {wanted})"
    if renderer() == "graphviz-pure" and ending != ".svg":
        how = f"write .svg, or install Graphviz and a font of the script (on Debian: apt-get install graphviz {wanted})"
    return f"note: no font here has the letters of {told}: boxes stand for them, and cards may be too narrow; {how}"


def _called(scripts: Mapping[str, str], text: str) -> Iterable[str]:
    """What the scripts are called that a text is the first to have."""
    found = (script for script, first in scripts.items() if first == text)
    return dict.fromkeys(_CALLED.get(each, each.capitalize() if each.isupper() else each) for each in found)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST].rstrip()}…"


def script_of(letter: str) -> str:
    """The script of a letter, as Unicode's name of it begins: "CJK", "ARABIC"; "emoji" or "symbol" for what is none."""
    if unicodedata.category(letter)[0] == "S":
        return "emoji" if ord(letter) >= 0x1F000 else "symbol"
    return unicodedata.name(letter, "OTHER").split(" ")[0].split("-")[0]


def _texts(dot: str) -> Iterator[str]:
    """What is to be read in a DOT text, piece by piece."""
    for line in dot.splitlines():
        for piece in _TAGS.split(line):
            text = html.unescape(piece).strip()
            if text and not text.isascii():
                yield text


def _without_font(letters: frozenset[str], ending: str) -> frozenset[str]:
    seen = {each for each in letters if unicodedata.category(each)[0] not in "CZ" and not each.isascii()}
    if renderer() == "graphviz-pure" and ending != ".svg":
        return frozenset(seen - _letters_of(_arimo()))
    for path in _font_files():
        if not seen:
            break
        seen -= _letters_of(path)
    return frozenset(seen) if _can_read() else frozenset()


def _can_read() -> bool:
    """Whether it can be told which letters a font has."""
    try:
        import fontTools.ttLib  # noqa: F401 - whether it can be imported is the question
    except ImportError:
        return False
    return True


def _arimo() -> str:
    try:
        return str(files("fontpkg_arimo") / "files" / "Arimo[wght].ttf")
    except ModuleNotFoundError:
        return ""


@cache
def _letters_of(path: str) -> frozenset[str]:
    """The letters that the fonts in a file have; none where it cannot be read."""
    from fontTools.ttLib import TTCollection, TTFont, TTLibError

    try:
        if path.lower().endswith((".ttc", ".otc")):
            fonts = TTCollection(path, lazy=True).fonts
        else:
            fonts = [TTFont(path, lazy=True)]
        return frozenset(chr(code) for font in fonts for code in font.getBestCmap() or ())
    except (OSError, TTLibError, KeyError, ValueError, AssertionError):
        return frozenset()


@cache
def _font_files() -> Sequence[str]:
    """The fonts that Graphviz can take letters from: fontconfig's, those of most letters first."""
    if shutil.which("fc-list") is not None:
        try:
            done = subprocess.run(["fc-list", ":", "file"], capture_output=True, timeout=20, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return ()
        found = [line.rstrip(": ") for line in done.stdout.decode("utf-8", "replace").splitlines()]
    else:
        found = [str(path) for folder in _folders() for path in folder.rglob("*") if path.suffix.lower() in _ENDINGS]
    return sorted((path for path in found if path.lower().endswith(_ENDINGS)), key=_size, reverse=True)


_ENDINGS = (".ttf", ".otf", ".ttc", ".otc")


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0


def _folders() -> list[Path]:
    """Where a machine without fc-list has its fonts."""
    home = Path.home()
    by_system = {
        "darwin": ["/System/Library/Fonts", "/Library/Fonts", str(home / "Library/Fonts")],
        "win32": [os.path.join(os.environ.get("WINDIR", r"C:\Windows"), "Fonts")],
    }
    usual = ["/usr/share/fonts", "/usr/local/share/fonts", str(home / ".fonts"), str(home / ".local/share/fonts")]
    return [Path(each) for each in by_system.get(sys.platform, usual) if os.path.isdir(each)]
