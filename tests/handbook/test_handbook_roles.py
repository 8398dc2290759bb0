"""My role: a page for each role with all that it does, hands on and is told, and a choice that the browser keeps."""

from __future__ import annotations

import handbook_sets as sets
import pytest

from carepolicy.charts import chart_of
from carepolicy.handbook import build
from carepolicy.handbook.book import Book, calendars_of
from carepolicy.handbook.roles import role_pages
from carepolicy.handbook.steps import steps_of
from carepolicy.policy.load import load_policies
from carepolicy.policy.strata import effects_of
from random_flows import ORGANISATION
from stories import write_set

PHONE = {"width": 390, "height": 844}


def roles(policies, language="en"):
    book = Book(policies, language, 2026, calendars_of(policies))
    charts = {name: chart_of(policies, name, language=language) for name in policies.flows}
    steps = {name: steps_of(book, flow, charts[name]) for name, flow in policies.flows.items()}
    return {page.row.name: page for page in role_pages(book, charts, steps)}


@pytest.fixture(scope="module")
def policies():
    return sets.sample()


@pytest.fixture(scope="module")
def pages(policies):
    return roles(policies)


def test_every_step_stands_on_the_page_of_its_owner_and_on_no_other(policies, pages):
    told = {
        (role, part.flow, step.anchor) for role, page in pages.items() for part in page.parts for step in part.steps
    }
    states = ((flow, state) for flow in policies.flows.values() for state in flow.states.values())
    owned = {
        (state.owner, flow.name, f"state-{state.name}")
        for flow, state in states
        if state.final is None and state.owner is not None
    }
    assert told == owned


def test_every_notice_stands_on_the_page_of_the_role_that_is_told(policies, pages):
    told = {(role, part.flow) for role, page in pages.items() for part in page.parts if part.told}
    effects = ((flow.name, tell) for flow in policies.flows.values() for each in effects_of(flow) for tell in each.tell)
    assert told == {(tell.role, flow) for flow, tell in effects}


def test_what_one_hands_on_another_is_handed(pages):
    on = {
        (part.flow, each.source, each.target)
        for page in pages.values()
        for part in page.parts
        for each in part.handed_on
    }
    inn = {
        (part.flow, each.source, each.target)
        for page in pages.values()
        for part in page.parts
        for each in part.handed_in
    }
    assert on == inn != set()


def test_a_role_has_the_limits_at_its_steps_its_flows_and_those_for_whom_it_stands_in(policies, pages):
    agent = pages["care_agent"]
    complaint = next(part for part in agent.parts if part.flow == "complaint")
    assert ("Confirmation", "3 business hours") in {(each.title, each.limit) for each in complaint.limits}
    for name, page in pages.items():
        assert len(page.owns) == sum(flow.owner == name for flow in policies.flows.values())
        standing = {role.name for role in policies.organisation.roles.values() if role.deputy == name}
        assert {file.removesuffix(".html") for file, _ in page.stands_in_for} == standing


def test_a_role_that_does_nothing_says_so(tmp_path):
    states = "states:\n  one: {start_on: done, on: {done: two}}\n  two: {final: over}\n"
    text = f"flow: bare\nversion: 1\nowner: care_lead\nevents: {{done: {{}}}}\n{states}"
    policies, found = load_policies(write_set(tmp_path, text, organisation=ORGANISATION))
    assert policies is not None, found
    files = build(policies, drawn=False).files
    assert "Nothing in these flows is done by this role" in files["en/roles/care_agent.html"].decode()
    assert "en/roles.html" in files


def test_no_page_of_a_role_is_over_a_hundred_thousand_bytes(site):
    sizes = {name: len(content) for name, content in site.files.items() if "/roles/" in name}
    assert sizes
    assert max(sizes.values()) < 100_000


def go_home(page):
    """Go to the home page, and wait until its scripts have run."""
    page.get_by_role("link", name="Home").click()
    page.wait_for_url("**/en/index.html")


def test_the_choice_is_kept_and_the_home_page_leads_to_it(opened):
    page = opened("en/roles.html", viewport=PHONE)
    page.get_by_role("link", name="Care agent").click()
    page.get_by_role("button", name="This is my role").click()
    assert page.get_by_role("button", name="This is no longer my role").is_visible()
    go_home(page)
    mine = page.locator("#my-role")
    assert mine.inner_text() == "My role: Care agent"
    mine.click()
    page.wait_for_url("**/en/roles/care_agent.html")
    page.get_by_role("button", name="This is no longer my role").click()
    go_home(page)
    assert page.locator("#my-role").inner_text() == "My role"


def test_a_step_of_a_role_leads_into_the_guide(opened):
    page = opened("en/roles/care_agent.html", viewport=PHONE)
    page.locator("a.go", has_text="Complaint received").first.click()
    page.wait_for_url("**/flows/complaint-guide.html#state-received")
    assert page.locator("#state-received").is_visible()


@pytest.mark.parametrize(
    ("path", "scheme"),
    [("en/roles.html", "dark"), ("en/roles/care_agent.html", "light"), ("fr/roles/care_manager.html", "dark")],
)
def test_axe_finds_no_violation_and_nothing_scrolls_sideways(opened, path, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = opened(path, color_scheme=scheme, viewport=PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    results = axe.Axe().run(page, options={"preload": False, "resultTypes": ["violations"]})
    assert [(each["id"], each["nodes"][0]["html"]) for each in results.response["violations"]] == []
