"""Where a flow's page and its steps stand in the handbook: the addresses that QR codes and links bear."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from carepolicy.charts.text import identifier

if TYPE_CHECKING:
    from carepolicy.policy.model import Policies


def language_folder(language: str) -> str:
    """The folder of a language in the handbook."""
    return re.sub(r"[^A-Za-z0-9-]", "_", language)


def page_of(flow: str) -> str:
    """The page of a flow, in the folder of its language."""
    return f"flows/{identifier(flow)}.html"


def address_of(policies: Policies, flow: str, language: str) -> str:
    """The address of a flow's page where the organisation says where its handbook is read, else ""."""
    place = policies.organisation.handbook
    return f"{place.url.rstrip('/')}/{language_folder(language)}/{page_of(flow)}" if place is not None else ""
