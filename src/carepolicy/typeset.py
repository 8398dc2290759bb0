"""From a page description of Typst and texts to a PDF: what books, cards and wall sheets are set with.

Texts of a policy are data and never part of the description: they come to it as JSON, so that no text can be taken for
markup. Nothing but the wheels of carepolicy[render] is needed, neither a font nor a library nor a program of the
system; its fonts are asked only for letters that no wheel has.
"""

from __future__ import annotations

import json
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from typst import Fonts

FONT = "Arimo"
"""The letters of every page: as wide as Arial's, with which charts are measured."""

WHEELS = {
    "ARABIC": "fontpkg-noto-sans-arabic",
    "CJK": "noto-cjk-sans-jp-regular",
    "DEVANAGARI": "fontpkg-noto-sans-devanagari",
    "HANGUL": "noto-cjk-sans-jp-regular",
    "HIRAGANA": "noto-cjk-sans-jp-regular",
    "KATAKANA": "noto-cjk-sans-jp-regular",
    "KHMER": "fontpkg-noto-sans-khmer",
    "TAMIL": "fontpkg-noto-sans-tamil",
    "TELUGU": "fontpkg-noto-sans-telugu",
    "THAI": "fontpkg-noto-sans-thai",
}
"""A wheel of PyPI with a font for a script, by the word with which Unicode's names of its letters begin."""

_UNSHOWN = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
_FORBIDDEN = dict.fromkeys((0x0000, 0xFEFF, 0xFFFE))
_ACCESSIBLE: Literal["ua-1"] = "ua-1"


class NoTypesetter(RuntimeError):
    """What sets pages is not installed; the text says what to install."""

    def __init__(self) -> None:
        super().__init__(
            'no PDF, since typst is not there: install carepolicy[render] (pip install "carepolicy[render]")'
        )


class TypesetError(RuntimeError):
    """Typst refused a page description; the text is what it said."""


@dataclass(frozen=True, slots=True)
class Typeset:
    """A PDF that a screen reader can follow: by PDF/UA-1 where every letter has a font.

    ``unshown`` are the letters that no font here has; boxes stand for them.
    """

    pdf: bytes
    unshown: str = ""

    @property
    def advice(self) -> str:
        """What to say of letters that no font has; "" where every letter has one."""
        return how_to_show(self.unshown)


def typeset(source: str, data: object = None, files: Mapping[str, bytes] | None = None) -> Typeset:
    """The PDF of a description, which reads ``data`` by ``json("data.json")`` and each of ``files`` by its name.

    The same description, data and fonts give the same bytes. A picture of SVG may stand in the data:
    ``image(bytes(TEXT), format: "svg", alt: …)``; a document needs a title, and a picture its ``alt``.
    Raises NoTypesetter and TypesetError.
    """
    _fonts(system=False)  # says what is missing before anything is written
    told = json.dumps(_allowed(data), ensure_ascii=False).encode("utf-8", "replace")
    with tempfile.TemporaryDirectory(prefix="carepolicy-") as root:
        for name, content in {**(files or {}), "data.json": told, "main.typ": source.encode()}.items():
            (Path(root) / name).write_bytes(content)
        return _typeset(Path(root))


def _allowed(data: object) -> object:
    """Data without the code points that PDF/UA-1 forbids."""
    if isinstance(data, str):
        return data.translate(_FORBIDDEN)
    if isinstance(data, dict):
        return {key: _allowed(value) for key, value in data.items()}
    return [_allowed(each) for each in data] if isinstance(data, list | tuple) else data


def pictured(source: str, data: object = None, kind: str = "svg") -> list[bytes]:
    """Each page of a description as a picture, "svg" or "png". Raises NoTypesetter and TypesetError."""
    fonts = _fonts(system=True)
    import typst

    told = json.dumps(_allowed(data), ensure_ascii=False).encode("utf-8", "replace")
    with tempfile.TemporaryDirectory(prefix="carepolicy-") as root:
        for name, content in {"data.json": told, "main.typ": source.encode()}.items():
            (Path(root) / name).write_bytes(content)
        try:
            made = typst.compile(
                Path(root) / "main.typ", root=Path(root), font_paths=fonts, format="svg" if kind == "svg" else "png",
                ppi=150,
            )  # fmt: skip
        except typst.TypstError as problem:
            raise TypesetError(problem.diagnostic or problem.message) from None
    return made if isinstance(made, list) else [made]


def _typeset(root: Path) -> Typeset:
    """With the fonts of wheels; with those of the machine too where letters are missing; at last with boxes."""
    for system in (False, True):
        try:
            return Typeset(_compiled(root, _fonts(system), accessible=True))
        except TypesetError as problem:
            unshown = "".join(dict.fromkeys("".join(_UNSHOWN.findall(str(problem)))))
            if not unshown:
                raise
    return Typeset(_compiled(root, _fonts(system=True), accessible=False), unshown)


def _compiled(root: Path, fonts: Fonts, *, accessible: bool) -> bytes:
    import typst

    try:
        return typst.compile(
            root / "main.typ",
            root=root,
            font_paths=fonts,
            format="pdf",
            pdf_standards=_ACCESSIBLE if accessible else None,
            timestamp=0,
        )
    except typst.TypstError as problem:
        raise TypesetError(problem.diagnostic or problem.message) from None


@cache
def _fonts(system: bool) -> Fonts:
    """The fonts of the wheels, those that Typst itself brings, and with ``system`` those of the machine."""
    try:
        from typst import Fonts
    except ImportError:
        raise NoTypesetter from None
    return Fonts(include_system_fonts=system, include_embedded_fonts=True, font_paths=font_folders())


def font_folders() -> list[str]:
    """The folders of fonts that wheels have brought: any of the fontpkg family, and those of ``WHEELS``."""
    entries = sorted(entry_points(group="fontpkg.family"), key=lambda each: each.name)
    modules = [each.value for each in entries] + [each.replace("-", "_") for each in WHEELS.values()]
    found: list[str] = []
    for module in dict.fromkeys(modules):
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            found.append(str(Path(spec.origin).parent))
    return found


def how_to_show(unshown: str) -> str:
    """What is wrong where letters have no font, by their scripts, and which wheels would bring one; "" for none."""
    if not unshown:
        return ""
    scripts: dict[str, str] = {}
    for letter in unshown:
        scripts.setdefault(unicodedata.name(letter, "unknown").split(" ")[0].split("-")[0], letter)
    told = ", ".join(f"{script} ({letter})" for script, letter in scripts.items())
    wheels = " ".join(dict.fromkeys(WHEELS[script] for script in scripts if script in WHEELS))
    help = f"pip install {wheels}" if wheels else "install one for the system"
    return f"no font here has letters of {told}; boxes stand for them: {help}"
