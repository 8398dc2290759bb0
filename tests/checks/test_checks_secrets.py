"""Facts that look like cards, accounts and passwords, in four languages, and those that only sound so."""

from __future__ import annotations

from pathlib import Path

import pytest

from carepolicy.checks import check_folder

SECRET = ["card.number", "payment.iban", "card.cvv", "login.password", "login.pin", "client.carte_bancaire"]
SECRET += ["client.mot_de_passe", "kunde.kreditkarte", "kunde.passwort", "konto.geheimzahl", "cliente.tarjeta"]
SECRET += ["cliente.contrasena", "payment.account_number"]
PLAIN = ["order.discard", "order.pinned", "product.cardboard", "order.panel", "customer.secretary", "ticket.account"]


def found(harbour: Path, declared: str) -> list[tuple[str, str]]:
    file = harbour / "organisation.yaml"
    file.write_text(file.read_text().replace("facts:\n", f"facts:\n  {declared}\n"))
    return [(each.code, each.hint) for each in check_folder(harbour)[1]]


@pytest.mark.parametrize("name", SECRET)
def test_a_secret_is_known_by_its_name(harbour: Path, name: str) -> None:
    assert [code for code, _ in found(harbour, f"{name}: {{type: text}}")] == ["CP703"]


@pytest.mark.parametrize("title", ["Kennwort", "Contraseña", "Prüfziffer", "Numéro de compte", "Card number"])
def test_a_secret_is_known_by_its_title(harbour: Path, title: str) -> None:
    assert [code for code, _ in found(harbour, f"a.b: {{type: text, title: {title}}}")] == ["CP703"]


@pytest.mark.parametrize("name", PLAIN)
def test_what_only_sounds_like_a_secret_is_left_alone(harbour: Path, name: str) -> None:
    assert found(harbour, f"{name}: {{type: text}}") == []


@pytest.mark.parametrize("kind", ["flag", "money, currency: GBP", "choice, of: [visa, cash]"])
def test_flags_choices_and_amounts_are_no_secrets(harbour: Path, kind: str) -> None:
    assert found(harbour, f"payment.card: {{type: {kind}}}") == []


def test_what_must_not_be_kept_at_all_is_told_so(harbour: Path) -> None:
    ((_, hint),) = found(harbour, "card.cvv: {type: text}")
    assert "take it away" in hint
