"""A small shop in three languages, wholly translated: its pages, charts, notices, messages and cases speak each."""

from __future__ import annotations

import html
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from carepolicy.charts import chart_of
from carepolicy.charts.draw import sources
from carepolicy.charts.words import Words
from carepolicy.checks import check_folder
from carepolicy.cli.case import titles_in
from carepolicy.cli.walk import show
from carepolicy.handbook import build
from carepolicy.machine.compiler import compile_policies
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies
from carepolicy.policy.phrases import in_language, phrases_of, scenario_phrases
from carepolicy.policy.translations import standing_of, updated
from carepolicy.scenarios.stage import Stage
from carepolicy.scenarios.walk import Walk, WalkMove
from commands import run

SHOP = Path(__file__).parent / "shop"
LANGUAGES = ("fr", "pt-BR")
SAID_ALIKE = {"E-mail", "RMA", "Baker"}
"""Words that stand in a translation as well, or in the organisation's name."""

EVENT: dict[str, Any] = {
    "specversion": "1.0", "id": "1", "source": "/shop", "type": "order_received", "subject": "cake-7",
    "time": "2026-03-02T09:05:00+00:00",
    "data": {"customer.email": "a@example.org", "order.total": "30.00", "order.size": "many_cakes"},
}  # fmt: skip


@pytest.fixture(scope="module")
def shop() -> Policies:
    policies, findings = load_policies(SHOP)
    assert policies is not None, findings
    return policies


