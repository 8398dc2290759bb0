"""CP703: a fact that looks like a card, an account or a password, and is not private."""

from __future__ import annotations

import re
from collections.abc import Iterator

from carepolicy.checks.context import CheckedSet
from carepolicy.checks.rule import Rule
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.vocabulary import words


def find(checked: CheckedSet) -> Iterator[Finding]:
    """Facts whose name or title says that they hold a card's or account's data, or a secret."""
    for fact in checked.organisation.facts.values():
        if fact.private or (fact.item or fact.type) not in ("text", "number", "date"):
            continue
        said = f"{' '.join(words(fact.name))} | {' '.join(words(fact.title))}"
        if NEVER.search(said) is not None:
            hint = "best take it away: it must not be kept at all; else add private: true"
        elif SECRET.search(said) is not None:
            hint = "add private: true"
        else:
            continue
        text = f'"{fact.name}" looks like data of a card, an account or a secret, and is not private'
        yield Finding(CODE, text, checked.key_place(fact.at), hint, Severity.WARNING)


# Words of names and titles in English, French, German and Spanish. First what no shop may keep.
NEVER = re.compile(
    r"\b(?:cvv2?|cvc2?|csc|pin|pincode|password|passwords|passcode|passphrase|security code|secret|"
    r"mot de passe|motdepasse|mdp|cryptogramme|code secret|"
    r"passwort|passworter|passwoerter|kennwort|pruefziffer|prufziffer|geheimzahl|"
    r"contrasena|clave|codigo de seguridad)\b"
)
SECRET = re.compile(
    r"\b(?:card|cards|credit ?card|debit ?card|card ?number|iban|account number|bank account|sort code|"
    r"routing number|ssn|social security|passport|"
    r"carte|carte bancaire|carte bleue|numero de compte|coordonnees bancaires|"
    r"karte|kreditkarte|kartennummer|kreditkartennummer|konto|kontonummer|bankverbindung|ausweisnummer|"
    r"tarjeta|tarjeta de credito|numero de cuenta|cuenta bancaria)\b"
)
CODE = "CP703"
RULE = Rule(
    CODE,
    "card or password that is not private",
    "Numbers of cards and accounts, passwords and PINs are marked private: true, so that they never reach a log, a "
    "chart or a report, and are stored encrypted. Passwords, PINs and the security code of a card are best not "
    "carried at all: card schemes forbid to keep them. The rule goes by the name and the title of the fact, in "
    "English, French, German and Spanish; flags, choices and amounts are left alone.",
    "facts:\n  payment.card_number: {type: text}\n",
    "facts:\n  payment.card_number: {type: text, private: true}\n",
    find,
    Severity.WARNING,
)
