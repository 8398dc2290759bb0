"""The report in a browser: nothing that axe minds, tables that sort and filter, and all of it without scripts too."""

from __future__ import annotations

import pytest
from reports import reported
from test_handbook_browser import violations

from shops import EVENTS

pytest.importorskip("duckdb", reason="duckdb is not installed")
PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
MADE = []


@pytest.fixture
def folder(tmp_path_factory):
    """The report of the shop's log, made once."""
    if not MADE:
        MADE.append(tmp_path_factory.mktemp("report"))
        reported(MADE[0], EVENTS, "--by", "customer.first_order")
    return MADE[0]


@pytest.fixture
def opened(browser, folder):
    """Opens a page of the report; at the end no page may have written an error to its console."""
    contexts, said = [], []

    def open_page(path, **options):
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.goto((folder / path).as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert said == []


@pytest.mark.parametrize("path", ["index.html", "flows/email_inquiry.html"])
@pytest.mark.parametrize(("scheme", "size"), [("light", DESK), ("dark", PHONE)])
def test_axe_finds_no_violation_and_no_page_is_wider_than_its_screen(opened, path, scheme, size):
    page = opened(path, color_scheme=scheme, viewport=size)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == size["width"]


def test_a_click_on_a_head_sorts_the_table_and_another_turns_it_round(opened):
    page = opened("index.html", viewport=DESK)
    head = page.locator("#flows thead th").nth(1)
    cases = page.locator("#flows tbody td:nth-child(2)")
    head.locator("button").click()
    found = [int(each) for each in cases.all_inner_texts()]
    assert found == sorted(found)
    assert len(set(found)) > 1
    assert head.get_attribute("aria-sort") == "ascending"
    head.locator("button").click()
    assert [int(each) for each in cases.all_inner_texts()] == sorted(found, reverse=True)


def test_a_long_table_shows_only_rows_with_a_text(opened):
    page = opened("index.html", viewport=DESK)
    field, rows = page.locator("#clocks .filter input"), page.locator("#clocks tbody tr")
    every = rows.count()
    clock = rows.last.locator("th").inner_text()
    field.fill(clock.upper())
    shown = [each.inner_text() for each in rows.all() if each.is_visible()]
    assert 0 < len(shown) < every
    assert all(clock in each for each in shown)


def test_a_filter_that_leaves_no_row_says_so(opened):
    page = opened("index.html", viewport=DESK)
    said = page.locator("#clocks [role=status]")
    assert said.inner_text() == ""
    field = page.locator("#clocks .filter input")
    field.fill("no such clock")
    assert page.locator("#clocks tbody tr:visible").count() == 0
    assert said.inner_text() == "No row has that."
    field.fill(" ")
    assert page.locator("#clocks tbody tr:visible").count() > 1
    assert said.inner_text() == ""


def test_names_with_numbers_are_sorted_by_their_numbers(opened):
    page = opened("flows/email_inquiry.html", viewport=DESK)
    page.evaluate(
        """document.querySelectorAll("#breaches tbody tr").forEach((row, place) => {
        row.cells[0].textContent = `mail-${place + 8}` })"""
    )
    page.locator("#breaches thead button").first.click()
    names = page.locator("#breaches tbody th").all_inner_texts()
    assert names == [f"mail-{8 + place}" for place in range(len(names))]
    assert len(names) > 2


@pytest.mark.parametrize(("media", "width"), [("screen", 1280), ("print", 718)])
def test_a_very_long_name_of_a_case_leaves_the_other_columns_in_sight(opened, media, width):
    page = opened("flows/email_inquiry.html", viewport={"width": width, "height": 900})
    page.emulate_media(media=media)
    page.evaluate("document.querySelectorAll('.table bdi').forEach((each) => { each.textContent += 'x'.repeat(200) })")
    for name in ("breaches", "deviations", "variants"):
        table = page.locator(f"#{name} .table")
        assert table.locator("bdi").count() > 0
        assert table.evaluate("(each) => each.scrollWidth - each.clientWidth") <= 0, name


def test_on_paper_the_events_of_a_variant_stay_apart(opened):
    page = opened("flows/email_inquiry.html", viewport=DESK)
    page.emulate_media(media="print")
    ways = page.locator("#variants td.way").filter(has=page.locator("span"))
    assert ways.count() > 0
    for each in ways.all():
        assert each.locator("span[aria-hidden]").first.is_visible()


def test_without_scripts_every_figure_can_be_read(opened):
    page = opened("flows/email_inquiry.html", viewport=DESK, java_script_enabled=False)
    assert page.locator("#clocks tbody tr").first.is_visible()
    assert page.locator(".plot").first.is_visible()
    assert page.locator(".filter").count() == 0
