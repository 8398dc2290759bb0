"""Texts of a set in other languages: every text has one path, catalogues keep what is translated, and a set in another
language says nothing of the first."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.guards.scope import scope_of
from carepolicy.guards.words import in_words
from carepolicy.policy.catalogue import Catalogue, Entry, catalogue_text, read_catalogue
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies
from carepolicy.policy.phrases import LEFT_OUT, TEXT_THERE, in_language, path_of, phrases_of
from carepolicy.policy.translations import file_of, standing_of, updated
from carepolicy.translations import translation_of
from laws import examples

ROOT = Path(__file__).parents[2]
SETS = ("tests/shop", "tests/checks/harbour", "tests/checks/werkstatt", "examples")

TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn", "Co"), include_characters="\n\"\\{}'#~é"),
    min_size=1,
    max_size=30,
).filter(lambda text: text.strip() and "\ufeff" not in text and "\ufffe" not in text)
NAMES = st.sampled_from(["received", "answered", "title", "steps", "say", "a", "b", "on", "note"])
WRITTEN = st.fixed_dictionaries(
    {"title": TEXTS}, optional={"note": TEXTS, "say": TEXTS, "steps": st.lists(TEXTS) | TEXTS}
)


@st.composite
def sets(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """An organisation and a flow with texts wherever one may stand."""
    names = draw(st.lists(NAMES, min_size=2, max_size=4, unique=True))
    events = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    glossary = draw(st.dictionaries(TEXTS, TEXTS, max_size=3))
    organisation: dict[str, Any] = {
        "organisation": "Shop", "timezone": "Europe/London", "languages": ["en", "fr"],
        "roles": {name: draw(st.fixed_dictionaries({}, optional={"title": TEXTS})) for name in names},
        "facts": {
            "case.kind": {"type": "choice", "of": draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))},
            "case.kind.of": {"type": "text"},
        },
        "settings": draw(st.dictionaries(NAMES, TEXTS | st.integers(0, 9) | st.just("3 business hours"), max_size=3)),
        **({"glossary": glossary} if glossary else {}),
    }  # fmt: skip
    ways = st.sampled_from(names).map(lambda name: {"to": name}) | st.fixed_dictionaries(
        {"to": st.sampled_from(names)},
        optional={
            "note": TEXTS,
            "answer": TEXTS,
            "tell": st.fixed_dictionaries({"role": st.sampled_from(names), "say": TEXTS}),
        },
    )
    states = {}
    for name in names:
        state = draw(WRITTEN)
        state["on"] = draw(st.dictionaries(st.sampled_from(events), ways | st.lists(ways, min_size=1, max_size=2)))
        if draw(st.booleans()):
            state["after"] = {"7 days": draw(ways)}
        if draw(st.booleans()):
            del state["title"]
        states[name] = state
    happenings = st.none() | st.just({"by": "staff"}) | st.fixed_dictionaries({"title": TEXTS})
    promises = st.fixed_dictionaries({}, optional={"promise": TEXTS})
    flow: dict[str, Any] = {
        "flow": "example", "version": 1, "owner": names[0],
        "events": {name: draw(happenings) for name in events},
        "clocks": {names[0]: {"limit": "2 days", "runs_in": names[0], **draw(promises)}},
        "states": states,
    }  # fmt: skip
    return organisation, flow


class _Plain(yaml.SafeDumper):
    """Writes what stands twice twice, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _dumped(data: Mapping[str, Any]) -> str:
    return yaml.dump(dict(data), Dumper=_Plain, allow_unicode=True, sort_keys=False)


def loaded(organisation: Mapping[str, Any], flow: Mapping[str, Any], **catalogues: str) -> Policies:
    with tempfile.TemporaryDirectory() as place:
        root = Path(place)
        (root / "flows").mkdir()
        (root / "texts").mkdir()
        (root / "organisation.yaml").write_text(_dumped(organisation))
        (root / "flows/example.yaml").write_text(_dumped(flow))
        for language, text in catalogues.items():
            (root / f"texts/{language}.po").write_bytes(text.encode())
        policies, findings = load_policies(root)
        assert policies is not None, findings
        return policies


def with_catalogue(policies: Policies, text: str, file: str = "texts/fr.po") -> Policies:
    return replace(policies, texts={**policies.texts, file: text.encode()})


