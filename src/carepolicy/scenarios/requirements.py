"""Which flow, state, clock and message carries each requirement, and which scenario shows that it does.

A claim is a ``covers:`` of a flow, a state, a clock or a message. It is shown by a scenario that is tagged with the
same id, passes, and goes through what claims it: visits the state, sees the clock met or late, sends the message, or
opens a case of the flow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carepolicy.policy.findings import Finding, unknown
from carepolicy.policy.language.requirements import Requirement
from carepolicy.policy.load import read_apart
from carepolicy.policy.placeholders import included_in
from carepolicy.policy.places import At, Place

if TYPE_CHECKING:
    from carepolicy.policy.model import Message, Policies
    from carepolicy.policy.places import Source
    from carepolicy.scenarios.coverage import Seen
    from carepolicy.scenarios.scenario import Scenario
    from carepolicy.scenarios.verdict import Verdict

CODE = "CP290"


@dataclass(frozen=True, slots=True)
class RequirementClaim:
    """Something that says it carries a requirement: ``kind`` is flow, state, clock or message; ``shown_by`` are the
    titles of the tagged scenarios that pass and go through it."""

    kind: str
    flow: str
    name: str
    file: str
    line: int
    shown_by: tuple[str, ...]

    @property
    def called(self) -> str:
        """``clock email_inquiry.reply_promise``, ``flow complaint``, ``message auto_reply``."""
        return (
            f"{self.kind} {self.flow}.{self.name}"
            if self.flow and self.name
            else f"{self.kind} {self.flow or self.name}"
        )


@dataclass(frozen=True, slots=True)
class CarriedRequirement:
    """A requirement with what claims to carry it, and the tagged scenarios that fail."""

    requirement: Requirement
    claims: tuple[RequirementClaim, ...]
    failed: tuple[str, ...]

    @property
    def shown(self) -> bool:
        """Whether something carries it, and everything that claims to is shown to."""
        return bool(self.claims) and not self.failed and all(each.shown_by for each in self.claims)


def read_requirements(path: str) -> tuple[Mapping[str, Requirement], Source | None, list[Finding]]:
    """The requirements of a file by id, its source, and what is wrong with it; findings name the file as ``path``."""
    made, source, findings = read_apart(path, "requirements", path)
    return ({} if made is None else made.requirements), source, findings


def carried(
    policies: Policies, requirements: Mapping[str, Requirement], played: Sequence[tuple[Scenario, Verdict]]
) -> list[CarriedRequirement]:
    """Each requirement with its claims, in the order of the file. The verdicts are traced ones."""
    tagged: dict[str, list[tuple[Scenario, Verdict]]] = {}
    for scenario, verdict in played:
        for each in scenario.covers:
            tagged.setdefault(each, []).append((scenario, verdict))
    claims: dict[str, list[RequirementClaim]] = {}
    for said in _said(policies):
        for name in said.ids:
            shown = [
                scenario.title for scenario, verdict in tagged.get(name, ()) if verdict.passed and said.in_(verdict)
            ]
            place = policies.place(said.at)
            file = os.path.join(policies.root, place.file)
            claims.setdefault(name, []).append(
                RequirementClaim(said.kind, said.flow, said.name, file, place.line, tuple(shown))
            )
    return [
        CarriedRequirement(
            requirement,
            tuple(claims.get(name, ())),
            tuple(scenario.title for scenario, verdict in tagged.get(name, ()) if not verdict.passed),
        )
        for name, requirement in requirements.items()
    ]


@dataclass(frozen=True, slots=True)
class _CoversEntry:
    """One ``covers:``, and what a scenario goes through that shows it: any of ``shows``."""

    kind: str
    flow: str
    name: str
    ids: tuple[str, ...]
    at: At
    shows: frozenset[Seen]

    def in_(self, verdict: Verdict) -> bool:
        return not self.shows.isdisjoint(verdict.seen)


def _said(policies: Policies) -> Iterator[_CoversEntry]:
    for flow in policies.flows.values():
        states = frozenset(("state", flow.name, name) for name in flow.states)
        if flow.covers:
            yield _CoversEntry("flow", flow.name, "", flow.covers, flow.at / "covers", states)
        for clock in flow.clocks.values():
            if clock.covers:
                outcomes = frozenset(("clock", flow.name, clock.name, what) for what in ("met", "late"))
                yield _CoversEntry("clock", flow.name, clock.name, clock.covers, clock.at / "covers", outcomes)
        for state in flow.states.values():
            if state.covers:
                seen = frozenset({("state", flow.name, state.name)})
                yield _CoversEntry("state", flow.name, state.name, state.covers, state.at / "covers", seen)
    yield from _said_by_messages(policies)


def _said_by_messages(policies: Policies) -> Iterator[_CoversEntry]:
    """Messages in the first language that has them; one that others take in is sent with any of them."""
    first: dict[str, Message] = {}
    for language in (*policies.organisation.languages, *policies.messages):
        for name, message in policies.messages.get(language, {}).items():
            first.setdefault(name, message)
    holders: dict[str, set[str]] = {name: {name} for name in first}
    for name, message in first.items():
        for part in included_in(message.text):
            holders.setdefault(part, set()).add(name)
    for name, message in first.items():
        if message.covers:
            seen = frozenset(("message", each) for each in holders[name])
            yield _CoversEntry("message", "", name, message.covers, message.at / "covers", seen)


def unknown_ids(
    policies: Policies, requirements: Mapping[str, Requirement], scenarios: Iterable[tuple[Scenario, Source]]
) -> Iterator[Finding]:
    """Ids in ``covers:`` of policies and scenarios that are no requirement's, each at its place."""
    for said in _said(policies):
        source = policies.sources[said.at.file]
        for place, name in _written(source, said.at, said.ids):
            if name not in requirements:
                at = place._replace(file=os.path.join(policies.root, place.file))
                yield unknown(CODE, "requirement", name, at, requirements)
    for scenario, source in scenarios:
        for place, name in _written(source, At(scenario.file, ("covers",)), scenario.covers):
            if name not in requirements:
                yield unknown(CODE, "requirement", name, place, requirements)


