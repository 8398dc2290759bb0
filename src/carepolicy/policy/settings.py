"""Settings of the organisation where a limit's text names one in place of a duration."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.model import Organisation

PREFIX = "settings."


def limit_text(text: str, organisation: Organisation) -> str:
    """The text of a limit, with ``settings.NAME`` replaced by what the owner decided; else as it is."""
    setting = organisation.settings.get(text.strip().removeprefix(PREFIX)) if text.strip().startswith(PREFIX) else None
    return str(setting.value) if setting is not None else text