def whole(policies: Policies, language: str = "fr") -> str:
    """The catalogue in which every translation is its text in brackets."""
    made = updated(policies, phrases_of(policies), language)
    catalogue, findings = read_catalogue(made.text.encode(), made.file)
    assert findings == []
    entries = tuple(replace(each, translation=f"[{each.text}]", flags=(), previous=None) for each in catalogue.alive)
    return catalogue_text(replace(catalogue, entries=entries))


def strings(value: Any) -> Iterator[str]:
    """Every text in the model."""
    if isinstance(value, str):
        yield value
    elif is_dataclass(value):
        for each in fields(value):
            if each.name not in ("at", "name", "order"):
                yield from strings(getattr(value, each.name))
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from strings(key)
            yield from strings(each)
    elif isinstance(value, (tuple, list)):
        for each in value:
            yield from strings(each)


@settings(max_examples=examples(25), deadline=None)
@given(sets())
def test_every_text_has_one_path_and_update_twice_gives_the_same_bytes(
    drawn: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    policies = loaded(*drawn)
    phrases = phrases_of(policies)
    assert len({each.path for each in phrases}) == len(phrases)
    first = updated(policies, phrases, "fr")
    again = updated(with_catalogue(policies, first.text), phrases, "fr")
    assert again.text == first.text
    assert read_catalogue(first.text.encode(), first.file)[1] == []
    assert [(each.context, each.text) for each in read_catalogue(first.text.encode(), "")[0].entries] == [
        (each.path, each.text) for each in phrases
    ]


@settings(max_examples=examples(25), deadline=None)
@given(sets())
def test_a_set_that_is_wholly_translated_says_nothing_of_its_first_language(
    drawn: tuple[dict[str, Any], dict[str, Any]],
) -> None:
    policies = loaded(*drawn)
    policies = with_catalogue(policies, whole(policies))
    phrases = phrases_of(policies)
    standing = standing_of(policies, phrases, "fr")
    assert (standing.missing, standing.stale, standing.extra) == ((), (), ())
    french = in_language(policies, "fr")
    assert french.unsaid == frozenset()
    said = [*strings(french.organisation), *strings(french.flows)]
    assert {f"[{each.text}]" for each in phrases} <= set(said)
    written_ones = [each for each in phrases if each.role in (TEXT_THERE, LEFT_OUT)]
    bare = {each.text for each in written_ones if each.path.startswith("flows.")} - set(strings(drawn))
    assert not bare & set(said)
    assert in_language(french, "en") is policies
    assert in_language(french, "fr") is french


@settings(max_examples=examples(25), deadline=None)
@given(sets(), st.data())
def test_a_catalogue_in_which_something_is_translated_keeps_it(
    drawn: tuple[dict[str, Any], dict[str, Any]], data: st.DataObject
) -> None:
    policies = loaded(*drawn)
    text = whole(policies)
    organisation, flow = drawn
    name = data.draw(st.sampled_from(sorted(flow["states"])))
    renamed = yaml.safe_load(yaml.safe_dump(flow, allow_unicode=True))
    renamed["states"] = {("moved_here" if key == name else key): each for key, each in renamed["states"].items()}
    for clock in renamed["clocks"].values():
        clock["runs_in"] = "moved_here" if clock["runs_in"] == name else clock["runs_in"]
    if "title" not in renamed["states"]["moved_here"]:
        renamed["states"]["moved_here"]["title"] = next(
            each.text for each in phrases_of(policies) if each.path == f"flows.example.states.{name}.title"
        )
    after = with_catalogue(loaded(organisation, renamed), text)
    phrases = phrases_of(after)
    made = updated(after, phrases, "fr")
    assert (made.new, made.stale) == (0, 0)
    standing = standing_of(with_catalogue(after, made.text), phrases, "fr")
    assert (standing.missing, standing.stale) == ((), ())


ENTRIES = st.builds(
    Entry,
    TEXTS,
    TEXTS,
    st.just("") | TEXTS,
    comments=st.lists(st.sampled_from(["by hand", "über", "1."]), max_size=2).map(tuple),
    notes=st.lists(st.sampled_from(["What to say."]), max_size=1).map(tuple),
    places=st.lists(st.sampled_from(["flows/a.yaml:3", "organisation.yaml:1"]), max_size=1).map(tuple),
    flags=st.sampled_from([(), ("fuzzy",), ("fuzzy", "no-wrap")]),
    previous=st.none() | TEXTS,
)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(ENTRIES, unique_by=lambda each: (each.context, each.text), max_size=4), st.booleans())
def test_what_is_written_is_read_as_it_was_by_us_and_by_babel(entries: list[Entry], gone: bool) -> None:
    if gone and entries:
        entries[-1] = replace(entries[-1], obsolete=True, notes=(), places=(), previous=None)
    catalogue = Catalogue(
        "texts/fr.po", tuple(entries), (("Language", "fr"), ("Content-Type", "text/plain; charset=UTF-8"))
    )
    text = catalogue_text(catalogue)
    found, findings = read_catalogue(text.encode(), "texts/fr.po")
    assert findings == []
    assert [replace(each, line=0, at=0) for each in found.entries] == entries
    assert catalogue_text(found) == text
    theirs = read_po(io.BytesIO(text.encode()), abort_invalid=True)
    alive = {(each.context, each.text): (each.translation, each.fuzzy) for each in entries if not each.obsolete}
    assert {(each.context, each.id): (each.string, each.fuzzy) for each in theirs if each.id} == alive


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        (("states", "received", "steps", 0), "states.received.steps.1"),
        (("facts", "customer.tier", "title"), "facts[customer.tier].title"),
        (("after", "7 days", "note"), "after[7 days].note"),
        (("glossary", "a]b"), "glossary[a]]b]"),
    ],
)
def test_a_path_is_written_so_that_no_two_are_alike(keys: tuple[str | int, ...], path: str) -> None:
    assert path_of(keys) == path


