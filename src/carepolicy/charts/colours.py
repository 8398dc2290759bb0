"""Colours of owners, and whether text on them can be read.

Contrast is that of WCAG 2.2, success criterion 1.4.3: relative luminance of the two colours, each
plus 0.05, divided. AA asks for 4.5 between a text and its ground and 3.0 for lines.

Twelve bands can be told apart by people of any colour vision; on a grey printer, and from the thirteenth owner of one
flow on, it is the owner's name that says who acts, which stands in each band.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from carepolicy.policy.model import Flow, Policies

AA_TEXT = 4.5
AA_LINE = 3.0
BLACK = "#000000"
WHITE = "#FFFFFF"
BANDS = (
    "#1F4E79", "#787800", "#4B1E00", "#2D7869", "#875AD2", "#3C2D3C",
    "#C33C69", "#5A4B00", "#4B7896", "#693C3C", "#001E78", "#875A3C",
)  # fmt: skip
"""Bands of owners in the order in which they are given out. White on each is above 4.5:1; any two are at least 14 apart
by CIEDE2000, and at least 10 as people see them who lack the cones for red or for green."""

_HEX = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})\Z")


class BadColour(ValueError):
    """A colour that is not ``#rgb`` or ``#rrggbb``."""


@dataclass(frozen=True, slots=True)
class Shade:
    """How one owner looks: the band and the text on it, a light tint with the text on that, and the border."""

    band: str
    on_band: str
    tint: str
    on_tint: str
    line: str


PLAIN = Shade("#FFFFFF", BLACK, "#FFFFFF", BLACK, "#444444")
"""Black on white, for grey printers."""


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue from 0 to 255. Raises BadColour for anything but ``#rgb`` and ``#rrggbb``."""
    if not _HEX.match(colour):
        raise BadColour(f'"{colour}" is not a colour of the form #RRGGBB')
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2.2 defines it: 0 is black, 1 is white."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in channels(colour))]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def text_on(ground: str) -> str:
    """White or black, whichever can be read better on ``ground``; one of them always passes AA."""
    return WHITE if contrast(WHITE, ground) >= contrast(BLACK, ground) else BLACK


def mixed(colour: str, other: str, share: float) -> str:
    """``share`` of ``colour`` and the rest of ``other``."""
    parts = (round(a * share + b * (1 - share)) for a, b in zip(channels(colour), channels(other), strict=True))
    return "#" + "".join(f"{part:02X}" for part in parts)


def shade(band: str) -> Shade:
    """The four colours of an owner whose band has the colour ``band``; all pairs pass AA."""
    band = "#" + "".join(f"{value:02X}" for value in channels(band))
    tint = mixed(band, WHITE, 0.1)
    on_tint = band
    while contrast(on_tint, tint) < AA_TEXT + 0.5:
        on_tint = mixed(on_tint, "#000000", 0.85)
    line = band
    while contrast(line, WHITE) < AA_LINE:
        line = mixed(line, "#000000", 0.85)
    return Shade(band, text_on(band), tint, on_tint, line)


def shades(
    roles: Iterable[str],
    own: Mapping[str, str | None],
    palette: Iterable[str],
    beside: Mapping[str, Collection[str]] | None = None,
) -> dict[str, Shade]:
    """A shade for each role, in order: its own colour, else the next of the palette that is not taken.

    Where all are taken, one that none of those has that stand ``beside`` the role on a chart.
    """
    names = list(roles)
    colours = {name: colour.upper() for name in names if (colour := own.get(name))}
    known = list(dict.fromkeys(colour.upper() for colour in (*palette, *BANDS)))
    for name in names:
        if name not in colours:
            near = [colours[each] for each in (beside or {}).get(name, ()) if each in colours]
            all_there = list(colours.values())
            colours[name] = min(known, key=lambda colour: (near.count(colour), all_there.count(colour)))
    return {name: shade(colours[name]) for name in names}


def shades_of(policies: Policies, others: Iterable[str] = ()) -> dict[str, Shade]:
    """A shade for each role of a set, then for ``others`` that are no roles of it: the same on all of its charts."""
    organisation = policies.organisation
    own = {name: role.colour for name, role in organisation.roles.items()}
    roles = dict.fromkeys((*organisation.roles, *others))
    return shades(roles, own, organisation.palette, _beside(policies.flows.values()))


def _beside(flows: Iterable[Flow]) -> dict[str, set[str]]:
    """The roles that own steps of the same flow, for each role."""
    found: dict[str, set[str]] = {}
    for flow in flows:
        owners = {state.owner for state in flow.states.values() if state.owner is not None}
        for owner in owners:
            found.setdefault(owner, set()).update(owners - {owner})
    return found
