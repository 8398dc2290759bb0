"""The declaration of the language: every key has words, codes that exist and an example that is true; its reference is
up to date."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from carepolicy.checks import check_folder
from carepolicy.policy.composer import compose
from carepolicy.policy.findings import Severity
from carepolicy.policy.language.keys import Fields
from carepolicy.policy.language.kinds import KINDS, keys_of
from carepolicy.policy.language.shapes import LIMIT, Array, Key, Named, Shape
from carepolicy.policy.shape import check_shape

ROOT = Path(__file__).parents[2]
HARBOUR = ROOT / "tests/checks/harbour"
FILES = {"organisation": "organisation.yaml", "flow": "flows/email_inquiry.yaml", "messages": "messages/en.yaml"}

NAMES = {
    "away": "Aoife",
    "calendars": "office", "roles": "care_agent", "channels": "email", "facts": "customer.tier",
    "watches": "repeated_cause", "events": "email_received", "clocks": "first_reply", "states": "received",
    "seasons": "05-01/08-31",
    "on": "reply_sent", "after": "3 days", "anywhere": "customer_withdrew", "phases": "open", "messages": "auto_reply",
    ".common.events": "card_seen", ".common.anywhere": "card_seen",
}  # fmt: skip
"""Where each example is put: under one of the names of the sound set."""

OTHERWISE = {
    ".facts.card": "complaint.cause", ".facts.pattern": "complaint.cause", ".states.final": "closed",
    ".facts.min": "complaint.attempts", ".facts.max": "complaint.attempts",
}  # fmt: skip
"""Names that some examples need in place of these."""

RAISED = {"states": {"received": {"enter": {"raise": {"data": {"complaint.cause": "complaint.cause"}}}}}}
COMMON_RAISED = {"common": {"anywhere": {"card_seen": {"raise": {"data": {"complaint.cause": "complaint.cause"}}}}}}
ALSO = {
    ".common.anywhere.raise.event": COMMON_RAISED,
    ".common.anywhere.raise.subject": COMMON_RAISED,
    ".calendars.closed.title": {"calendars": {"office": {"closed": {"dates": "12-24/01-06"}}}},
    ".every": {"starting": "2026-01-01 09:00", "states": {"received": {"start_on": "every"}}},
    ".starting": {"every": "1 month", "states": {"received": {"start_on": "every"}}},
    ".clocks.never_pauses": {"clocks": {"first_reply": {"pauses_in": []}}},
    ".states.enter.raise.event": RAISED,
    ".states.enter.raise.subject": RAISED,
    ".anywhere.spends": {"anywhere": {"customer_withdrew": {"except": ["answered", "overdue"]}}},
}
"""What some examples need besides: keys that go together, what an event must carry."""

Put = Callable[[Any], Any]


def examples(kind: str) -> Iterator[tuple[str, Key, Any, Any]]:
    """Of each key of a kind of file: where it stands, the key, what must stand beside it, and the example, as files."""
    yield from _below(KINDS[kind], "", lambda value: value, lambda value: value, set())


def _below(shape: Shape, where: str, beside: Put, put: Put, seen: set[Any]) -> Iterator[tuple[str, Key, Any, Any]]:
    if isinstance(shape, Named):
        name = NAMES.get(where) or NAMES.get(where.split(".")[-1], "example")
        outer_beside, outer_put = beside, put
        beside, put = lambda value: outer_beside({name: value}), lambda value: outer_put({name: value})
    elif isinstance(shape, Array):
        around_beside, around_put = beside, put
        beside, put = lambda value: around_beside([value]), lambda value: around_put([value])
    if not isinstance(shape, Fields):
        for each in shape.below():
            yield from _below(each, where, beside, put, seen)
    elif (shape.of, shape.variant) not in seen:
        seen.add((shape.of, shape.variant))
        for name, key in shape.keys.items():
            at = f"{where}.{name}"
            required = {other: said(each) for other, each in shape.keys.items() if each.required and other != name}
            example = put({**listed(shape, required), name: said(key)})
            yield at, key, beside(required), renamed(example, where, OTHERWISE.get(at))
            yield from _below(
                key.shape,
                at,
                lambda value, name=name, required=required: beside({**required, name: value}),
                lambda value, name=name, required=required: put({**listed(shape, required), name: value}),
                seen,
            )


def renamed(example: Any, where: str, name: str | None) -> Any:
    """The example under another name."""
    section = where.removeprefix(".")
    return example if name is None else {section: {name: next(iter(example[section].values()))}}


def listed(shape: Fields, required: dict[str, Any]) -> dict[str, Any]:
    """What must stand beside an example in the entry of a list, which takes the place of the sound set's own."""
    return required if shape.of.__name__ in ("Extend", "Raise", "Tell", "Open", "LimitChoice", "ClosedEntry") else {}


