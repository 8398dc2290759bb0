"""A shop in Polish, Arabic and Brazilian Portuguese, wholly translated by texts/, messages/ and texts/carepolicy/: its
charts, pages and mails hold not one English word, and what is read from the right is laid out so."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from lxml import html as markup

from carepolicy.charts.changes import compare
from carepolicy.charts.changes.difference import in_text
from carepolicy.checks import check_folder
from carepolicy.handbook import build, write
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies
from carepolicy.policy.ownwords import own_updated, template
from carepolicy.policy.phrases import in_language, phrases_of, scenario_phrases
from carepolicy.policy.translations import standing_of, updated
from carepolicy.translations import translation_of
from commands import run

SHOP = Path(__file__).parent / "shop"
LANGUAGES = ("pl", "ar", "pt-BR")
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
WORD = re.compile(r"[^\W\d_]{2,}(?:_\w+)?")
"""A word; names with an underscore (cake_order) are one, since they are no words of any language."""

COMMANDS = ("wait ", "until 2", "save ", "Type a number", "The case is closed.", "{0} written", "all that ")
"""Phrases of `carepolicy try`, in which commands stay as they are typed."""


@pytest.fixture(scope="module")
def shop() -> Policies:
    policies, findings = load_policies(SHOP)
    assert policies is not None, findings
    return policies


@pytest.fixture(scope="module")
def site(shop: Policies) -> Any:
    return build(shop)


def english(policies: Policies) -> set[str]:
    """Every word of carepolicy's own phrases and of the set, in English."""
    said = [text for each in template() for text in (each.text, each.plural)]
    said += [each.text for each in (*phrases_of(policies), *scenario_phrases(policies))]
    said += [text for each in policies.messages["en"].values() for text in (each.subject, each.text)]
    return {word.lower() for text in said for word in WORD.findall(re.sub(r"\{.*?\}", "", text))}


def said_in(policies: Policies, language: str) -> set[str]:
    """Every word that the set says in a language: its texts, its messages and its words of ours; and names."""
    words = translation_of(language, policies.own_words)
    said = [
        form
        for each in words.catalogues
        for (_, text), forms in each.texts.items()
        if not text.startswith(COMMANDS)
        for form in forms
    ]
    catalogue = (SHOP / f"texts/{language}.po").read_text()
    said += re.findall(r'^msgstr "(.*)"$', catalogue, re.MULTILINE)
    said += [text for each in policies.messages[language].values() for text in (each.subject, each.text)]
    said += [policies.organisation.name, *policies.flows]
    return {word.lower() for text in said for word in WORD.findall(text)}


