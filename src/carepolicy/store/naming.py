"""Names as text columns can hold them: PostgreSQL takes no NUL in a text, and a subject may have one."""

from __future__ import annotations


def storable(name: str) -> str:
    """``name`` without NUL, so that no two names become one."""
    if "\0" not in name and "\\" not in name:
        return name
    return name.replace("\\", "\\\\").replace("\0", "\\0")


def named(text: str) -> str:
    """The name that ``storable`` was given."""
    if "\\" not in text:
        return text
    return "\\".join(part.replace("\\0", "\0") for part in text.split("\\\\"))
