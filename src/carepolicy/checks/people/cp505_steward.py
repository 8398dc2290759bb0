"""CP505: a flow that gathers what customers say, and nobody answers for it by name."""

from __future__ import annotations

from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.model import Flow
from carepolicy.policy.vocabulary import words


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Feedback flows without ``steward:``. That somebody has the role is CP502's matter."""
    for flow in checked.flows.values():
        if flow.steward is None and gathers_feedback(flow):
            text = f'"{flow.name}" gathers feedback, and names no steward'
            hint = f"name the role that answers for it, as in steward: {flow.owner}"
            yield Finding(CODE, text, checked.place(flow.at / "flow"), hint, Severity.WARNING)


def gathers_feedback(flow: Flow) -> bool:
    """Whether a flow is about what customers think of us, by the words of its name and its synonyms."""
    said = {word for name in (flow.name, *flow.synonyms) for word in words(name)}
    return not said.isdisjoint(FEEDBACK)


ENGLISH = ("feedback", "feedbacks", "survey", "surveys", "nps", "csat", "satisfaction")
FRENCH = ("sondage", "sondages", "enquete")
GERMAN = ("umfrage", "umfragen", "rueckmeldung", "rueckmeldungen", "ruckmeldung", "zufriedenheit")
SPANISH = ("encuesta", "encuestas", "opiniones", "satisfaccion")
FEEDBACK = frozenset((*ENGLISH, *FRENCH, *GERMAN, *SPANISH))
CODE = "CP505"
RULE = Rule(
    CODE,
    "feedback flow without a named steward",
    "What customers tell us is lost where everybody gathers it and nobody answers for it. A flow about feedback (its "
    "name or a synonym says feedback, survey or satisfaction, also in French, German or Spanish) names by steward: a "
    "role that somebody has.",
    "synonyms: [customer survey]\n",
    "synonyms: [customer survey]\nsteward: care_lead\n",
    find,
    Severity.WARNING,
)