def changed(text: str, file: str = "texts/fr.po", **edits: str) -> Catalogue:
    catalogue, findings = read_catalogue(text.encode(), file)
    assert findings == []
    return catalogue


FLOW: dict[str, Any] = {
    "flow": "example", "version": 1, "owner": "lead", "events": {"sent": {"title": "It is sent"}},
    "states": {
        "received": {
            "title": "Received", "steps": ["Read it", "Answer it"], "start_on": "sent", "on": {"sent": "done"},
        },
        "done": {"title": "Done", "final": "done"},
    },
}  # fmt: skip
SHOP = {
    "organisation": "Shop",
    "timezone": "Europe/London",
    "languages": ["en", "fr"],
    "roles": {"lead": {"title": "Lead"}},
}


def after_change(change: Any) -> dict[str, Entry]:
    """The entries after a change of a set that was wholly translated, by their paths; obsolete ones by their text."""
    policies = loaded(SHOP, FLOW)
    text = whole(policies)
    flow = yaml.safe_load(yaml.safe_dump(FLOW))
    change(flow)
    after = with_catalogue(loaded(SHOP, flow), text)
    made = updated(after, phrases_of(after), "fr")
    assert updated(with_catalogue(after, made.text), phrases_of(after), "fr").text == made.text
    entries = changed(made.text).entries
    return {(f"gone {each.text}" if each.obsolete else each.context): each for each in entries}


def test_a_changed_text_keeps_its_translation_as_fuzzy_with_the_text_that_it_was_made_for() -> None:
    found = after_change(lambda flow: flow["states"]["done"].update(title="All done"))
    entry = found["flows.example.states.done.title"]
    assert (entry.translation, entry.fuzzy, entry.previous) == ("[Done]", True, "Done")


def test_a_step_that_is_put_in_before_others_moves_them_and_is_itself_untranslated() -> None:
    found = after_change(lambda flow: flow["states"]["received"].update(steps=["Sit down", "Read it", "Answer it"]))
    steps = [found[f"flows.example.states.received.steps.{number}"] for number in (1, 2, 3)]
    assert [(each.translation, each.fuzzy) for each in steps] == [
        ("", False),
        ("[Read it]", False),
        ("[Answer it]", False),
    ]


