"""The words of a name or title, so that rules can tell what a thing is by what it is called."""

from __future__ import annotations

import re
from unicodedata import combining, normalize

_WORD = re.compile(r"[a-z0-9]+")


def words(name: str) -> tuple[str, ...]:
    """The words of ``name`` in small letters without accents: ``Contraseña`` is contrasena, ``prüfen`` pruefen."""
    spelt = normalize("NFC", name).lower().replace("ä", "ae").replace("ö", "oe").replace("ü", "ue").replace("ß", "ss")
    plain = "".join(each for each in normalize("NFKD", spelt) if not combining(each))
    return tuple(_WORD.findall(plain.replace("_", " ")))
