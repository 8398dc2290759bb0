"""The guide as staff use it on a phone, in a real browser and from a folder."""

from __future__ import annotations

import handbook_sets as sets
import pytest

from carepolicy.handbook import write
from shops import LIBRARY

PHONE = {"width": 390, "height": 844}
GUIDE = "en/flows/complaint-guide.html"


@pytest.fixture
def guide(opened):
    return opened(GUIDE, viewport=PHONE)


SHOWN = "() => document.getElementById('guide').dataset.shown === location.hash"
"""Whether the screen is the one of the address, which is changed a moment before."""


def heading(page):
    page.wait_for_function(SHOWN)
    return page.locator(".screen.shown h2").inner_text()


def tap(page, text):
    page.locator(".screen.shown").get_by_role("link", name=text).first.click()
    page.wait_for_function(SHOWN)


def test_one_screen_is_shown_and_it_begins_with_what_brought_the_case(guide):
    assert guide.locator(".screen:visible").count() == 1
    assert heading(guide) == "What brought the case?"
    tap(guide, "A complaint arrives")
    assert heading(guide) == "1 Complaint received"
    assert guide.locator(".screen:visible").count() == 1


def test_a_question_stands_on_a_screen_of_its_own_and_back_leads_the_same_way(guide):
    tap(guide, "A complaint arrives")
    tap(guide, "We confirm it")
    assert heading(guide) == "Confirmed in time?"
    tap(guide, "Yes")
    assert heading(guide) == "2 Weigh it"
    assert "We confirm it: Yes" in guide.locator(".screen.shown .just").inner_text()
    guide.get_by_role("link", name="Back").click()
    guide.locator("h2:visible", has_text="Confirmed in time?").wait_for()
    guide.go_back()
    assert heading(guide) == "1 Complaint received"


def test_what_may_happen_at_any_step_returns_to_the_step_at_which_it_happened(guide):
    guide.goto(guide.url + "#state-received")
    guide.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    stay = guide.locator(".screen.shown a.go", has_text="the case stays where it is").first
    stay.click()
    assert heading(guide) == "1 Complaint received"
    guide.locator(".screen.shown .just").wait_for()


def test_a_number_leads_to_its_step_and_one_that_is_not_there_is_said(guide):
    field = guide.get_by_label("I am at step")
    field.fill("3")
    field.press("Enter")
    assert heading(guide).startswith("3 ")
    field.fill("99")
    field.press("Enter")
    assert guide.get_by_role("status").filter(has_text="There is no step 99.").is_visible()
    assert heading(guide).startswith("3 ")


def test_focus_goes_to_the_heading_and_the_place_is_announced(guide):
    tap(guide, "A complaint arrives")
    assert guide.evaluate("document.activeElement.id") == "state-received-title"
    assert guide.locator("#guide-status").inner_text().startswith("Step 1 of ")


def test_it_works_by_keyboard_alone(guide):
    guide.locator(".screen.shown .gos a.go").first.focus()
    guide.keyboard.press("Enter")
    guide.locator("h2:visible", has_text="Complaint received").wait_for()
    guide.keyboard.press("Tab")
    assert guide.evaluate("document.activeElement.closest('.screen').id") == "state-received"


def test_the_place_is_remembered_in_the_tab_and_offered(guide):
    guide.goto(guide.url + "#state-investigating")
    guide.goto(guide.url.partition("#")[0])
    resume = guide.locator(".resume a")
    assert resume.inner_text().startswith("Go on where you were:")
    resume.click()
    assert guide.url.endswith("#state-investigating")


def test_an_address_that_leads_nowhere_shows_the_start(opened):
    page = opened(f"{GUIDE}#state-gone~nowhere", viewport=PHONE)
    assert heading(page) == "What brought the case?"


def test_the_words_can_be_copied(opened):
    page = opened(f"{GUIDE}#state-received", viewport=PHONE, permissions=["clipboard-read", "clipboard-write"])
    page.locator(".screen.shown button.copy").first.click()
    page.locator(".screen.shown [role=status]").get_by_text("Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").startswith("Thank you for telling us.")


def test_an_end_tells_its_outcome_and_starts_anew(guide):
    tap(guide, "end: ")
    assert "Outcome" in guide.locator(".screen.shown").inner_text()
    tap(guide, "Start anew")
    assert heading(guide) == "What brought the case?"


def test_the_other_language_is_shown_at_the_same_step(opened):
    page = opened(f"{GUIDE}#state-received", viewport=PHONE)
    page.get_by_role("link", name="Français").click()
    page.wait_for_url("**/fr/flows/complaint-guide.html#state-received")
    assert page.locator("#state-received").is_visible()


def test_without_scripts_all_screens_stand_one_below_the_other(browser, written):
    context = browser.new_context(java_script_enabled=False, viewport=PHONE)
    page = context.new_page()
    page.goto((written / GUIDE).as_uri())
    assert page.locator(".screen:visible").count() == page.locator(".screen").count()
    assert not page.locator(".bar").is_visible()
    context.close()


@pytest.mark.parametrize(
    ("language", "scheme", "anchor"),
    [
        ("en", "light", ""),
        ("fr", "dark", "#state-received"),
        ("en", "dark", "#ask-received-complaint_acknowledged-0"),
        ("fr", "light", "#way-received-complaint_acknowledged-0"),
    ],
)
def test_axe_finds_no_violation_and_nothing_scrolls_sideways(opened, language, scheme, anchor):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened(f"{language}/flows/complaint-guide.html{anchor}", color_scheme=scheme, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    results = axe.Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    assert [(each["id"], each["nodes"][0]["html"]) for each in results.response["violations"]] == []


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    folder = tmp_path_factory.mktemp("library")
    write(sets.library_site("en", drawn=False), folder)
    return sets.sample(LIBRARY), folder / "en/index.html"


SEEN = """async (ids) => {
  const to = (go) => new Promise((done) => { addEventListener("hashchange", done, {once: true}); go(); });
  const low = (each) => each.checkVisibility() && each.getBoundingClientRect().height < 48;
  const found = [];
  for (const id of ids) {
    const link = document.querySelector(`.screen.shown .all-steps a[href="#${id}"]`);
    const small = low(link) || !link.checkVisibility();
    await to(() => link.click());
    const screen = document.querySelector(".screen.shown");
    const more = [...screen.querySelectorAll("a.go, button, summary")].filter(low);
    const wide = document.documentElement.scrollWidth;
    found.push({id: screen.id, text: screen.innerText, small: Number(small) + more.length, wide});
    await to(() => { location.hash = "#start"; });
  }
  return found;
}"""


def test_the_words_of_every_state_are_two_taps_from_the_home_page(browser, library):
    policies, home = library
    page = browser.new_page(viewport=PHONE)
    page.goto(home.as_uri())
    missed = []
    for flow in policies.flows.values():
        page.goto(home.as_uri())
        page.locator(f"a.guide-me[href='flows/{flow.name}-guide.html']").click()  # the first tap
        page.locator("#start.shown").wait_for()
        states = [*flow.states.values()]
        for state, seen in zip(states, page.evaluate(SEEN, [f"state-{each.name}" for each in states]), strict=True):
            words = " ".join(seen["text"].split())  # each was tapped in the list: the second tap
            expected = [state.title, *state.steps, state.say, state.never]
            missed += [(flow.name, state.name, each) for each in expected if " ".join(each.split()) not in words]
            assert (seen["id"], seen["small"], seen["wide"]) == (f"state-{state.name}", 0, 390)
    page.close()
    assert missed == []
