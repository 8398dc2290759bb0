"""The templates of the pages, and how a language is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.machine.locales import is_right_to_left

if TYPE_CHECKING:
    from jinja2 import Environment


def environment_of() -> Environment:
    """Jinja with everything escaped, and an error for a name that is not there."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("carepolicy.handbook"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def direction_of(tag: str) -> str:
    """How a language is written, as HTML says it."""
    return "rtl" if is_right_to_left(tag) else "ltr"
