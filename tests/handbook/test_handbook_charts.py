"""Charts in pages, in a real browser: zoom, move, light up, one step with its neighbours; on a phone the list first."""

from __future__ import annotations

import re

import handbook_sets
import pytest

from carepolicy.charts import chart_of

pytestmark = pytest.mark.usefixtures("drawing")

COMPLAINT = "en/flows/complaint.html"
WIDE = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}

SCALE = "document.querySelector('.picture svg').getBoundingClientRect().width"
FRAME = "document.querySelector('.chart')"


def chart(page):
    return page.locator(".viewer .chart")


def scrolled(page):
    return page.evaluate(f"[{FRAME}.scrollLeft, {FRAME}.scrollTop]")


def middle_of(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def natural(page):
    return page.evaluate("parseFloat(document.querySelector('.picture').style.getPropertyValue('--natural'))")


def test_a_chart_is_one_picture_of_all_steps_opened_at_the_first_in_natural_size(opened):
    page = opened(COMPLAINT, viewport=WIDE)
    assert page.locator("#chart svg").count() == 1
    flow = handbook_sets.sample().flows["complaint"]
    steps = {f"drawn-state-{name}" for name, state in flow.states.items() if state.final is None}
    assert steps <= {each.get_attribute("id") for each in page.locator("#chart svg g.node[id]").all()}
    assert page.evaluate(SCALE) == pytest.approx(natural(page), abs=1)
    first, frame = page.locator("#drawn-state-received").bounding_box(), chart(page).bounding_box()
    assert frame["x"] <= first["x"]
    assert first["x"] + first["width"] <= frame["x"] + frame["width"]
    assert frame["y"] <= first["y"] <= frame["y"] + frame["height"] / 2


def test_the_chart_takes_the_width_of_the_window(opened):
    page = opened(COMPLAINT, viewport={"width": 1800, "height": 900})
    assert chart(page).bounding_box()["width"] > 1600
    assert page.evaluate("document.documentElement.scrollWidth") == 1800


def test_buttons_zoom_fit_and_come_back_to_the_natural_size(opened):
    page = opened(COMPLAINT, viewport=WIDE)
    page.get_by_role("button", name="Zoom in").click()
    assert page.evaluate(SCALE) == pytest.approx(natural(page) * 1.25, abs=2)
    page.get_by_role("button", name="Zoom out").click()
    page.get_by_role("button", name="Zoom out").click()
    assert page.evaluate(SCALE) == pytest.approx(natural(page) / 1.25, abs=2)
    page.get_by_role("button", name="Fit").click()
    drawn, frame = page.locator(".picture svg").bounding_box(), chart(page).bounding_box()
    assert drawn["width"] <= frame["width"]
    assert drawn["height"] <= frame["height"]
    page.get_by_role("button", name="Natural size").click()
    assert page.evaluate(SCALE) == pytest.approx(natural(page), abs=1)


def test_the_wheel_zooms_with_ctrl_at_the_pointer_and_scrolls_without(opened):
    page = opened(COMPLAINT, viewport=WIDE)
    page.locator("#chart").scroll_into_view_if_needed()
    card = page.locator("#drawn-state-received")
    x, y = middle_of(card.bounding_box())
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(f"{SCALE} > {natural(page) * 1.2}")
    assert middle_of(card.bounding_box()) == pytest.approx((x, y), abs=3)
    before = page.evaluate(SCALE)
    page.mouse.wheel(0, 120)
    page.wait_for_function(f"{FRAME}.scrollTop > 0")
    assert page.evaluate(SCALE) == before


def test_dragging_moves_the_chart_and_follows_no_link(opened):
    page = opened(COMPLAINT, viewport=WIDE)
    page.locator("#chart").scroll_into_view_if_needed()
    x, y = middle_of(page.locator("#drawn-state-received").bounding_box())
    before = scrolled(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y - 150, steps=5)
    page.mouse.up()
    assert scrolled(page)[1] == pytest.approx(before[1] + 150, abs=2)
    assert "#state" not in page.url
    page.locator("#drawn-state-received a").click()
    assert page.url.endswith("#state-received")


def test_keys_move_and_zoom_while_the_chart_has_the_focus(opened):
    page = opened(COMPLAINT, viewport=WIDE)
    chart(page).focus()
    page.keyboard.press("ArrowDown")
    page.wait_for_function(f"{FRAME}.scrollTop > 0")
    page.keyboard.press("+")
    assert page.evaluate(SCALE) == pytest.approx(natural(page) * 1.25, abs=2)
    page.keyboard.press("0")
    assert page.locator(".picture svg").bounding_box()["height"] <= chart(page).bounding_box()["height"]


def test_two_fingers_zoom(opened):
    page = opened(COMPLAINT, viewport=WIDE, has_touch=True)
    page.locator("#chart").scroll_into_view_if_needed()
    x, y = middle_of(chart(page).bounding_box())
    touch = page.context.new_cdp_session(page)

    def fingers(kind, apart):
        points = [{"x": x - apart, "y": y, "id": 0}, {"x": x + apart, "y": y, "id": 1}] if apart else []
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", 50)
    fingers("touchMove", 75)
    fingers("touchMove", 100)
    fingers("touchEnd", 0)
    page.wait_for_function(f"{SCALE} > {natural(page) * 1.6}")


def test_full_screen_is_left_by_its_button_and_by_following_a_card(opened):
    page = opened(COMPLAINT, viewport=WIDE)
    button = page.get_by_role("button", name="Full screen")
    button.click()
    page.wait_for_function("document.querySelector('[data-do=full]').getAttribute('aria-pressed') === 'true'")
    assert chart(page).bounding_box()["height"] > 700
    button.click()
    page.wait_for_function("document.querySelector('[data-do=full]').getAttribute('aria-pressed') === 'false'")
    button.click()
    page.wait_for_function("document.querySelector('[data-do=full]').getAttribute('aria-pressed') === 'true'")
    page.locator("#drawn-state-received a").click()
    page.wait_for_function("document.querySelector('[data-do=full]').getAttribute('aria-pressed') === 'false'")
    page.wait_for_url(re.compile("#state-received"))


def lit(page, kind):
    return {each.get_attribute("id") for each in page.locator(f"#chart g.node.{kind}[id]").all()}


def neighbours(name):
    """Where the plan of a chart says that one may come from, and go to, at a step."""
    cards = [card for sheet in chart_of(handbook_sets.sample(), "complaint").sheets for card in sheet.cards]
    ends = {end.state for sheet in chart_of(handbook_sets.sample(), "complaint").sheets for end in sheet.ends}
    drawn = {card.state for card in cards} | ends
    out = {each.target.state for card in cards if card.state == name for each in card.exits if each.target is not None}
    into = {
        card.state for card in cards for each in card.exits if each.target is not None and each.target.state == name
    }
    return {f"drawn-state-{each}" for each in out & drawn}, {f"drawn-state-{each}" for each in into - {name}}


@pytest.mark.parametrize("name", ["acknowledged", "investigating", "decided"])
def test_a_card_that_is_pointed_at_or_has_the_focus_lights_its_ways(opened, name):
    page = opened(COMPLAINT, viewport=WIDE)
    out, into = neighbours(name)
    page.locator(f"#drawn-state-{name} > a").focus()
    assert (lit(page, "out"), lit(page, "into") - {f"drawn-state-{name}"}) == (out, into)
    page.locator("h1").click()
    assert lit(page, "out") == lit(page, "into") == set()
    page.locator(f"#drawn-state-{name} > a").hover()
    assert lit(page, "out") == out
    assert page.locator("#chart g.edge.out").count() >= 1


@pytest.mark.parametrize("name", ["acknowledged", "investigating"])
def test_a_step_alone_with_its_neighbours_is_a_link_that_restores_the_view(opened, name):
    page = opened(COMPLAINT, viewport=WIDE)
    out, into = neighbours(name)
    page.locator(f"#state-{name} .near-link").click()
    page.wait_for_function("document.querySelector('#chart svg').classList.contains('alone')")
    address = page.url.partition("complaint.html")[2]
    shown = page.locator("#chart g.node[id]:visible")
    expected = {f"drawn-state-{name}", *out, *into}
    assert {each.get_attribute("id") for each in shown.all()} == expected
    assert "and its neighbours" in page.locator(".near").inner_text()
    again = opened(COMPLAINT + address, viewport=WIDE)
    again.wait_for_function("document.querySelector('#chart svg').classList.contains('alone')")
    assert {each.get_attribute("id") for each in again.locator("#chart g.node[id]:visible").all()} == expected
    box, frame = again.locator(f"#drawn-state-{name}").bounding_box(), chart(again).bounding_box()
    assert frame["y"] - 1 <= box["y"] <= frame["y"] + frame["height"]
    again.get_by_role("link", name="Show the whole chart").click()
    again.wait_for_function("!document.querySelector('#chart svg').classList.contains('alone')")


def test_the_keyboard_comes_to_the_cards_in_the_order_of_their_numbers(opened):
    page = opened(COMPLAINT, viewport=WIDE)
    stops = page.locator("#chart svg a:not([tabindex='-1'])")
    said = [each.get_attribute("aria-label") for each in stops.all()]
    numbers = [int(found[1]) for each in said if (found := re.match(r"Step (\d+),", each))]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > 8


def test_on_a_phone_the_list_of_steps_comes_first_and_the_drawing_on_demand(opened):
    page = opened(COMPLAINT, viewport=PHONE, has_touch=True)
    assert not page.locator("#chart svg").is_visible()
    cards = page.get_by_role("navigation", name="All steps at a glance").get_by_role("link")
    assert cards.count() == page.locator("li.step").count()
    cards.nth(2).click()
    assert page.evaluate("document.querySelector(location.hash).classList.contains('step')")
    page.locator("#chart summary").click()
    page.wait_for_function("document.querySelector('.viewer').clientWidth > 0")
    assert page.evaluate(SCALE) == pytest.approx(natural(page), abs=1)
    page.set_viewport_size(WIDE)
    assert page.locator("#chart svg").is_visible()


def test_on_a_phone_the_link_to_a_step_and_its_neighbours_opens_the_drawing(opened):
    page = opened(f"{COMPLAINT}#near-state-acknowledged", viewport=PHONE)
    page.wait_for_function("document.querySelector('#chart svg').classList.contains('alone')")
    assert page.locator("#drawn-state-acknowledged").is_visible()


def test_without_scripts_chart_and_steps_are_there(opened):
    page = opened(COMPLAINT, viewport=WIDE, java_script_enabled=False)
    assert page.locator("#chart svg").is_visible()
    assert not page.get_by_role("button", name="Zoom in").is_visible()
    page.locator("#drawn-state-received a").first.click()
    assert page.url.endswith("#state-received")


def test_the_overview_of_flows_fits_and_each_flow_leads_to_its_page(opened):
    page = opened("en/index.html", viewport=WIDE)
    assert page.locator(".picture svg").bounding_box()["width"] <= chart(page).bounding_box()["width"]
    page.get_by_role("button", name="Fit").click()
    drawn, frame = page.locator(".picture svg").bounding_box(), chart(page).bounding_box()
    assert drawn["height"] <= frame["height"] + 1
    page.locator("#drawn-flow-complaint a").click()
    page.wait_for_url(re.compile(r"flows/complaint\.html"))