@pytest.fixture(scope="module")
def pages(shop: Policies) -> dict[str, str]:
    files = build(shop, drawn=False).files
    return {name: html.unescape(text.decode()) for name, text in files.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shop_is_wholly_translated_and_its_catalogues_are_as_update_leaves_them(
    shop: Policies, language: str
) -> None:
    phrases = tuple({each.path: each for each in (*scenario_phrases(shop), *phrases_of(shop))}.values())
    assert standing_of(shop, phrases, language).is_whole
    made = updated(shop, phrases, language)
    assert made.text == (SHOP / made.file).read_text()
    assert [each.code for each in check_folder(SHOP)[1] if each.code.startswith("CP62")] == ["CP625"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_of_the_first_language_stands_on_a_page_or_chart_of_another(
    shop: Policies, pages: dict[str, str], language: str
) -> None:
    own = {name: text for name, text in pages.items() if f"{language}/" in name}
    assert len(own) > 5
    english = {each.text for each in (*phrases_of(shop), *scenario_phrases(shop))} - SAID_ALIKE
    left = {(name, text) for name, page in own.items() for text in english if text in _without_messages(page)}
    assert left == set()
    assert not any('<span lang="en">' in page for page in own.values())


def _without_messages(page: str) -> str:
    """A page without the messages to customers, which it shows in each of their languages; an index of the search
    without what is found by words of other languages."""
    page = re.sub(r'"x":\[("[^"]*",?)*\]', "", page)
    start, end = page.find('id="messages"'), page.find('id="examples"')
    return page if start < 0 else page[:start] + (page[end:] if end > start else "")


def test_a_chart_speaks_the_language_that_is_asked_for(shop: Policies) -> None:
    assert chart_of(shop, "cake_order").title == "Order a cake"
    assert chart_of(shop, "cake_order", language="fr").title == "Commander un gâteau"
    assert chart_of(shop, "cake_order", language="fr-CA").title == "Commander un gâteau"
    assert chart_of(shop, "cake_order", language="pt-BR").title == "Encomendar um bolo"
    assert "Est-ce une grosse" in sources(shop, "cake_order", language="fr")[0]


def test_a_notice_speaks_the_language_of_the_role_that_is_told(shop: Policies) -> None:
    program = next(each for each in compile_policies(shop).programs if each.flow == "cake_order")
    ordered = next(each for each in program.states if each.name == "ordered")
    told = {
        each.role: each.texts
        for ways in ordered.ways.values() for way in ways if way.effects is not None for each in way.effects.tell
    }  # fmt: skip
    assert {role: [*texts] for role, texts in told.items()} == {"baker": ["pt-BR"], "owner": ["fr"]}
    assert told["baker"]["pt-BR"].text[0] == "Depressa: "
    assert "".join(each for each in told["owner"]["fr"].text if isinstance(each, str)).startswith(
        "Commander un gâteau :"
    )


def test_a_message_calls_flows_settings_and_choices_as_its_language_does(tmp_path: Path) -> None:
    log = tmp_path / "events.jsonl"
    log.write_text(json.dumps(EVENT) + "\n")
    done = run("run", str(log), "--policies", str(SHOP))
    records = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["data"]["text"] for each in records if each["type"] == "carepolicy.message.requested"] == [
        "Your order of many cakes is here. We answer within 2 business days. See you soon!"
    ]
    policies, _ = load_policies(SHOP)
    assert policies is not None
    program = next(each for each in compile_policies(policies).programs if each.flow == "cake_order")
    french = program.templates["thanks"]["fr"]
    assert french.subject == ("Commander un gâteau : merci",)
    assert dict(french.text[1].words) == {"one_cake": "un seul gâteau", "many_cakes": "plusieurs gâteaux"}
    assert "À bientôt" in french.text[-1]


def test_a_case_is_shown_with_the_titles_of_the_language_that_is_asked_for(tmp_path: Path) -> None:
    log, records = tmp_path / "events.jsonl", tmp_path / "records.jsonl"
    log.write_text(json.dumps(EVENT) + "\n")
    records.write_text(run("run", str(log), "--policies", str(SHOP)).stdout)
    asked = ("case", "show", "cake-7", "--records", str(records), "--policies", str(SHOP))
    assert "Order waits for the baker" in run(*asked).stdout
    french = run(*asked, "--language", "fr")
    assert "La commande attend la pâtissière" in french.stdout
    told = (
        "état",
        "ouvert",
        "horloges",
        "délai 2 jours ouvrés",
        "lun. 2026-03-02",
        "l’horloge « Première réponse » démarre",
    )
    assert [each for each in told if each not in french.stdout.replace("\u00a0", " ")] == []
    assert [each for each in ("since", "opened", "clock", "due", "limit", "task", "Mon") if each in french.stdout] == []
    cancelled = {**EVENT, "id": "2", "type": "customer_cancelled", "time": "2026-03-02T09:10:00+00:00", "data": {}}
    log.write_text(json.dumps(EVENT) + "\n" + json.dumps(cancelled) + "\n")
    ended = tmp_path / "ended.jsonl"
    ended.write_text(run("run", str(log), "--policies", str(SHOP)).stdout)
    closed = ("case", "show", "cake-7", "--records", str(ended), "--policies", str(SHOP))
    assert ": cancelled\n" in run(*closed).stdout
    told_so = run(*closed, "--language", "fr").stdout.replace("\u00a0", " ")
    assert ("fermé dans « La commande a été annulée » : Annulé" in told_so, "cancelled\n" in told_so) == (True, False)
    listed = ("case", "list", "--records", str(records), "--policies", str(SHOP))
    assert "cake_order  ordered" in run(*listed).stdout
    assert "Commander un gâteau  La commande attend la pâtissière" in run(*listed, "--language", "fr").stdout
    assert "Order waits for the baker" not in french.stdout
    wrong = run(*asked, "--language", "pl")
    assert (wrong.returncode, 'nothing is said in the language "pl"' in wrong.stderr) == (2, True)


@pytest.mark.parametrize("command", [("graph", "cake_order", "--output", "{out}.dot"), ("diff", "{set}", "{set}")])
def test_an_unknown_language_is_refused_with_the_nearest(command: tuple[str, ...], tmp_path: Path) -> None:
    words = [each.format(out=tmp_path / "chart", set=SHOP) for each in command]
    done = run(*words, "--policies", str(SHOP), "--language", "frr")
    assert done.returncode == 2
    assert 'did you mean "fr"?' in done.stderr


def test_a_layer_over_the_shop_keeps_its_translations_and_what_the_layer_says_anew_has_none(tmp_path: Path) -> None:
    (tmp_path / "organisation.yaml").write_text("organisation: Bakers\nroles: {baker: {title: Head baker}}\n")
    layers = ("--policies", str(SHOP), "--policies", str(tmp_path))
    done = run("graph", "cake_order", *layers, "--language", "fr", "--output", "-")
    assert done.returncode == 0
    assert all(text in done.stdout for text in ("Commander un gâteau", "Head baker"))
    assert "CP622" in run("check", *layers).stdout


@pytest.mark.parametrize(
    ("guard", "english", "french"),
    [
        ('order.size == "many_cakes"', "order size is many cakes", "taille de la commande est plusieurs gâteaux"),
        ('"one_cake" != order.size', "one cake is not order size", "un seul gâteau n’est pas taille de la commande"),
        (
            'event.order.size in ["many_cakes", "one_cake"]',
            "order size is many cakes or one cake",
            "taille de la commande est plusieurs gâteaux ou un seul gâteau",
        ),
        (
            '(order.total > 3 ? order.size : "one_cake") == "many_cakes"',
            "(order size if total of the order is over 3 EUR, else one cake) is many cakes",
            "(taille de la commande si montant de la commande dépasse 3 EUR, sinon un seul gâteau)"
            " est plusieurs gâteaux",
        ),
        ("clock.answer.late", "answer is late", "« Première réponse » est en retard"),
        ("!clock.answer.late", "answer is not late", "« Première réponse » n’est pas en retard"),
        ("case.visits.ordered > 0", "the case has been in ordered",
         "le dossier est passé par « La commande attend la pâtissière »"),
        ("order.total > settings.large_order", "total of the order is over large order (150 EUR)",
         "montant de la commande dépasse grosse commande (150 EUR)"),
        ('settings.farewell == "a"', "farewell (See you soon) is a", "formule d’adieu (À bientôt) est a"),
    ],
)  # fmt: skip
def test_a_guard_is_told_with_titles_and_values_of_the_language(
    shop: Policies, guard: str, english: str, french: str
) -> None:
    for policies, language, said in ((shop, "en", english), (in_language(shop, "fr"), "fr", french)):
        words = Words(policies, policies.flows["cake_order"], language)
        assert words.said(guard, words.scope("cake_baked" if "event." not in guard else "order_received")) == said


def test_the_explanation_of_a_due_time_speaks_the_language_that_is_asked_for() -> None:
    asked = ("due", "3 business hours", "--from", "2026-03-07 12:30", "--explain", "--policies", str(SHOP))
    assert "  Sun 2026-03-08  left out: Sunday is closed\n" in run(*asked).stdout
    french = run(*asked, "--language", "fr").stdout.replace("\u00a0", " ")
    assert french == (
        "3 heures ouvrées à partir de sam. 2026-03-07 12:30, calendrier shop\n"
        "  sam. 2026-03-07  12:30-13:00  30 min\n"
        "  dim. 2026-03-08  non compté : fermé le dimanche\n"
        "  lun. 2026-03-09  09:00-11:30  2 h 30 min\n"
        "échéance 2026-03-09 11:30:00+01:00\n"
    )
    assert run(*asked, "--language", "frr").returncode == 2


def test_a_walk_is_shown_in_the_language_that_is_asked_for() -> None:
    stage, shown = Stage(str(SHOP)), StringIO()
    flow = in_language(stage.policies, "fr").flows["cake_order"]
    walk = Walk(stage, flow, "2026-03-02 10:00", titles_in(str(SHOP), "fr"))
    walk.take(WalkMove("order_received", {"customer.email": "a@example.org", "order.total": "300"}))
    show(walk, Console(file=shown, width=120))
    told = shown.getvalue().replace("\u00a0", " ")
    expected = (
        "responsable : Pâtissière",
        "dire : Merci de votre commande.",
        "en cours",
        "reste 3 h",
        "Tapez un numéro",
    )
    assert [each for each in expected if each not in told] == []
    assert "l’horloge « Première réponse » démarre" in told
    assert not any(each in told for each in ("owner", "say:", "never", "running", "left", "Type a number", "clock"))
