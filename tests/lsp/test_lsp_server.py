"""The language server, spoken to by a real client over standard input and output, on a copy of the shop's policies."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("pygls")

from lsp_client import Client, Refused
from shops import SHOP

FLOW = "policies/flows/email_inquiry.yaml"
SCENARIO = "policies/scenarios/email_gold_customer_late.yaml"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    root = tmp_path_factory.mktemp("editor")
    shutil.copytree(SHOP, root / "policies")
    client = Client(root)
    yield client
    status, said = client.close()
    assert status == 0
    assert "Traceback" not in said


@pytest.fixture(scope="module")
def flow(client: Client) -> tuple[str, str]:
    uri = client.open(FLOW)
    client.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}})
    return uri, (client.root / FLOW).read_text()


def names(client: Client, uri: str, text: str, piece: str, inside: int) -> set[str]:
    return {each["label"] for each in client.ask("textDocument/completion", client.at(uri, text, piece, inside))}


def test_findings_come_while_one_types_and_go_when_it_is_right_again(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    broken = text.replace("more_info_asked: {to: waiting_for_customer", "more_info_asked: {to: waiting_for_custmer", 1)
    client.change(uri, broken)
    while not (found := client.diagnostics(uri)):
        pass
    (diagnostic,) = found
    assert diagnostic["code"] == "CP203"
    assert diagnostic["message"] == 'unknown state "waiting_for_custmer"; did you mean "waiting_for_customer"?'
    line = broken.split("\n")[diagnostic["range"]["start"]["line"]]
    span = (diagnostic["range"]["start"]["character"], diagnostic["range"]["end"]["character"])
    assert line[slice(*span)] == "waiting_for_custmer"

    hover = client.ask("textDocument/hover", client.at(uri, broken, "waiting_for_custmer", 3))
    assert "**CP203** unknown state" in hover["contents"]["value"]
    assert "Right:" in hover["contents"]["value"]

    (action,) = client.ask(
        "textDocument/codeAction",
        {"textDocument": {"uri": uri}, "range": diagnostic["range"], "context": {"diagnostics": []}},
    )
    (edit,) = action["edit"]["changes"][uri]
    assert (edit["newText"], edit["range"]) == ("waiting_for_customer", diagnostic["range"])
    client.change(uri, text)
    while client.diagnostics(uri):
        pass


def test_text_that_is_broken_anywhere_is_a_finding_and_never_an_error(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    for cut in range(0, len(text), len(text) // 12):
        client.change(uri, text[:cut] + "\t{[: é\U0001f600")
        place = {"textDocument": {"uri": uri}, "position": {"line": 3, "character": 4}}
        for method in ("completion", "hover", "definition", "prepareRename"):
            client.ask(f"textDocument/{method}", place)
        options = {"tabSize": 2, "insertSpaces": True}
        assert client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": options}) == []
    while not client.diagnostics(uri):
        pass
    client.change(uri, text)
    while client.diagnostics(uri):
        pass


@pytest.mark.parametrize(
    ("piece", "inside", "some", "never"),
    [
        ("more_info_asked: {to: ", 22, {"waiting_for_customer", "closed"}, {"care_agent", "reply_sent"}),
        ("runs_in: [received, ", 20, {"overdue"}, {"care_agent"}),
        ("owner: care_agent", 7, {"care_agent", "care_lead"}, {"overdue"}),
        ("send: need_more", 6, {"apology_for_delay", "auto_reply"}, {"overdue"}),
        ("start_on: ", 10, {"email_received"}, {"overdue"}),
        ("      reply_sent: answered", 6, {"reply_sent", "first_reply.late"}, {"overdue", "care_agent"}),
        ("      reply_sent: answered", 18, {"answered", "overdue"}, {"reply_sent"}),
        ("channel: email", 9, {"email", "phone"}, {"overdue"}),
        ("required: [", 11, {"customer.email"}, {"overdue"}),
        ("{when: ", 7, {"customer.tier"}, {"overdue"}),
    ],
)
def test_names_are_completed_where_they_belong(
    client: Client, flow: tuple[str, str], piece: str, inside: int, some: set[str], never: set[str]
) -> None:
    found = names(client, *flow, piece, inside)
    assert some <= found
    assert not never & found


def test_a_limit_shows_when_it_falls_due(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    hover = client.ask("textDocument/hover", client.at(uri, text, "{is: 3 business hours}", 8))
    said = hover["contents"]["value"]
    assert said.startswith("**3 business hours**, calendar Office hours")
    assert "Friday" in said
    assert "due Monday" in said


def test_a_name_leads_to_where_it_is_given_and_to_all_who_speak_of_it(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    (location,) = client.ask("textDocument/definition", client.at(uri, text, "to: waiting_for_customer", 6))
    assert text.split("\n")[location["range"]["start"]["line"]] == "  waiting_for_customer:"
    (location,) = client.ask("textDocument/definition", client.at(uri, text, "owner: care_agent", 10))
    assert location["uri"].endswith("policies/organisation.yaml")
    asked = {**client.at(uri, text, "send: auto_reply", 8), "context": {"includeDeclaration": True}}
    found = client.ask("textDocument/references", asked)
    assert {each["uri"].rsplit("/", 2)[1] for each in found} >= {"messages", "flows", "scenarios"}


def apply(client: Client, edit: dict) -> None:
    for uri, edits in edit["changes"].items():
        path = Path(uri.removeprefix("file://"))
        lines = path.read_text().split("\n")
        for each in sorted(edits, key=lambda one: one["range"]["start"]["character"], reverse=True):
            line, start, end = (
                each["range"]["start"]["line"], each["range"]["start"]["character"], each["range"]["end"]["character"],
            )  # fmt: skip
            lines[line] = lines[line][:start] + each["newText"] + lines[line][end:]
        path.write_text("\n".join(lines))


def test_a_state_and_an_event_are_renamed_over_all_files(tmp_path: Path) -> None:
    from carepolicy.checks import check_folder
    from carepolicy.scenarios import stage
    from carepolicy.scenarios.suite import judge_all, suite_of

    shutil.copytree(SHOP, tmp_path / "policies")
    client = Client(tmp_path)
    uri = client.open(FLOW)
    text = (tmp_path / FLOW).read_text()
    for old, new in (("waiting_for_customer", "customer_has_the_word"), ("email_received", "mail_came")):
        asked = client.at(uri, text, f"  {old}:", 4)
        assert client.ask("textDocument/prepareRename", asked) is not None
        apply(client, client.ask("textDocument/rename", {**asked, "newName": new}))
        text = (tmp_path / FLOW).read_text()
        client.change(uri, text)
        assert f"  {new}:" in text
    client.close()
    policies, findings = check_folder(tmp_path / "policies")
    assert policies is not None
    assert findings == []
    stage._stages.clear()
    suite = suite_of([str(tmp_path / "policies")])
    assert suite.findings == ()
    assert all(each.passed for each in judge_all(suite))


@pytest.mark.parametrize("new", ["Not A Name", "overdue", "", "1st"])
def test_a_name_that_cannot_be_is_refused(client: Client, flow: tuple[str, str], new: str) -> None:
    uri, text = flow
    with pytest.raises(Refused):
        client.ask("textDocument/rename", {**client.at(uri, text, "  waiting_for_customer:", 4), "newName": new})


def test_a_file_is_laid_out(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    client.change(uri, text + "\n\n\n")
    options = {"tabSize": 2, "insertSpaces": True}
    (edit,) = client.ask("textDocument/formatting", {"textDocument": {"uri": uri}, "options": options})
    assert edit["newText"] == text
    client.change(uri, text)


def test_a_scenario_has_its_findings_and_names_too(client: Client, flow: tuple[str, str]) -> None:
    text = (client.root / SCENARIO).read_text()
    uri = client.open(SCENARIO, text.replace("state: overdue", "state: overdu"))
    while not (found := client.diagnostics(uri)):
        pass
    assert [each["code"] for each in found] == ["CP203"]
    assert {"received", "overdue"} <= names(client, uri, text, "{state: received", 8)


def test_a_file_that_belongs_to_no_set_is_left_alone(client: Client) -> None:
    (client.root / "other.yaml").write_text("a: [")
    uri = client.open("other.yaml")
    place = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 1}}
    assert client.ask("textDocument/hover", place) is None
    assert client.ask("textDocument/completion", place) == []


def test_a_file_that_another_program_writes_is_heard(client: Client, flow: tuple[str, str]) -> None:
    uri, _ = flow
    organisation = client.root / "policies/organisation.yaml"
    before = organisation.read_text()
    organisation.write_text(before.replace("  care_lead:", "  care_laed:", 1))
    change = {"changes": [{"uri": organisation.as_uri(), "type": 2}]}
    client.tell("workspace/didChangeWatchedFiles", change)
    while not any(each["code"] == "CP201" for each in client.diagnostics(uri)):
        pass
    organisation.write_text(before)
    client.tell("workspace/didChangeWatchedFiles", change)
    while client.diagnostics(uri):
        pass


def test_the_editor_is_asked_to_tell_of_written_files(client: Client) -> None:
    asked = [each for each in client.told if each.get("method") == "client/registerCapability"]
    assert asked[0]["params"]["registrations"][0]["method"] == "workspace/didChangeWatchedFiles"


def test_a_file_is_outlined_and_its_blocks_fold(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    about = {"textDocument": {"uri": uri}}
    sections = {each["name"]: each for each in client.ask("textDocument/documentSymbol", about)}
    states = {each["name"]: each for each in sections["states"]["children"]}
    assert states["waiting_for_customer"]["detail"] == "Waiting for the customer"
    lines = text.split("\n")
    first = next(number for number, line in enumerate(lines) if line == "  waiting_for_customer:")
    assert states["waiting_for_customer"]["selectionRange"]["start"] == {"line": first, "character": 2}
    folded = {each["startLine"]: each["endLine"] for each in client.ask("textDocument/foldingRange", about)}
    assert lines[folded[first] + 1].strip() == "" or not lines[folded[first] + 1].startswith("    ")
    assert states["waiting_for_customer"]["range"]["end"]["line"] == folded[first]


def test_a_value_of_the_wrong_shape_is_told_with_its_key(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    client.change(uri, text.replace("    owner: care_agent\n", "    owner: [care_agent]\n", 1))
    while not (found := client.diagnostics(uri)):
        pass
    assert found[0]["message"].startswith("owner: ")
    client.change(uri, text)
    while client.diagnostics(uri):
        pass


def test_settings_and_placeholders_are_completed(client: Client, flow: tuple[str, str]) -> None:
    uri, text = flow
    assert "settings.gold_first_answer" in names(client, uri, text, "is: settings.gold", 4)
    messages = client.open("policies/messages/en.yaml")
    said = (client.root / "policies/messages/en.yaml").read_text()
    begun = said.replace("{case}", "{ca", 1)
    client.change(messages, begun)
    found = names(client, messages, begun, "{ca", 3)
    assert {"case", "customer.name", "clock.first_reply.due"} <= found
    client.change(messages, said)
