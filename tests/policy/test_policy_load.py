"""Folders: what belongs to a set, what is overlooked, what identifies it; and no text that ends in a traceback."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.audit import schema as audit
from carepolicy.engine.history import schema
from carepolicy.policy.files import digest_of, policy_files
from carepolicy.policy.language.kinds import SCHEMAS, schema_of, schema_texts
from carepolicy.policy.load import load_policies
from carepolicy.policy.shape import validator_of
from laws import examples
from shops import SHOP

HERE = Path(__file__).parent
SAMPLES = HERE / "samples"
REPOSITORY = HERE.parents[1]


def test_the_sample_set_loads(harbour: Path) -> None:
    policies, findings = load_policies(harbour)
    assert findings == []
    assert policies is not None
    assert list(policies.flows) == ["email_inquiry"]
    assert list(policies.messages) == ["en"]
    assert policies.root == str(harbour)
    assert policies.digest == digest_of(harbour)
    assert sorted(policies.sources) == policy_files(harbour)


def test_scenarios_and_unknown_folders_are_no_part_of_a_set(harbour: Path) -> None:
    before = digest_of(harbour)
    (harbour / "scenarios" / "bad.yaml").write_text("[")
    (harbour / "notes").mkdir()
    (harbour / "notes" / "x.yaml").write_text("[")
    (harbour / ".git").mkdir()
    (harbour / ".git" / "x.ics").write_text("x")
    assert digest_of(harbour) == before
    assert load_policies(harbour)[1] == []


@pytest.mark.parametrize("name", ["organisation.yaml", "flows/email_inquiry.yaml", "messages/en.yaml"])
def test_any_changed_byte_changes_the_digest(harbour: Path, name: str) -> None:
    before = digest_of(harbour)
    (harbour / name).write_bytes((harbour / name).read_bytes() + b"#")
    assert digest_of(harbour) != before


def test_a_new_or_renamed_file_changes_the_digest(harbour: Path) -> None:
    seen = {digest_of(harbour)}
    (harbour / "closures.ics").write_text("x")
    seen.add(digest_of(harbour))
    (harbour / "calendars").mkdir()
    (harbour / "closures.ics").rename(harbour / "calendars" / "closures.ics")
    seen.add(digest_of(harbour))
    assert len(seen) == 3


def test_the_digest_asks_for_no_yaml_and_no_json_schema(harbour: Path) -> None:
    code = "import sys; from carepolicy.policy.files import digest_of; digest_of(sys.argv[1]);"
    code += "print([name for name in ('yaml', 'jsonschema', 'carepolicy.policy.model') if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code, str(harbour)], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("root", ["nowhere", "."])
def test_a_folder_without_an_organisation_is_named(tmp_path: Path, root: str) -> None:
    policies, findings = load_policies(tmp_path / root)
    assert policies is None
    assert [(each.code, each.place.file) for each in findings] == [("CP115", "organisation.yaml")]
    assert str(tmp_path) in findings[0].message


def test_a_file_in_place_of_the_folder_is_no_set(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("x")
    assert [each.code for each in load_policies(tmp_path / "x")[1]] == ["CP115"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("flows/extra.yml", "extra.yaml"),
        ("flows/extra.YAML", "extra.yaml"),
        ("organisation.yml", "organisation.yaml"),
        ("organization.yaml", "organisation.yaml"),
        ("Organisation.yaml", "organisation.yaml"),
        ("organisation.yaml.txt", "organisation.yaml"),
        ("complaint.yaml", "flows/"),
        ("flows/extra.yaml.txt", "extra.yaml"),
        ("flows/extra.yml.TXT", "extra.yaml"),
        ("flows/extra.yaml.yaml", "extra.yaml"),
        ("flows/extra.ymal", "extra.yaml"),
        ("messages/fr.yaml.txt", "fr.yaml"),
        ("flows/returns/extra.yaml", "flows/ itself"),
        ("Flows/extra.yaml", "the folder flows"),
        ("flow/extra.yml", "to flows/"),
        ("Abläufe/extra.yaml", "to flows/"),
        ("nachrichten/de.yaml", "to messages/"),
    ],
)
def test_a_file_that_would_be_overlooked_is_named(harbour: Path, name: str, hint: str) -> None:
    (harbour / name).parent.mkdir(exist_ok=True)
    (harbour / name).write_text("flow: extra\n")
    policies, findings = load_policies(harbour)
    assert policies is None
    assert [(each.code, each.place.file) for each in findings] == [("CP115", name)]
    assert hint in findings[0].hint


@pytest.mark.parametrize(
    "name", ["flows/notes.txt", "flow/notes.txt", "flows/extra.yaml.bak", "notes/extra.yaml", "organise.txt"]
)
def test_what_was_not_meant_for_the_set_may_stand_there(harbour: Path, name: str) -> None:
    (harbour / name).parent.mkdir(exist_ok=True)
    (harbour / name).write_text("x")
    assert load_policies(harbour)[1] == []


@pytest.mark.parametrize(
    "name", ["organisation.yml", "organization.yaml", "Organisation.yaml", "organisation.yaml.txt"]
)
def test_an_organisation_under_another_name_is_one_fault(harbour: Path, name: str) -> None:
    (harbour / "organisation.yaml").rename(harbour / name)
    policies, findings = load_policies(harbour)
    assert policies is None
    assert [(each.code, each.place.file, each.hint) for each in findings] == [
        ("CP115", name, "call it organisation.yaml")
    ]


def test_a_copy_of_a_flow_is_one_fault_at_the_copy(harbour: Path) -> None:
    copy = "flows/email_inquiry - Copy.yaml"
    (harbour / copy).write_text((harbour / "flows/email_inquiry.yaml").read_text())
    _, findings = load_policies(harbour)
    assert [(each.code, each.place.file) for each in findings] == [("CP116", copy)]
    assert "take it away" in findings[0].hint


def test_a_flow_bears_the_name_of_its_file(harbour: Path) -> None:
    text = (harbour / "flows/email_inquiry.yaml").read_text()
    (harbour / "flows/other.yaml").write_text(text)
    (harbour / "flows/third.yaml").write_text(text.replace("flow: email_inquiry", "flow: forth"))
    _, findings = load_policies(harbour)
    assert [(each.code, each.place.file, each.place.column) for each in findings] == [
        ("CP116", "flows/other.yaml", 7),
        ("CP115", "flows/third.yaml", 7),
    ]
    assert "flows/email_inquiry.yaml" in findings[0].message


def test_messages_bear_the_language_of_their_file(harbour: Path) -> None:
    (harbour / "messages/fr.yaml").write_text("language: en\nmessages: {a: {text: x}}\n")
    _, findings = load_policies(harbour)
    assert [(each.code, each.place.file, each.place.line) for each in findings] == [("CP115", "messages/fr.yaml", 1)]


def test_an_unreadable_import_is_a_finding(harbour: Path) -> None:
    path = harbour / "organisation.yaml"
    path.write_text(path.read_text().replace("closed: [", "closed: [{import: x.ics}, {import: ../y.ics}, "))
    (harbour / "x.ics").write_bytes(b"\xff")
    _, findings = load_policies(harbour)
    assert [each.code for each in findings] == ["CP101", "CP115"]


def test_a_file_of_bad_bytes_does_not_hide_the_faults_of_others(harbour: Path) -> None:
    (harbour / "organisation.yaml").write_bytes(b"\xff")
    (harbour / "flows/email_inquiry.yaml").write_text("flow: email_inquiry\n")
    _, findings = load_policies(harbour)
    assert [each.code for each in findings] == ["CP111", "CP111", "CP111", "CP101"]


FLOW = (SAMPLES / "flows/email_inquiry.yaml").read_text(encoding="utf-8")
ORGANISATION = (SAMPLES / "organisation.yaml").read_text(encoding="utf-8")
TOKEN = re.compile(r"\w+|[^\w\s]|\n *| +")


def load_spoilt(folder: Path, flow: str | bytes, organisation: str) -> None:
    """Load a set with these files: it must end in a set or in findings that lie inside of the text."""
    (folder / "flows").mkdir(exist_ok=True)
    (folder / "organisation.yaml").write_text(organisation, encoding="utf-8")
    path = folder / "flows/email_inquiry.yaml"
    path.write_bytes(flow if isinstance(flow, bytes) else flow.encode("utf-8", "surrogatepass"))
    policies, findings = load_policies(folder)
    assert (policies is None) == bool(findings)
    for each in findings:
        assert each.place.line >= 1
        assert each.place.column >= 1
        assert (each.place.line, each.place.column) <= (each.place.end_line, each.place.end_column)
        assert each.message
        assert len(each.message) < 300


def test_a_flow_cut_off_at_any_byte_is_no_traceback(tmp_path: Path) -> None:
    content = FLOW.encode()
    for length in range(0, len(content), 17):
        load_spoilt(tmp_path, content[:length], ORGANISATION)


def test_tokens_lost_doubled_or_swapped_are_no_traceback(tmp_path: Path) -> None:
    chance = random.Random(11)
    for round_ in range(300):
        text = FLOW if round_ % 2 else ORGANISATION
        tokens = TOKEN.findall(text)
        place, other = chance.randrange(len(tokens)), chance.randrange(len(tokens))
        change = round_ % 3
        if change == 0:
            del tokens[place]
        elif change == 1:
            tokens.insert(place, tokens[place])
        else:
            tokens[place], tokens[other] = tokens[other], tokens[place]
        spoilt = "".join(tokens)
        load_spoilt(tmp_path, spoilt if text is FLOW else FLOW, spoilt if text is ORGANISATION else ORGANISATION)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(["24:00-00:00", "mon-", "2026-02-30", "a/b", "list of list", "100000%", "1e400", "%", "-", "/"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=examples(100))
@given(data=st.data())
def test_any_value_in_any_place_is_no_traceback(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    import yaml

    base = yaml.load(data.draw(st.sampled_from([FLOW, ORGANISATION])), Loader=yaml.BaseLoader)
    node, text = base, "flow" in base
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not node[key] or not isinstance(node[key], (dict, list)) or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = data.draw(VALUES)
    spoilt = json.dumps(base, ensure_ascii=True)
    load_spoilt(tmp_path_factory.mktemp("s"), spoilt if text else FLOW, ORGANISATION if text else spoilt)


def test_the_files_in_schemas_are_current() -> None:
    folder = REPOSITORY / "schemas"
    texts = {**schema_texts(), **schema.schema_texts(), audit.FILE: audit.schema_text()}
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.json")} == texts


@pytest.mark.parametrize("kind", SCHEMAS)
def test_every_schema_is_a_schema_and_says_what_each_key_means(kind: str) -> None:
    from jsonschema import Draft202012Validator

    schema = schema_of(kind)
    Draft202012Validator.check_schema(schema)
    for name, part in schema["properties"].items():
        target = part if "$ref" not in part else {**schema["$defs"][part["$ref"].rsplit("/")[-1]], **part}
        assert "description" in target or "errorMessage" in target, name


@pytest.mark.parametrize("kind", SCHEMAS)
def test_the_quick_validator_and_the_schema_agree_on_the_samples(kind: str) -> None:
    from jsonschema import Draft202012Validator

    from carepolicy.policy.text import read_source

    path = {"organisation": "organisation.yaml", "flow": "flows/email_inquiry.yaml", "messages": "messages/en.yaml"}
    path |= {"requirements": "requirements.yaml", "mapping": "mappings/mailbox.yaml", "staff": "../staff.yaml"}
    source, _ = read_source(SAMPLES / path.get(kind, "scenarios/gold_late.yaml"), SAMPLES)
    assert source is not None
    assert list(Draft202012Validator(schema_of(kind)).iter_errors(source.data)) == []
    assert list(validator_of(kind).iter_errors(source.data)) == []


def test_the_schema_line_of_every_policy_file_names_a_schema() -> None:
    files = sorted(file for folder in (REPOSITORY / "policies", Path(SHOP)) for file in folder.rglob("*.yaml"))
    assert files
    for path in files:
        first = path.read_text(encoding="utf-8").split("\n")[0]
        match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert match, path
        assert (path.parent / match[1]).resolve().is_file(), path


@settings(max_examples=examples(75))
@given(value=VALUES, key=st.sampled_from(["states", "clocks", "anywhere", "events", "title", "moves_to", "covers"]))
def test_the_quick_validator_finds_what_the_library_alone_finds(key: str, value: object) -> None:
    from jsonschema import Draft202012Validator

    quick = validator_of("flow")
    flow = {"flow": "a", "version": 1, "owner": "b", "states": {"c": {"on": {"e": value}, "after": value}}, key: value}
    found = sorted(str((list(each.absolute_path), each.validator)) for each in quick.iter_errors(flow))
    alone = Draft202012Validator(quick.schema).iter_errors(flow)
    assert found == sorted(str((list(each.absolute_path), each.validator)) for each in alone)
