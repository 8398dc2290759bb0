"""Which amounts are bounded, and which commands move money."""

from __future__ import annotations

from pathlib import Path

import pytest

from carepolicy.checks import check_folder
from carepolicy.checks.people.cp506_authority import amounts, bounded_unless, bounded_where, moves_money
from carepolicy.guards.scope import Scope
from carepolicy.policy.model import Fact, Setting
from carepolicy.policy.places import At

MOVING = [
    "refund",
    "refund_customer",
    "give_compensation",
    "goodwill",
    "charge_card",
    "capture_payment",
    "send_voucher",
]
MOVING += ["rembourser_client", "encaisser", "gutschrift_buchen", "rueckerstattung", "reembolsar", "pagar_cliente"]
OTHERS = ["trace_parcel", "renew_authorisation", "send_payment_reminder", "check_credit", "open_security_case"]
OTHERS += ["collect_parcel", "repair", "anzahl_melden", "print_refund_label", "paypal_id"]
HERE = At("organisation.yaml")
KINDS = {"order.total": "money", "order.items": "number", "customer.tier": "text", "order.paid": "flag"}
FACTS = {name: Fact(name, kind, None, (), None, False, None, name, HERE) for name, kind in KINDS.items()}
SCOPE = Scope(FACTS, {"limit": Setting("limit", 20, HERE)}, (), (), frozenset(("order.total",)))


@pytest.mark.parametrize(
    ("guard", "bounded"),
    [
        ("order.total <= 20", {"order.total"}),
        ("order.total < settings.limit", {"order.total"}),
        ("settings.limit * 2 >= order.total", {"order.total"}),
        ("event.order.total <= 20", {"order.total"}),
        ('customer.tier == "gold" && (order.total <= 20 && order.items < 3)', {"order.total", "order.items"}),
        ("order.total > 20", set()),
        ("order.total <= order.items", set()),
        ("order.total <= 20 || order.paid", set()),
        ("!(order.total > 20)", set()),
        ("order.total + 1 <= 20", set()),
        ("order.total <=", set()),
    ],
)
def test_a_guard_bounds_a_fact_where_it_says_so_for_certain(guard: str, bounded: set[str]) -> None:
    assert bounded_where(guard, SCOPE) == bounded


@pytest.mark.parametrize(
    ("passed", "bounded"),
    [
        (["order.total > 20"], {"order.total"}),
        (["order.paid", "20 <= order.total"], {"order.total"}),
        (["order.total > 20 || order.items > 5"], {"order.total", "order.items"}),
        (["order.total > 20 && order.paid"], set()),
        (["order.total < 20"], set()),
        ([], set()),
    ],
)
def test_what_earlier_guards_took_away_bounds_the_rest(passed: list[str], bounded: set[str]) -> None:
    assert bounded_unless(passed, SCOPE) == bounded


def test_an_amount_is_made_of_the_numbers_that_it_reads() -> None:
    assert amounts("order.total * 2", SCOPE) == {"order.total"}
    assert amounts('customer.tier == "gold" ? 20 : 10', SCOPE) == frozenset()
    assert amounts("customer.tier", SCOPE) is None
    assert amounts("order.tot", SCOPE) is None


@pytest.mark.parametrize(
    "action",
    MOVING,
)
def test_commands_that_move_money_are_known_by_their_names(action: str) -> None:
    assert moves_money(action)


@pytest.mark.parametrize(
    "action",
    OTHERS,
)
def test_commands_that_only_sound_like_money_are_left_alone(action: str) -> None:
    assert not moves_money(action)


@pytest.mark.parametrize(
    ("way", "codes"),
    [
        ("{to: answered, request: {refund: {sum: order.total}}}", ["CP506"]),
        ("{to: answered, spends: order.total, request: {refund: {sum: order.total}}}", ["CP507"]),
        (
            "[{when: order.total <= 20, to: answered, spends: order.total, request: {refund: {sum: order.total}}}, "
            "{to: answered}]",
            [],
        ),
        ("{to: answered, spends: settings.goodwill_limit, request: {refund: {sum: order.total}}}", ["CP506"]),
        ("{to: answered, spends: settings.goodwill_limit, request: {refund: {}}}", []),
    ],
)
def test_an_authority_alone_holds_nobody_and_what_is_spent_under_it_does(
    way: str, codes: list[str], harbour: Path
) -> None:
    flow = harbour / "flows/email_inquiry.yaml"
    flow.write_text(flow.read_text().replace("reply_sent: answered", f"reply_sent: {way}"))
    assert [each.code for each in check_folder(harbour)[1]] == codes
