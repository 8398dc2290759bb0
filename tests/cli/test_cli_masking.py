"""What ends a command tells no card number that was typed by mistake, in whatever place."""

from __future__ import annotations

from pathlib import Path

import pytest

from carepolicy.cli import app
from shops import SHOP

CARD = "4111111111111111"


@pytest.mark.parametrize(
    "arguments",
    [
        ["event", "email_received", "s-1", f"{CARD}=x"],
        ["event", f"email_{CARD}", "s-1"],
        ["event", "email_received", CARD, "customer.email=a@example.org"],
        ["event", "email_received", "s-1", "customer.email=a@example.org", "--id", CARD],
        ["contact", "add", CARD, "--new", "--channel", "email", "--by", "Aoife", "--text", "Hello"],
        ["case", "show", CARD],
        ["contact", CARD],
    ],
    ids=" ".join,
)
def test_no_message_tells_a_card_number_that_was_typed(
    arguments: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREPOLICY_KEY_FILE", str(tmp_path / "key"))
    at = ["--policies", SHOP, "--store", f"sqlite:///{tmp_path / 'care.db'}"]
    assert app.run(["event", "email_received", "s-0", "customer.email=a@example.org", *at]) == 0
    capfd.readouterr()
    assert app.run([*arguments, *at]) != 0
    said = "".join(capfd.readouterr())
    assert said
    assert CARD not in said
