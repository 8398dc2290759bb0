"""The handbook as staff use it, in a real browser and from a folder."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import handbook_sets
import pytest

from carepolicy.businesstime import Calendar
from carepolicy.charts.changes import compare
from carepolicy.handbook import build, write
from carepolicy.handbook.comparison import page_of

RIGHT_TO_LEFT = Path(__file__).parents[1] / "translations/shop/texts/carepolicy/ar.po"
PAGES = [
    "index.html",
    "changes.html",
    "settings.html",
    "flows/complaint.html",
    "flows/email_inquiry.html",
    "flows/order_fulfilment.html",
]


def found_for(page, query):
    page.get_by_role("searchbox").fill(query)
    return [each.inner_text() for each in page.locator("#found a strong").all()]


def test_search_finds_a_flow_by_a_synonym(opened):
    page = opened("en/index.html")
    assert found_for(page, "grievance")[0] == "Handle a complaint"


def test_search_finds_a_step_by_a_synonym_without_accents(opened, tmp_path, browser):
    handbook_sets.set_of(tmp_path, "Plain")
    flow = tmp_path / "flows/care.yaml"
    flow.write_text(
        flow.read_text().replace('checking: {title: "Plain"', "checking: {title: Weighing, synonyms: [réclamé]")
    )
    write(build(handbook_sets.load_policies(tmp_path)[0], drawn=False), tmp_path / "site")
    page = browser.new_page()
    page.goto((tmp_path / "site/fr/index.html").as_uri())
    assert found_for(page, "RECLAME")[0] == "Weighing"
    page.close()


@pytest.mark.parametrize(
    ("language", "query", "title"),
    [
        ("en", "wants to speak to the manager", "Manager decides anew"),
        ("en", "is sorry to be kept waiting", "Late - apologise first"),
        ("en", "weigh", "Weigh it"),
        ("fr", "qui weigh", "Weigh it"),
    ],
)
def test_search_finds_steps_by_what_is_said_and_done(opened, language, query, title):
    assert title in found_for(opened(f"{language}/index.html"), query)[:3]


def test_search_says_how_much_it_found_and_when_nothing(opened):
    page = opened("en/index.html")
    assert found_for(page, "zzzzqqqq") == []
    assert page.locator("#found-count").inner_text().startswith("Nothing found")
    number = len(found_for(page, "complaint"))
    assert page.locator("#found-count").inner_text() == f"{number} results"


def test_search_works_by_keyboard_alone(opened):
    page = opened("en/index.html")
    page.get_by_role("searchbox").focus()
    page.keyboard.type("grievance")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.parentElement.parentElement.id") == "found"
    page.keyboard.press("ArrowUp")
    assert page.evaluate("document.activeElement.id") == "query"
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"flows/complaint\.html"))


def test_the_first_tab_skips_to_the_text(opened):
    page = opened("en/flows/complaint.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the text"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_a_deep_link_shows_its_step(opened):
    page = opened("en/flows/complaint.html#state-appealed")
    step = page.locator("#state-appealed")
    assert "Manager decides anew" in step.inner_text()
    top = step.bounding_box()["y"]
    assert 0 <= top < page.viewport_size["height"] / 2


def test_a_deep_link_unfolds_its_message(opened):
    page = opened("en/flows/complaint.html#message-final_decision")
    assert page.locator("#message-final_decision").get_attribute("open") is not None
    assert "outside body" in page.locator("#message-final_decision").inner_text()


@pytest.mark.usefixtures("drawing")
def test_a_chip_of_the_chart_leads_to_the_step(opened):
    page = opened("en/flows/complaint.html")
    page.locator("#chart svg a[*|href='#state-closed']").first.click()
    assert page.url.endswith("#state-closed")
    assert page.locator("#state-closed").bounding_box()["y"] < page.viewport_size["height"]


def test_copy_puts_what_to_say_on_the_clipboard(opened):
    page = opened("en/flows/complaint.html", permissions=["clipboard-read", "clipboard-write"])
    page.locator("#state-received button.copy").click()
    page.locator("#state-received [role=status]").get_by_text("Copied").wait_for()
    said = page.evaluate("navigator.clipboard.readText()")
    assert said == page.locator("#state-received-say").inner_text()
    assert said.startswith("Thank you for telling us.")


def test_the_other_language_is_one_click_away_on_the_same_page(opened):
    page = opened("en/flows/complaint.html")
    page.get_by_role("link", name="Français").click()
    page.wait_for_url(re.compile(r"/fr/flows/complaint\.html"))
    assert page.get_by_role("heading", name="Pas à pas").is_visible()


def test_the_entrance_leads_to_the_first_language(opened):
    page = opened("index.html")
    page.wait_for_url(re.compile(r"/en/index\.html"))


@pytest.mark.parametrize(("language", "path"), [("en", "index.html"), *(("fr", path) for path in PAGES)])
def test_nothing_scrolls_sideways_on_a_small_phone(opened, language, path):
    page = opened(f"{language}/{path}", viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth") == 360


KINDS = ["index.html", "flows/complaint.html", "changes.html", "settings.html"]
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}


def violations(page):
    """What axe finds on a page; it must be able to look, so pictures on demand are opened."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    results = axe.Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    return [(each["id"], each["nodes"][0]["html"]) for each in results.response["violations"]]


