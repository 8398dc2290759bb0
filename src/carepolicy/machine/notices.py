"""What a notice says that has no text of its own: which case it is about, where that is, and which clock is late."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carepolicy.businesstime.wording import FALLBACK
from carepolicy.machine.templates import Slot

if TYPE_CHECKING:
    from carepolicy.machine.templates import Part
    from carepolicy.policy.model import Flow

SENTENCES = {
    "en": {
        "case": "{flow}: case {case} is at “{state}”.",
        "met": "{clock}: done in time.",
    },
    "fr": {
        "case": "{flow} : le dossier {case} en est à « {state} ».",
        "met": "{clock} : fait dans les temps.",
    },
    "de": {
        "case": "{flow}: Fall {case} steht bei „{state}“.",
        "met": "{clock}: rechtzeitig erledigt.",
    },
    "es": {
        "case": "{flow}: el caso {case} está en «{state}».",
        "met": "{clock}: hecho a tiempo.",
    },
    "nl": {
        "case": "{flow}: zaak {case} staat op ‘{state}’.",
        "met": "{clock}: op tijd gedaan.",
    },
}
"""In each language that limits are told in."""


def notice_of(flow: Flow, language: str, state: str, trigger: str | None) -> tuple[Part, ...]:
    """The sentences of a notice: ``state`` is the title of that in which the case is then, ``trigger`` what it is told
    on, if that is an event or a clock's."""
    words = SENTENCES.get(language.partition("-")[0], SENTENCES[FALLBACK])
    before, _, after = words["case"].partition("{case}")
    parts: list[Part] = [before.format(flow=flow.title), Slot("subject", ""), after.format(state=state)]
    name, _, what = (trigger or "").partition(".")
    if trigger is not None and trigger in flow.events:
        parts[-1] = f"{parts[-1]} {_sentence(flow.events[trigger].title)}"
    elif name in flow.clocks and what == "met":
        parts[-1] = f"{parts[-1]} {words['met'].format(clock=flow.clocks[name].title)}"
    elif name in flow.clocks and what in ("late", "warned"):
        parts[-1] = f"{parts[-1]} "
        parts.append(Slot(what, name, flow.clocks[name].title))
    return tuple(parts)


def _sentence(title: str) -> str:
    return title if title.endswith((".", "!", "?", "…", "。")) else f"{title}."
