"""The handbook on paper says what the pages say, in letters that can be read, on few pages that lead to each other."""

from __future__ import annotations

import dataclasses
import re
from datetime import date

import handbook_sets as sets
import pytest
from hypothesis import HealthCheck, given, settings
from test_handbook_hostile import HOSTILE

from carepolicy.charts import chart_of
from carepolicy.handbook.book import Book, calendars_of, year_of
from carepolicy.handbook.printed import Volume
from carepolicy.handbook.promises import promises_of
from carepolicy.handbook.search import spoken
from carepolicy.handbook.shares import share_of
from carepolicy.handbook.steps import steps_of
from carepolicy.policy.phrases import in_language
from laws import examples
from nasty_texts import texts
from shops import LIBRARY, SHOP

pytest.importorskip("typst", reason="the extra carepolicy[render] is not installed")
pytest.importorskip("pypdf", reason="the extra carepolicy[render] is not installed")

from printed_pages import Printed, words_of

DAY = date(2026, 11, 30)
SMALLEST = 8.0
MOST = 11
"""Pages of a flow."""


SOME = ("complaint", "complaint_decision", "return_refund", "order_fulfilment", "fixed_note")
"""Flows of the library: the longest ones, one that opens others, and a short one."""


@pytest.fixture(scope="session", params=["some", pytest.param("all", marks=pytest.mark.soak)])
def library(request):
    """The library; ordinarily with a few of its flows, since a page of them costs the same as any other."""
    policies = sets.sample(LIBRARY)
    if request.param == "all":
        return policies
    return dataclasses.replace(policies, flows={name: policies.flows[name] for name in SOME})


@pytest.fixture(scope="session")
def printed(library):
    """The whole handbook of these flows."""
    return Printed(Volume(library, "en", as_of=DAY).handbook().pdf)


def book_of(policies, language):
    return Book(in_language(policies, language), language, year_of(policies), calendars_of(policies))


def texts_of(value):
    """Every text in a value of the handbook, however deep."""
    if isinstance(value, str):
        yield value
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in ("anchor", "shade", "key"):
                yield from texts_of(getattr(value, field.name))
    elif isinstance(value, tuple | list):
        for each in value:
            yield from texts_of(each)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_all_that_a_page_says_of_a_step_is_in_print(language):
    policies = sets.sample(SHOP)
    whole = Printed(Volume(policies, language).handbook().pdf)
    book = book_of(policies, language)
    for flow in book.policies.flows.values():
        for step in steps_of(book, flow, chart_of(policies, flow.name, language=language)):
            said = set().union(*(words_of(each) for each in texts_of(step)))
            answers = [*step.around, *(answer for event in step.events for answer in event.answers)]
            names = {name for answer in answers for name, _ in answer.messages}
            assert said - names - whole.words == set(), (flow.name, step.number)


def test_the_plan_comes_first_and_tells_every_promise_channel_role_and_calendar(library, printed):
    book = book_of(library, "en")
    first, *_ = printed.chapters()
    assert first == "How we answer customers: the plan"
    plan = words_of(" ".join(printed.pages[number - 1] for number in printed.chapters()[first]))
    said = [each for promise in promises_of(book) for each in (promise.title, promise.promise, promise.limit)]
    organisation = library.organisation
    said += [text for each in organisation.channels.values() for text in (each.title, each.address)]
    said += [text for each in organisation.roles.values() for text in (each.title, *each.people)]
    said += [each.title for each in organisation.calendars.values()]
    said += [text for flow in library.flows.values() for text in (flow.title, flow.purpose)]
    said += [text for pair in organisation.glossary.items() for text in pair]
    said += [book.role(flow.steward) for flow in library.flows.values() if flow.steward]
    assert set().union(*map(words_of, said)) - plan == set()


def test_no_flow_takes_more_pages_than_a_reader_has_patience_for(library, printed):
    chapters = printed.chapters()
    lengths = {flow.title: len(chapters[flow.title]) for flow in library.flows.values()}
    assert max(lengths.values()) <= MOST, lengths


def test_each_flow_has_the_sheets_of_its_chart_after_its_words(library, printed):
    for flow in library.flows.values():
        pages = printed.chapters()[flow.title]
        last = " ".join(printed.pages[pages[-1] - 1].split())
        count = re.search(r"sheet (\d+) of (\d+)", last)
        assert count is not None, flow.title
        assert count[1] == count[2]
        words = words_of(" ".join(printed.pages[number - 1] for number in pages[-int(count[2]) :]))
        for state in flow.states.values():
            assert state.final is not None or words_of(state.title) <= words


def test_no_letter_is_too_small_to_read(printed):
    assert [each for each in printed.sizes() if each[0] < SMALLEST] == []