def said(key: Key) -> Any:
    assert key.example, f"{key.name} has no example"
    source, findings = compose(f"{key.name}: {key.example}", "example.yaml")
    assert source is not None, findings
    return source.data_at((key.name,))


def laid_over(below: Any, above: Any) -> Any:
    if not isinstance(below, dict) or not isinstance(above, dict):
        return above
    return {**below, **{key: laid_over(below.get(key), value) for key, value in above.items()}}


EXAMPLES = [(kind, *each) for kind in FILES for each in examples(kind)]


@pytest.mark.parametrize(
    ("kind", "where", "beside", "example"),
    [(kind, where, *rest) for kind, where, _, *rest in EXAMPLES],
    ids=[f"{kind}{where}" for kind, where, *_ in EXAMPLES],
)
def test_the_example_of_a_key_is_right(tmp_path: Path, kind: str, where: str, beside: Any, example: Any) -> None:
    root = Path(shutil.copytree(HARBOUR, tmp_path / "policies"))
    shutil.copy(root / "calendars/whole_day.ics", root / "closures.ics")
    file = root / FILES[kind]
    source, _ = compose(file.read_text(), "sound.yaml")
    assert source is not None
    file.write_text(
        yaml.safe_dump(
            laid_over(laid_over(laid_over(beside, source.data), example), ALSO.get(where, {})), sort_keys=False
        )
    )
    policies, findings = check_folder(root)
    assert policies is not None, findings
    assert [each for each in findings if each.severity is Severity.ERROR] == []


def no_limit(example: Any, name: str) -> Any:
    """The example with a text that is no limit under the keys of a name."""
    if isinstance(example, list):
        return [no_limit(each, name) for each in example]
    if not isinstance(example, dict):
        return example
    return {
        key: "3 parsecs" if key == name and isinstance(below, str) else no_limit(below, name)
        for key, below in example.items()
    }


LIMITS = [each for each in EXAMPLES if each[2].shape is LIMIT]


@pytest.mark.parametrize(
    ("kind", "where", "key", "beside", "example"), LIMITS, ids=[f"{kind}{where}" for kind, where, *_ in LIMITS]
)
def test_a_text_that_is_no_limit_is_found_under_every_key_that_has_one(
    tmp_path: Path, kind: str, where: str, key: Key, beside: Any, example: Any
) -> None:
    root = Path(shutil.copytree(HARBOUR, tmp_path / "policies"))
    file = root / FILES[kind]
    source, _ = compose(file.read_text(), "sound.yaml")
    assert source is not None
    wrong = laid_over(laid_over(beside, source.data), laid_over(no_limit(example, key.name), ALSO.get(where, {})))
    file.write_text(yaml.safe_dump(wrong, sort_keys=False))
    policies, findings = check_folder(root)
    assert policies is not None, findings
    assert [each.message for each in findings if each.code == "CP220"] == ["`parsecs` is not a unit of time"]


@pytest.mark.parametrize(
    ("beside", "example"),
    [(beside, example) for _, _, beside, example in examples("scenario")],
    ids=[where for where, *_ in examples("scenario")],
)
def test_the_example_of_a_scenarios_key_is_right(beside: Any, example: Any) -> None:
    text = yaml.safe_dump(laid_over(beside, example), sort_keys=False)
    source, findings = compose(text, "scenario.yaml")
    assert source is not None, findings
    assert check_shape(source, "scenario") == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_says_what_it_is_and_names_codes_that_there_are(kind: str) -> None:
    codes = {each.stem for each in (ROOT / "docs/rules").glob("*.md")}
    for key in keys_of(kind):
        assert key.about.endswith((".", "...")), key.name
        assert set(key.told_by) <= codes, key.name


def test_a_comparison_calls_an_aspect_by_one_name() -> None:
    called: dict[str, tuple[str, str]] = {}
    for kind in KINDS:
        for key in keys_of(kind):
            if key.told is not None:
                assert called.setdefault(key.aspect, key.told) == key.told, key.name


def reference() -> ModuleType:
    spec = importlib.util.spec_from_file_location("language", ROOT / "docs/language.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_reference_is_up_to_date() -> None:
    """Where this fails: python docs/language.py"""
    assert (ROOT / "docs/language.md").read_text(encoding="utf-8") == reference().reference()


def test_the_reference_has_every_key() -> None:
    text = (ROOT / "docs/language.md").read_text(encoding="utf-8")
    for kind in KINDS:
        for key in keys_of(kind):
            assert f"`{key.name}: {key.example}`" in text, key.name


def test_the_language_says_which_limits_may_hang_on_a_fact() -> None:
    hanging = {kind: {each.name for each in keys_of(kind) if each.hangs} for kind in KINDS}
    assert {kind: names for kind, names in hanging.items() if names} == {"flow": {"limit", "is", "first_of", "after"}}