def _written(source: Source, at: At, ids: Sequence[str]) -> Iterator[tuple[Place, str]]:
    for number, name in enumerate(ids):
        entry = (at / number).path
        yield source.value(entry if entry in source.values else at.path), name


def as_object(found: Sequence[CarriedRequirement]) -> dict[str, Any]:
    """The answer as JSON."""
    return {
        "requirements": [
            {
                "id": each.requirement.name,
                "text": each.requirement.text,
                "source": each.requirement.source,
                "kind": each.requirement.kind,
                "shown": each.shown,
                "carried_by": [
                    {
                        "kind": claim.kind,
                        **({"flow": claim.flow} if claim.flow else {}),
                        **({"name": claim.name} if claim.name else {}),
                        "file": claim.file,
                        "line": claim.line,
                        "shown_by": list(claim.shown_by),
                    }
                    for claim in each.claims
                ],
                "failed": list(each.failed),
            }
            for each in found
        ],
        "shown": sum(each.shown for each in found),
        "total": len(found),
        "percent": round(percent(found), 2),
    }


def percent(found: Sequence[CarriedRequirement]) -> float:
    """The share of requirements that are shown to be met, in percent; all of none is 100."""
    return 100.0 * sum(each.shown for each in found) / len(found) if found else 100.0


def as_text(found: Sequence[CarriedRequirement]) -> Iterator[str]:
    """Lines: each requirement with what carries it, then the sum."""
    for each in found:
        mark = "ok  " if each.shown else "NO  "
        yield f"{mark}{each.requirement.name}  {each.requirement.text}"
        if not each.claims:
            yield "      nothing carries it"
        for claim in each.claims:
            by = f"shown by {_some(claim.shown_by)}" if claim.shown_by else "no scenario that passes shows it"
            yield f"      {claim.called} ({claim.file}:{claim.line}): {by}"
        for title in each.failed:
            yield f"      fails: {title}"
    yield f"{sum(each.shown for each in found)} of {len(found)} requirements are met, each shown by a scenario"


def _some(titles: Sequence[str]) -> str:
    more = f" and {len(titles) - 1} more" if len(titles) > 1 else ""
    return f"“{titles[0]}”{more}"
