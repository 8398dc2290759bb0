"""The language of requirements.yaml: what the policies are to meet, each by its id."""

from __future__ import annotations

from collections.abc import Mapping

from carepolicy.policy.language.keys import Mapped, called, key, located, mapping, named, text
from carepolicy.policy.language.shapes import choice
from carepolicy.policy.places import At

REQUIREMENT_KINDS = ("limit", "promise", "flow", "role", "system", "record", "rule", "content")


@mapping("a requirement, such as {text: Answer e-mails within two business days., source: our promise}")
class Requirement(Mapped):
    """What the policies are to meet, and who asks for it."""

    name: str = called()
    source: str = text("Who asks for it: a law, a contract, a paper and the line in it.", example="S2:37", rank=1)
    kind: str | None = key(
        choice(*REQUIREMENT_KINDS, expected="a kind of requirement"), "Of which kind it is.", otherwise="none",
        example="limit", rank=2,
    )  # fmt: skip
    text: str = text("What is asked for.", required=True, example="Every e-mail is answered in two days.", rank=0)
    at: At = located()


@mapping("requirements by id", "What the policies are to meet; `carepolicy coverage` says what meets it.")
class Requirements(Mapped):
    """A file of requirements."""

    requirements: Mapping[str, Requirement] = named(
        Requirement, "requirements by id", "What is asked for, by id.", names=None, required=True,
        example="{R49: {text: Answer e-mails in less than two business days., source: 'S2:37', kind: limit}}", rank=0,
    )  # fmt: skip