def test_each_page_bears_its_number_the_day_and_the_policy_set(library, printed):
    for number, text in enumerate(printed.pages, 1):
        told = " ".join(text.split())
        assert f"page {number} of {printed.count}" in told
        assert "As of Monday 30 November 2026" in told
        assert library.digest[:8] in told


def test_bookmarks_lead_to_the_pages_that_have_what_they_name(library, printed):
    outline = printed.outline()
    for _, title, page in outline:
        assert words_of(title) <= words_of(printed.pages[page - 1]), title
    steps = sum(state.final is None for flow in library.flows.values() for state in flow.states.values())
    assert len([depth for depth, _, _ in outline if depth == 3]) >= steps


def test_contents_name_each_flow_with_the_page_on_which_it_begins(library, printed):
    contents = " ".join(printed.pages[1].split())
    for flow in library.flows.values():
        begin = printed.chapters()[flow.title][0]
        assert any(
            contents[place:].lstrip(" .").startswith(str(begin))
            for place in (at + len(flow.title) for at in range(len(contents)) if contents.startswith(flow.title, at))
        ), flow.title


def test_what_customers_say_leads_to_the_page_of_the_flow_that_helps(library, printed):
    chapters = printed.chapters()
    lookup = " ".join(" ".join(printed.pages[number - 1] for number in chapters["I have a customer who …"]).split())
    phrases = [(phrase, flow) for flow in library.flows.values() for phrase in spoken(flow.synonyms)]
    assert len(phrases) > 60
    for phrase, flow in phrases:
        told = re.findall(rf"(?:^| ){re.escape(phrase)} ((?:\(p\. \d+\) ?)+)", lookup)
        assert str(chapters[flow.title][0]) in re.findall(r"\d+", " ".join(told)), phrase


def test_links_lead_to_pages_of_the_document(printed):
    links = printed.links()
    assert len(links) > 200
    assert {target for _, target in links} <= set(range(1, printed.count + 1))
    assert any(target != page for page, target in links)


def test_a_reader_of_screens_finds_its_language_its_title_and_its_tags(printed):
    root = printed.reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert bool(root["/MarkInfo"]["/Marked"])
    assert printed.reader.metadata.title == "Harbour & Finch: Staff handbook"
    assert b"pdfuaid" in root["/Metadata"].get_object().get_data()
    kinds = structure(root["/StructTreeRoot"])
    assert {"/H1", "/H2", "/H3", "/Table", "/TH", "/L", "/LI", "/Link"} <= kinds


def structure(root):
    """The kinds of elements in the tree of tags."""
    found, waiting = set(), [root]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, list):
            waiting += [each for each in element if not isinstance(each, int)]
        elif isinstance(element, dict):
            found.add(element.get("/S"))
            if "/K" in element and not isinstance(element["/K"], int):
                waiting.append(element["/K"])
    return found


@pytest.mark.parametrize("make", [Volume.handbook, lambda v: v.role("care_lead"), lambda v: v.cards("A6")])
def test_the_same_policies_give_the_same_bytes(make):
    policies = sets.sample(SHOP)
    assert make(Volume(policies, "fr", as_of=DAY)) == make(Volume(policies, "fr", as_of=DAY))


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_in_every_field_is_printed_as_a_text(kind, tmp_path):
    volume = Volume(sets.set_of(tmp_path, HOSTILE[kind]), "en")
    for made in (volume.handbook(), volume.role("agent"), volume.cards("A6")):
        whole = Printed(made.pdf)
        assert words_of(HOSTILE[kind]) <= whole.words
        for page in whole.reader.pages:
            for each in page.get("/Annots", ()):
                assert "/URI" not in str(each.get_object())


@pytest.fixture(scope="session")
def small(tmp_path_factory):
    return sets.set_of(tmp_path_factory.mktemp("small"), "Text")


@settings(max_examples=examples(12), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=texts)
def test_any_text_is_printed(small, text):
    flow = small.flows["care"]
    state = dataclasses.replace(
        flow.states["waiting"], title=text, say=text, steps=(text, text), never=text, note=text, synonyms=(text,)
    )
    flow = dataclasses.replace(
        flow, title=text, purpose=text, synonyms=(text,), states={**flow.states, "waiting": state}
    )
    organisation = dataclasses.replace(small.organisation, name=text, glossary={text: text})
    volume = Volume(dataclasses.replace(small, flows={"care": flow}, organisation=organisation), "en")
    for made in (volume.handbook(), volume.cards("A6")):
        assert made.pdf.startswith(b"%PDF")


