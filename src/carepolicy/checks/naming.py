"""The words of a name or title, so that rules can tell what a thing is by what it is called."""

from __future__ import annotations

import re

from carepolicy.policy.vocabulary import spelt

_WORD = re.compile(r"[a-z0-9]+")


def words(name: str) -> tuple[str, ...]:
    """The words of ``name`` in small letters without accents: ``Contraseña`` is contrasena, ``prüfen`` pruefen."""
    return tuple(_WORD.findall(spelt(name).replace("_", " ")))