def shown(root: Any, language: str) -> Iterator[str]:
    """What a person sees or hears of a page or chart; what is marked as another language is left out."""
    for each in root.iter():
        if not isinstance(each.tag, str) or each.tag.rpartition("}")[2] in ("script", "style"):
            continue
        spoken = next((one.get("lang") for one in (each, *each.iterancestors()) if one.get("lang")), language)
        if spoken == language:
            yield each.text or ""
            yield from (each.get(name, "") for name in ("title", "alt", "aria-label", "placeholder"))
        parent = each.getparent()
        around = next((one.get("lang") for one in each.iterancestors() if one.get("lang")), language)
        if parent is not None and around == language:
            yield each.tail or ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_shop_is_wholly_translated_and_its_catalogues_are_as_update_leaves_them(
    shop: Policies, language: str
) -> None:
    phrases = tuple({each.path: each for each in (*scenario_phrases(shop), *phrases_of(shop))}.values())
    assert standing_of(shop, phrases, language).is_whole
    made = updated(shop, phrases, language)
    assert made.text == (SHOP / made.file).read_text()
    file = f"texts/carepolicy/{language}.po"
    own = own_updated(file, (SHOP / file).read_bytes(), language)
    assert own is not None
    assert own.text == (SHOP / file).read_text()
    assert [each.code for each in check_folder(SHOP)[1]] == ["CP801"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_word_stands_on_a_page_or_chart_that_the_set_did_not_say(
    shop: Policies, site: Any, language: str
) -> None:
    foreign = english(shop) - said_in(shop, language)
    assert {"otherwise", "business", "late", "cake"} <= foreign
    found, looked = [], 0
    for name, content in site.files.items():
        if f"{language}/" in name and name.endswith((".html", ".svg")):
            root = etree.fromstring(content) if name.endswith(".svg") else markup.fromstring(content.decode())
            looked += 1
            texts = [text for text in shown(root, language) if text.strip()]
            assert len(texts) > 5
            found += [(name, word, text) for text in texts for word in WORD.findall(text) if word.lower() in foreign]
    assert found == []
    assert looked >= 3


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_word_stands_in_the_report_of_an_audit_that_the_set_did_not_say(
    shop: Policies, tmp_path: Path, language: str
) -> None:
    pytest.importorskip("duckdb", reason="duckdb is not installed")
    (tmp_path / "events.jsonl").write_text("".join(orders()))
    done = run(
        "audit", str(tmp_path / "events.jsonl"), "--policies", str(SHOP), "--report", str(tmp_path / "report"),
        "--language", language, "--by", "order.size",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    foreign = english(shop) - said_in(shop, language) - {"cake", "csv"}  # cases are called cake-7
    assert {"many", "within", "late"} <= foreign
    pages = [*(tmp_path / "report").rglob("*.html")]
    assert len(pages) == 3
    found = [
        (page.name, word, text)
        for page in pages
        for text in shown(markup.fromstring(page.read_text()), language)
        for word in WORD.findall(re.sub(r"\w+\.(csv|parquet|json)", "", text))
        if word.lower() in foreign
    ]
    assert found == []


def orders() -> Iterator[str]:
    """Events of a few orders, in time, late, open and wrong."""
    for number in range(12):
        at = f"2026-03-{2 + number:02}T09:{number:02}:00+00:00"
        steps = [("order_received", at), ("cake_baked", at.replace("T09", "T11" if number % 3 else "T16"))]
        for place, (kind, when) in enumerate(steps if number < 10 else steps[:1]):
            event = {
                "specversion": "1.0", "id": f"{number}/{place}", "source": "/shop", "type": kind,
                "subject": f"cake-{number}", "time": when,
            }  # fmt: skip
            size = "many_cakes" if number % 2 else "one_cake"
            data = {"customer.email": "a@example.org", "order.total": "30.00", "order.size": size}
            yield json.dumps({**event, "data": data} if place == 0 else event) + "\n"
            if number == 1:
                yield json.dumps({**event, "id": f"{number}/again", "subject": "cake-x", "type": "cake_baked"}) + "\n"
    yield '{"broken"\n'


@pytest.mark.parametrize("language", LANGUAGES)
def test_pages_and_charts_say_their_language_and_direction(site: Any, language: str) -> None:
    direction = "rtl" if language == "ar" else "ltr"
    for name, content in site.files.items():
        if name.startswith(f"{language}/") and name.endswith(".html"):
            root = markup.fromstring(content.decode())
            assert (root.get("lang"), root.get("dir")) == (language, direction)
        if name.startswith(f"charts/{language}/") and name.endswith(".svg"):
            chart = etree.fromstring(content)
            assert (chart.get("lang"), chart.get(XML_LANG), chart.get("direction")) == (language, language, "ltr")


@pytest.mark.parametrize(
    ("language", "subject", "text"),
    [
        (
            "pl",
            "Zamówienie tortu: dziękujemy",
            "Zamówienie (wiele tortów) dotarło. Odpowiemy w ciągu 2 dni roboczych. Do zobaczenia!",
        ),
        ("ar", "طلب كعكة: شكرًا", "وصل طلبكم (كعكات كثيرة). سنرد خلال يومي عمل. إلى اللقاء!"),
        (
            "pt-BR",
            "Encomendar um bolo: obrigado",
            "Seu pedido (muitos bolos) chegou. Resposta: 2 dias úteis. Até logo!",
        ),
    ],
)
def test_customers_and_roles_are_written_to_in_their_language(
    tmp_path: Path, shop: Policies, language: str, subject: str, text: str
) -> None:
    event = {
        "specversion": "1.0", "id": "1", "source": "/shop", "type": "order_received", "subject": "cake-7",
        "time": "2026-03-02T09:05:00+00:00",
        "data": {
            "customer.email": "a@example.org", "order.total": "30.00", "order.size": "many_cakes",
            "customer.language": language,
        },
    }  # fmt: skip
    (tmp_path / "events.jsonl").write_text(json.dumps(event) + "\n")
    done = run("run", str(tmp_path / "events.jsonl"), "--policies", str(SHOP), "--until", "2026-03-05T12:00:00+00:00")
    assert done.returncode == 0, done.stderr
    records = [json.loads(line) for line in done.stdout.splitlines()]
    sent = next(each["data"] for each in records if each["type"] == "carepolicy.message.requested")
    isolated = re.compile("[\u2066-\u2069]")
    assert (sent["language"], isolated.sub("", sent["subject"]), isolated.sub("", sent["text"])) == (
        language, subject, text,
    )  # fmt: skip
    told = [each["data"] for each in records if each["type"] == "carepolicy.notice.requested"]
    assert {each["role"] for each in told} == {"baker", "owner"}
    for each in told:
        spoken = "ar" if each["role"] == "baker" else "pl"
        foreign = english(shop) - said_in(shop, spoken) - {"cake"}  # the case is called cake-7
        assert [word for word in WORD.findall(each["text"]) if word.lower() in foreign] == []


@pytest.mark.parametrize("path", ["ar/index.html", "ar/flows/cake_order.html", "ar/flows/survey.html"])
def test_pages_from_right_to_left_fit_a_phone_and_axe_finds_nothing(
    browser: Any, site: Any, tmp_path: Path, path: str
) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    write(site, tmp_path)
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto((tmp_path / path).as_uri())
    assert page.evaluate("[document.documentElement.dir, document.documentElement.scrollWidth]") == ["rtl", 390]
    title = page.locator("h1").first.evaluate(
        "each => getComputedStyle(each).direction + each.getBoundingClientRect().right"
    )
    assert title.startswith("rtl3")
    results = axe.Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    page.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in results.response["violations"]] == []


def test_words_of_a_chart_stay_in_their_boxes_on_a_page_from_right_to_left(
    browser: Any, site: Any, tmp_path: Path
) -> None:
    if not any(name.endswith(".svg") for name in site.files):
        pytest.skip("nothing draws here")
    write(site, tmp_path)
    page = browser.new_page(viewport={"width": 1100, "height": 900})
    page.goto((tmp_path / "ar/flows/cake_order.html").as_uri())
    out = page.evaluate(
        """() => { const svg = document.querySelector('#chart svg'), around = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].map(each => [each.textContent, each.getBoundingClientRect()])
            .filter(([, box]) => box.left < around.left - 1 || box.right > around.right + 1).map(([text]) => text) }"""
    )
    count = page.locator("#chart svg text").count()
    page.close()
    assert out == []
    assert count > 20


def test_what_stood_in_a_set_without_words_of_ours_is_told_in_those_of_the_newer_set(shop: Policies) -> None:
    gone = in_text(compare(replace(shop, own_words=()), _without_limits(shop), "pl"), "old", "new")
    assert ("jeśli wielkość zamówienia to wiele tortów" in gone, " if " in gone) == (True, False)


def _without_limits(policies: Policies) -> Policies:
    flow = policies.flows["cake_order"]
    (clock,) = flow.clocks.values()
    written = in_language(policies, "pl")
    told = written.flows["cake_order"]
    limits = {clock.name: replace(told.clocks[clock.name], limits=told.clocks[clock.name].limits[1:])}
    return replace(written, flows={**written.flows, "cake_order": replace(told, clocks=limits)})