@pytest.mark.parametrize("path", KINDS)
@pytest.mark.parametrize(
    ("language", "scheme", "size"), [("en", "light", PHONE), ("fr", "dark", DESK), ("fr", "dark", PHONE)]
)
def test_axe_finds_no_violation(opened, language, path, scheme, size):
    page = opened(f"{language}/{path}", color_scheme=scheme, viewport=size)
    if path == "index.html":
        found_for(page, "complaint")
    assert violations(page) == []


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("path", ["index.html", "flows/care.html", "changes.html", "settings.html"])
def test_axe_finds_no_violation_from_right_to_left(browser, tmp_path, path):
    own = tmp_path / "new/texts/carepolicy"
    own.mkdir(parents=True)
    shutil.copy(RIGHT_TO_LEFT, own / "ar.po")
    old = handbook_sets.set_of(tmp_path / "old", "Text", ("ar",))
    new = handbook_sets.set_of(tmp_path / "new", "نص", ("ar",))
    write(build(new, since=old), tmp_path / "site")
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.goto((tmp_path / "site/ar" / path).as_uri())
    found = violations(page)
    width = page.evaluate("document.documentElement.scrollWidth")
    direction = page.evaluate("getComputedStyle(document.documentElement).direction")
    context.close()
    assert (found, width, direction) == ([], 390, "rtl")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_violation_on_the_page_of_a_comparison(browser, tmp_path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    old, new = handbook_sets.set_of(tmp_path / "old", "Text"), handbook_sets.set_of(tmp_path / "new", "Other")
    (tmp_path / "page.html").write_text(page_of(compare(old, new), "old", "new"), encoding="utf-8")
    context = browser.new_context(color_scheme=scheme, viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto((tmp_path / "page.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    results = axe.Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    context.close()
    assert [(each["id"], each["nodes"][0]["html"]) for each in results.response["violations"]] == []


def test_printing_gives_a4_with_all_steps_and_without_menus(opened, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    page = opened("en/flows/email_inquiry.html")
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    pages = pypdf.PdfReader(tmp_path / "page.pdf").pages
    assert {(round(each.mediabox.width), round(each.mediabox.height)) for each in pages} == {(595, 842)}
    text = " ".join(" ".join(each.extract_text() for each in pages).split())
    assert "Promise broken - lead signs" in text
    assert "Skip to the text" not in text
    assert "Copy" not in text


def test_a_flow_of_many_steps_is_printed_on_few_pages_in_one_language_with_its_date_on_each(opened, tmp_path):
    pypdf = pytest.importorskip("pypdf", reason="pypdf is not installed")
    page = opened("en/flows/complaint.html")
    page.pdf(path=tmp_path / "page.pdf", prefer_css_page_size=True)
    pages = [" ".join(each.extract_text().split()) for each in pypdf.PdfReader(tmp_path / "page.pdf").pages]
    assert len(pages) < 12
    assert all("Handle a complaint · Version 1" in each for each in pages)
    assert all(f"{number} / {len(pages)}" in each for number, each in enumerate(pages, 1))
    text = " ".join(pages)
    for step in page.locator("li.step h3").all_text_contents():
        assert text.count(" ".join(step.split())) >= 1
    assert "Warm regards" in text
    assert "Bien cordialement" not in text
    assert "Stories" not in text


def test_worked_examples_are_what_the_calendar_says(opened):
    page = opened("en/flows/complaint.html")
    told = page.locator("#clock-acknowledge .examples li").all_inner_texts()
    form = re.compile(r"Arrives (\w+ \d+ \w+ \d+, [\d:]+), due (\w+ \d+ \w+ \d+, [\d:]+)\.")
    calendar = Calendar.from_spec(handbook_sets.sample().organisation.calendars["office"])
    london = ZoneInfo("Europe/London")
    assert len(told) == 4
    for sentence in told:
        start, due = (datetime.strptime(each, "%A %d %B %Y, %H:%M") for each in form.fullmatch(sentence).groups())
        assert calendar.add(start.replace(tzinfo=london), "3 business hours") == due.replace(tzinfo=london)
    assert any(
        "Friday" in sentence.partition("due")[0] and "Monday" in sentence.partition("due")[2] for sentence in told
    )