def test_what_is_gone_is_kept_as_obsolete_and_comes_back() -> None:
    found = after_change(lambda flow: flow["states"]["received"].update(steps=["Read it"]))
    gone = found["gone Answer it"]
    assert gone.translation == "[Answer it]"
    assert "flows.example.states.received.steps.2" not in found
    shorter = loaded(
        SHOP, {**FLOW, "states": {**FLOW["states"], "received": {**FLOW["states"]["received"], "steps": ["Read it"]}}}
    )
    text = updated(with_catalogue(shorter, whole(loaded(SHOP, FLOW))), phrases_of(shorter), "fr").text
    policies = with_catalogue(loaded(SHOP, FLOW), text)
    assert updated(policies, phrases_of(policies), "fr").text == whole(loaded(SHOP, FLOW))


def test_the_same_text_elsewhere_is_proposed_as_fuzzy() -> None:
    found = after_change(lambda flow: flow["states"].update(over={"title": "Done", "final": "over"}))
    entry = found["flows.example.states.over.title"]
    assert (entry.translation, entry.fuzzy, entry.previous) == ("[Done]", True, None)


def test_a_fuzzy_translation_is_not_used_and_a_region_falls_back_to_its_language() -> None:
    policies = loaded({**SHOP, "languages": ["en", "pt-BR", "pt"]}, FLOW)
    pt, brazil = whole(policies, "pt"), whole(policies, "pt-BR")
    brazil = brazil.replace('msgstr "[Done]"', 'msgstr ""').replace("[Lead]", "Chefe")
    brazil = brazil.replace('msgctxt "flows.example.title"', '#, fuzzy\nmsgctxt "flows.example.title"').replace(
        "[Example]", "Exemplo"
    )
    policies = replace(policies, texts={"texts/pt.po": pt.encode(), "texts/pt_BR.po": brazil.encode()})
    assert file_of(policies, "pt-BR") == "texts/pt_BR.po"
    said = in_language(policies, "pt-BR")
    assert said.organisation.roles["lead"].title == "Chefe"
    assert said.flows["example"].states["done"].title == "[Done]"
    assert said.flows["example"].title == "[Example]"
    assert in_language(policies, "pt").organisation.roles["lead"].title == "[Lead]"
    assert in_language(policies, "pt-PT").organisation.roles["lead"].title == "[Lead]"
    assert in_language(policies, "de") is policies


def test_what_every_flow_has_is_there_in_each_language_and_said_in_it() -> None:
    common = {"events": {"rung": {"title": "Somebody rings"}}, "anywhere": {"rung": {"note": "It is noted"}}}
    policies = loaded({**SHOP, "common": common, "settings": {"sells": False}}, FLOW)
    french = in_language(with_catalogue(policies, whole(policies)), "fr")
    flow = french.flows["example"]
    assert flow.events["rung"].title == "[Somebody rings]"
    assert [each.note for each in flow.anywhere["rung"]] == ["[It is noted]"]
    assert flow.events.keys() == policies.flows["example"].events.keys()
    scope = scope_of(french.organisation, flow, None)
    assert "(non)" in in_words("settings.sells", scope, translation_of("fr"))


def test_a_set_without_catalogues_is_itself_in_every_language() -> None:
    for name in SETS:
        policies, _ = load_policies(ROOT / name)
        if policies is not None:
            assert in_language(policies, "fr") is policies


def test_values_that_guards_compare_stay_and_have_words_beside_them() -> None:
    facts = {"case.kind": {"type": "choice", "of": ["no_answer", "gold"]}}
    policies = loaded({**SHOP, "facts": facts, "settings": {"greeting": "Good day", "wait": "2 days", "most": 5}}, FLOW)
    french = in_language(with_catalogue(policies, whole(policies)), "fr").organisation
    fact, setting = french.facts["case.kind"], french.settings["greeting"]
    assert (fact.of, fact.told("no_answer"), fact.told("gold")) == (("no_answer", "gold"), "[no answer]", "[gold]")
    assert (setting.value, setting.told, setting.title) == ("Good day", "[Good day]", "[Greeting]")
    assert (french.settings["wait"].told, french.settings["most"].told) == ("2 days", 5)


def test_a_setting_that_has_no_word_is_no_limit() -> None:
    policies = loaded({**SHOP, "settings": {"mark": "'", "dots": "…"}}, FLOW)
    assert [each.text for each in phrases_of(policies) if each.path in ("settings.mark", "settings.dots")] == ["'", "…"]