def test_chosen_flows_are_printed_alone(library):
    whole = Printed(Volume(library, "de", flows=["complaint"]).handbook().pdf)
    assert list(whole.chapters()) == [in_language(library, "de").flows["complaint"].title]
    assert whole.count <= MOST + 1


def test_a_booklet_has_the_steps_of_its_role_and_what_it_is_told(library):
    book = book_of(library, "en")
    charts = {name: chart_of(library, name, language="en") for name in library.flows}
    whole = Printed(Volume(library, "en").role("warehouse").pdf)
    titles = {title for _, title, _ in whole.outline()}
    for flow in library.flows.values():
        share = share_of(book, flow, charts[flow.name], "warehouse")
        assert (flow.title in titles) == bool(share)
        for notice in share.notices:
            assert words_of(notice.text) <= whole.words
        for sheet in charts[flow.name].sheets:
            for card in sheet.cards:
                shown = any(" ".join(each.split()) == f"{card.number} {card.title}" for each in titles)
                assert shown or card.role != "warehouse", card.title
    assert whole.count < 12


def test_a_booklet_of_a_role_with_no_part_says_so(tmp_path):
    policies = sets.set_of(tmp_path, "Text")
    organisation = policies.organisation
    idle = dataclasses.replace(organisation.roles["lead"], name="idle", title="Nobody's work")
    idle_set = dataclasses.replace(
        policies, organisation=dataclasses.replace(organisation, roles={**organisation.roles, "idle": idle})
    )
    assert "Nothing in these flows" in " ".join(
        " ".join(Printed(Volume(idle_set, "en").role("idle").pdf).pages).split()
    )


@pytest.mark.parametrize(("size", "to_a_sheet"), [("A6", 4), ("A5", 2)])
def test_each_step_has_a_card_with_its_owner_words_and_ways(size, to_a_sheet):
    policies = sets.sample(SHOP)
    book = book_of(policies, "en")
    whole = Printed(Volume(policies, "en").cards(size).pdf)
    steps = [
        step
        for flow in book.policies.flows.values()
        for step in steps_of(book, flow, chart_of(policies, flow.name, language="en"))
    ]
    for step in steps:
        said = (step.title, step.owner, step.say, step.never, *(text for pair in step.limits for text in pair))
        said += step.steps
        for event in step.next:
            said += (event.text, event.question, *(answer.text for answer in event.answers))
        assert set().union(*map(words_of, said)) - whole.words == set(), step.title
    assert whole.count >= -(-len(steps) // to_a_sheet)
    assert [each for each in whole.sizes() if each[0] < SMALLEST] == []


def test_a_step_too_long_for_a_card_goes_on_on_the_next(tmp_path):
    policies = sets.set_of(tmp_path, "Text")
    flow = policies.flows["care"]
    lines = tuple(f"Line number{number} of what to do, which is rather long for a card" for number in range(60))
    long = dataclasses.replace(flow.states["waiting"], steps=lines)
    flow = dataclasses.replace(flow, states={**flow.states, "waiting": long})
    whole = Printed(Volume(dataclasses.replace(policies, flows={"care": flow}), "en").cards("A6").pdf)
    assert {f"number{number}" for number in range(60)} <= whole.words
    assert "card 1 of" in " ".join(whole.pages[0].split())
    bottom = [text for page in whole.reader.pages for text in lowest(page)]
    assert min(bottom) > 0


def lowest(page):
    """The heights above the edge of a page at which its texts stand."""
    found = []
    page.extract_text(
        visitor_text=lambda text, ctm, matrix, font, size: (
            found.append(ctm[3] * matrix[5] + ctm[5]) if text.strip() else None
        )
    )
    return found


def test_pages_from_right_to_left_are_set_from_the_right(tmp_path):
    words = tmp_path / "texts/carepolicy/he.po"
    words.parent.mkdir(parents=True)
    words.write_text(
        'msgid ""\nmsgstr ""\n"Language: he\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n\n'
        'msgid "Staff handbook"\nmsgstr "מדריך"\n'
    )
    policies = sets.set_of(tmp_path, "שלום", ("he", "en"))
    made = Volume(policies, "he").handbook()
    assert made.unshown == ""
    whole = Printed(made.pdf)
    assert whole.reader.trailer["/Root"]["/Lang"] == "he"
    left = [place for page in whole.reader.pages for place in lefts(page)]
    assert sum(place > 595 / 2 for place in left) > len(left) / 3


def lefts(page):
    """How far from the left edge of a page its headings begin."""
    found = []
    page.extract_text(
        visitor_text=lambda text, ctm, matrix, font, size: (
            found.append(ctm[0] * matrix[4] + ctm[4]) if text.strip() and size > 9.5 else None
        )
    )
    return found
