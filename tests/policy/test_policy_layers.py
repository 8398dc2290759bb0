"""Layers: sets that lie one over another. What an upper one changes, takes away and adds; and where it was said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from carepolicy import open_store as carepolicy_open
from carepolicy.checks import check_folder
from carepolicy.cli import app
from carepolicy.editing.recheck import Rechecked
from carepolicy.engine.run import Run
from carepolicy.machine.bundle import load_bundle
from carepolicy.policy.files import digest_of, file_paths, laid_down, layered
from carepolicy.policy.load import load_policies
from carepolicy.policy.model import Policies

HARBOUR = Path(__file__).parents[1] / "checks" / "harbour"
LIMIT = "flows.email_inquiry.clocks.first_reply.limit"

MYSTORE = {
    "organisation.yaml": """\
        organisation: My store
        calendars: {office: {hours: {mon-fri: 10:00-16:00}}}
        roles:
          care_agent: {people+: [Dana]}
          packer: {title: Packer, people: [Eli], deputy: care_lead}
        settings: {goodwill_limit: 30}
        watches: {repeated_cause: null}
        """,
    "flows/email_inquiry.yaml": """\
        clocks:
          first_reply: {limit: 2 business hours}
        states:
          received:
            steps+: [Thank them by name.]
            on:
              more_info_asked: null
              reply_sent: {to: answered, tell: packer}
          overdue: {owner: packer, leave: {tell: care_lead}}
        """,
    "flows/returns.yaml": """\
        flow: returns
        version: 1
        title: Take a parcel back
        owner: packer
        events: {return_asked: {title: A parcel comes back, by: customer}, parcel_came: {title: It came, by: staff}}
        states:
          asked: {title: It is on its way, start_on: return_asked, owner: packer, on: {parcel_came: back}}
          back: {title: It is back, final: returned}
        """,
    "messages/en.yaml": "language: en\nmessages: {auto_reply: {subject: We have your mail}}\n",
}
THIRD = {
    "organisation.yaml": "organisation: Harbour branch\nroles: {care_agent: {people: [Fay], deputy: packer}}\n",
    "flows/email_inquiry.yaml": """\
        clocks: {first_reply: {limit: 90 business minutes}}
        states:
          answered=: {title: Done, owner: packer, after: {1 day: closed}}
        """,
    "flows/feedback_survey.yaml": "states: {asked: {say: Please tell us.}}\n",
}


def lay(root: Path, files: dict[str, str]) -> str:
    from textwrap import dedent

    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return str(root)


class Shop(NamedTuple):
    base: str
    mystore: str
    branch: str

    @property
    def root(self) -> str:
        return layered(self)


@pytest.fixture
def shop(harbour: Path, tmp_path: Path) -> Shop:
    return Shop(str(harbour), lay(tmp_path / "mystore", MYSTORE), lay(tmp_path / "branch", THIRD))


@pytest.fixture
def harbour(tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(HARBOUR, tmp_path / "harbour"))


def loaded(root: str) -> Policies:
    policies, findings = load_policies(root)
    assert policies is not None, findings
    return policies


def test_three_layers_change_take_away_and_add(shop: Shop) -> None:
    policies = loaded(shop.root)
    organisation, mail = policies.organisation, policies.flows["email_inquiry"]
    assert organisation.name == "Harbour branch"
    assert organisation.roles["care_agent"].people == ("Fay",)
    assert organisation.roles["care_agent"].title == "Care agent"
    assert organisation.roles["packer"].people == ("Eli",)
    assert organisation.settings["goodwill_limit"].value == 30
    assert organisation.watches == {}
    assert [bool(day) for day in organisation.calendars["office"].hours] == [True] * 5 + [False] * 2
    assert organisation.calendars["office"].closed == loaded(shop.base).organisation.calendars["office"].closed
    assert [each.limit for each in mail.clocks["first_reply"].limits] == ["90 business minutes"]
    assert mail.clocks["first_reply"].runs_in == ("received", "overdue")
    received = mail.states["received"]
    assert received.steps == ("Read the whole message.", "Check the order and the contact log.", "Thank them by name.")
    assert set(received.on) == {"reply_sent", "first_reply.warned", "first_reply.late"}
    assert [each.role for each in received.on["reply_sent"][0].effects.tell] == ["packer"]
    assert mail.states["overdue"].owner == "packer"
    assert mail.states["answered"].on == {}
    assert policies.flows["returns"].title == "Take a parcel back"
    assert policies.flows["feedback_survey"].states["asked"].say == "Please tell us."
    assert policies.messages["en"]["auto_reply"].subject == "We have your mail"
    assert policies.messages["en"]["auto_reply"].text == loaded(shop.base).messages["en"]["auto_reply"].text


def test_a_list_that_is_added_to_keeps_what_stood_below(shop: Shop) -> None:
    policies = loaded(layered((shop.base, shop.mystore)))
    assert policies.organisation.roles["care_agent"].people == ("Aoife", "Ben", "Dana")


def test_every_value_has_its_place_in_the_layer_that_said_it(shop: Shop) -> None:
    policies = loaded(shop.root)
    mail = policies.flows["email_inquiry"]
    places = {
        "limit": policies.place(mail.clocks["first_reply"].limits[0].at),
        "runs_in": policies.place(mail.clocks["first_reply"].at / "runs_in"),
        "step": policies.place(mail.states["received"].at / "steps" / 2),
        "role": policies.key_place(policies.organisation.roles["packer"].at),
        "reply": policies.place(mail.states["received"].on["reply_sent"][0].at),
    }
    assert {name: (each.file, each.line) for name, each in places.items()} == {
        "limit": (f"{shop.branch}/flows/email_inquiry.yaml", 1),
        "runs_in": (f"{shop.base}/flows/email_inquiry.yaml", 21),
        "step": (f"{shop.mystore}/flows/email_inquiry.yaml", 5),
        "role": (f"{shop.mystore}/organisation.yaml", 5),
        "reply": (f"{shop.mystore}/flows/email_inquiry.yaml", 8),
    }


def test_a_finding_stands_in_the_file_that_said_it(shop: Shop) -> None:
    flow = Path(shop.mystore, "flows/email_inquiry.yaml")
    flow.write_text(flow.read_text().replace("to: answered", "to: answred"))
    _, findings = check_folder(layered((shop.base, shop.mystore)))
    wrong = [each for each in findings if each.code == "CP203"]
    assert [(each.place.file, each.place.line, each.hint) for each in wrong] == [
        (str(flow), 8, 'did you mean "answered"?')
    ]


def test_one_layer_is_what_it_was_without_layers(harbour: Path) -> None:
    alone = loaded(str(harbour))
    assert alone.digest == digest_of(harbour)
    assert alone.files_read is alone.sources
    assert alone.additions == ()


class Wrong(NamedTuple):
    file: str
    text: str
    code: str
    line: int
    hint: str


MAIL = "flows/email_inquiry.yaml"
WRONG = [
    Wrong(MAIL, "clocks: {frst_reply: {limit: 1 hour}}", "CP121", 1, 'did you mean "first_reply"?'),
    Wrong("flows/emial_inquiry.yaml", "clocks: {x: {limit: 1 hour}}", "CP121", 1, 'did you mean "email_inquiry"?'),
    Wrong("organisation.yaml", "facts: {customer.teir: null}", "CP121", 1, 'did you mean "customer.tier"?'),
    Wrong("organisation.yaml", "roles: {care_agent+: {people: [Dana]}}", "CP120", 1, 'write "care_agent" alone'),
    Wrong("organisation.yaml", "settings: {goodwil_limit: 30}", "CP247", 1, 'did you mean "goodwill_limit"?'),
    Wrong("organisation.yaml", "roles: {care_leed: {people: [Dana]}}", "CP247", 1, 'did you mean "care_lead"?'),
    Wrong(MAIL, "owner: null", "CP111", 1, "expected is a flow: its name, version, owner, events and states"),
    Wrong("flows/email_inquiry.yaml", "states: {received: {onwer: x}}", "CP110", 1, '"owner" is there already'),
]  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=lambda each: each.text)
def test_what_is_wrong_in_a_layer_is_found_there(harbour: Path, tmp_path: Path, wrong: Wrong) -> None:
    upper = lay(tmp_path / "upper", {wrong.file: wrong.text})
    _, findings = check_folder(layered((str(harbour), upper)))
    told = [(each.code, each.hint) for each in findings if each.code == wrong.code]
    assert told == [(wrong.code, wrong.hint)]
    if wrong.text != "owner: null":  # what a layer takes away is missing where it stood
        assert {(each.place.file, each.place.line) for each in findings if each.code == wrong.code} == {
            (f"{upper}/{wrong.file}", wrong.line)
        }


def test_files_of_one_layer_add_nothing_to_each_other(harbour: Path, tmp_path: Path) -> None:
    message = "language: en\nmessages: {%s: {subject: A, text: B.}}\n"
    lay(
        harbour,
        {"messages/en/a.yaml": message % "chat_answer_late", "messages/en/b.yaml": message % "chat_answer_lost"},
    )
    here = {"messages/en/c.yaml": message % "parcel_is_lost", "messages/en/d.yaml": message % "parcel_is_last"}
    upper = lay(tmp_path / "upper", {**here, "messages/en/e.yaml": message % "chat_anser_late"})
    _, findings = check_folder(layered((str(harbour), upper)))
    told = [(each.place.file, each.hint) for each in findings if each.code == "CP247"]
    assert told == [(f"{upper}/messages/en/e.yaml", 'did you mean "chat_answer_late"?')]


def test_a_layer_that_answers_in_fewer_languages_leaves_the_others_out(harbour: Path, tmp_path: Path) -> None:
    lay(
        harbour,
        {"organisation.yaml": Path(harbour, "organisation.yaml").read_text().replace("[en, fr]", "[en, fr, de]")},
    )
    message = "language: %s\nmessages: {parcel_lost: {subject: A, text: B.}}\n"
    catalogue = 'msgid ""\nmsgstr "Language: de\\n"\n'
    lay(harbour, {"messages/de/a.yaml": message % "de", "messages/en/a.yaml": message % "en", "texts/de.po": catalogue})
    upper = lay(tmp_path / "upper", {"organisation.yaml": "languages: [en]\n"})
    policies, findings = check_folder(layered((str(harbour), upper)))
    assert [each for each in findings if each.code in ("CP209", "CP621")] == []
    assert policies is not None
    assert (list(policies.messages), policies.texts) == (["en"], {})
    lay(tmp_path / "upper", {"messages/de.yaml": message % "de"})  # what the layer itself says must fit
    _, findings = check_folder(layered((str(harbour), upper)))
    assert [each.place.file for each in findings if each.code == "CP209"] == [f"{upper}/messages/de.yaml"]


def test_a_folder_that_is_named_twice_or_is_not_there_is_found(shop: Shop, tmp_path: Path) -> None:
    _, twice = load_policies(layered((shop.base, shop.mystore, shop.mystore)))
    assert [each.code for each in twice] == ["CP120"]
    _, none = load_policies(layered((shop.base, str(tmp_path / "nowhere"))))
    assert [(each.code, each.message) for each in none] == [("CP115", f"there is no folder {tmp_path / 'nowhere'}")]
    _, base = load_policies(layered((shop.branch, shop.mystore)))
    assert base


def carepolicy(capfd: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capfd.readouterr()
    status = app.run([*arguments])
    return status, *capfd.readouterr()


def option(shop: Shop) -> list[str]:
    return [piece for layer in shop for piece in ("--policies", layer)]


def test_explain_tells_the_whole_chain_of_a_value(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    status, out, _ = carepolicy(capfd, "explain", "--value", LIMIT, *option(shop))
    assert status == 0
    assert out.splitlines() == [
        f"{LIMIT}: 90 business minutes",
        f"  {shop.branch}/flows/email_inquiry.yaml:1:31  overrides 90 business minutes",
        f"  {shop.mystore}/flows/email_inquiry.yaml:2:24  overrides 2 business hours",
        f'  {shop.base}/flows/email_inquiry.yaml:18:5  says [{{when: customer.tier == "gold", is: 1 business hour}}, '
        "{is: 3 business hours}]",
    ]


CHAINS = [
    ("roles.care_agent.people", "[Fay]", ["overrides [Fay]", "adds [Dana]", "says [Aoife, Ben]"]),
    ("watches.repeated_cause", None, ["takes away", "says {count: customer_wrote"]),
    ("watches.repeated_cause.reaches", None, ["takes away", "says 5"]),
    ("flows.email_inquiry.states.answered.title", "Done", ["replaces Done", "says Answered"]),
    ("flows.email_inquiry.states.answered.on", None, ["takes away", "says {customer_wrote: received"]),
    (
        "flows.email_inquiry.states.received.on.reply_sent",
        "{to: answered, tell: packer}",
        ["overrides", "says answered"],
    ),
    ("flows.email_inquiry.clocks.first_reply.runs_in", "[received, overdue]", ["says [received, overdue]"]),
    ("settings.goodwill_limit", "30", ["overrides 30", "says 20"]),
    ("messages.en.auto_reply.subject", "We have your mail", ["overrides We have your mail", "says"]),
    ("facts.customer.tier.default", "standard", ["says standard"]),
]


@pytest.mark.parametrize(("path", "value", "said"), CHAINS, ids=[path for path, _, _ in CHAINS])
def test_explain_tells_as_data_what_each_layer_does(
    shop: Shop, capfd: pytest.CaptureFixture[str], path: str, value: str | None, said: list[str]
) -> None:
    status, out, _ = carepolicy(capfd, "explain", "--value", path, "--format", "json", *option(shop))
    found: dict[str, Any] = json.loads(out)
    assert (status, found["is"]) == (0, value)
    told = [each["does"] if each["value"] is None else f"{each['does']} {each['value']}" for each in found["said"]]
    assert [whole.startswith(begun) for whole, begun in zip(told, said, strict=True)] == [True] * len(said), told


def test_explain_says_what_may_have_been_meant(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    for path, hint in (
        ("settings.goodwil_limit", 'did you mean "goodwill_limit"?'),
        ("flows.emial_inquiry.owner", 'did you mean "email_inquiry"?'),
        ("messages.en.auto_replay.text", 'did you mean "auto_reply"?'),
        ("flows.email_inquiry.clocks.first_repli.limit", 'did you mean "first_reply"?'),
    ):
        status, _, err = carepolicy(capfd, "explain", "--value", path, *option(shop))
        assert (status, hint in err) == (2, True), err


def test_the_environment_and_the_file_of_the_project_name_layers(
    shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CAREPOLICY_POLICIES", os.pathsep.join(shop))
    assert "90 business minutes" in carepolicy(capfd, "explain", "--value", LIMIT)[1]
    monkeypatch.delenv("CAREPOLICY_POLICIES")
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    (project / "carepolicy.toml").write_text('policies = ["../harbour", "../mystore"]\n')
    assert "2 business hours" in carepolicy(capfd, "explain", "--value", LIMIT)[1].splitlines()[0]
    (project / "inner").mkdir()
    monkeypatch.chdir(project / "inner")
    assert "2 business hours" in carepolicy(capfd, "explain", "--value", LIMIT)[1].splitlines()[0]


def test_commands_take_layers(shop: Shop, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    layers = option(shop)
    store = ["--store", f"sqlite:///{tmp_path / 'care.db'}"]
    facts = ("customer.email=a@example.org", "order.total=5")
    at = "2026-03-02T10:00:00+00:00"
    assert carepolicy(capfd, "event", "email_received", "o-1", *facts, "--at", at, *layers, *store)[0] == 0
    case = json.loads(carepolicy(capfd, "case", "due", "--format", "json", *layers, *store)[1])
    assert "2026-03-02T11:30:00+00:00" in json.dumps(case)
    assert carepolicy(capfd, "plan", *layers, *store)[0] == 0
    fewer = option(shop)[:4]
    status, out, err = carepolicy(capfd, "apply", *fewer, *store, "--now", "2026-03-02T10:05:00+00:00")
    assert status == 0, err
    assert "differs" in carepolicy(capfd, "tick", "--now", "2026-03-02T10:06:00+00:00", *layers, *store)[2]
    assert carepolicy(capfd, "case", "show", "o-1", *layers, *store)[1].startswith(
        "o-1: Answer an e-mail (email_inquiry)"
    )
    with carepolicy_open(f"sqlite:///{tmp_path / 'live.db'}", shop.root) as live:
        assert live.cases() == []
    chart = tmp_path / "chart.dot"
    assert carepolicy(capfd, "graph", "returns", *layers, "--output", str(chart))[0] == 0
    assert "It is on its way" in chart.read_text()
    status, out, _ = carepolicy(capfd, "diff", shop.base, os.pathsep.join(shop), "--policies", shop.base)
    assert (status, "Take a parcel back" in out) == (0, True)
    assert carepolicy(capfd, "due", "2 business hours", "--from", "2026-03-02 10:00", *layers)[1].startswith(
        "2026-03-02"
    )
    assert carepolicy(capfd, "fmt", "--check", *layers)[0] in (0, 1)


def test_diff_says_what_a_store_has_made_of_the_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    limit = "clocks: {first_reply: {limit: 2 business hours}}\n"
    lay(tmp_path / "mystore", {"organisation.yaml": "organisation: My store\n", "flows/email_inquiry.yaml": limit})
    monkeypatch.chdir(tmp_path)
    layers = ["--policies", "library", "--policies", "mystore"]
    status, out, _ = carepolicy(capfd, "diff", "library", *layers)
    assert (status, out.splitlines()[0]) == (0, "library → library:mystore: 4 changes")
    assert "  CHANGED  First answer: now 2 business hours\n" in out
    assert "closed day" not in out  # neither of them says anything of it
    assert carepolicy(capfd, "diff", "library", "library:mystore", *layers)[1] == out


def test_a_store_keeps_every_layer_of_what_is_installed(shop: Shop, tmp_path: Path) -> None:
    for name, path in file_paths(shop.root).items():
        target = tmp_path / "laid" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(Path(path).read_bytes())
    there = laid_down(str(tmp_path / "laid"))
    assert digest_of(there) == digest_of(shop.root)
    assert load_bundle(there).digest == load_bundle(shop.root).digest
    assert Run(load_bundle(there)) is not None


SCENARIO = """\
    scenario: {title}
    flow: returns
    steps:
      - {{at: 2026-03-02 10:00, event: return_asked}}
      - expect: {{state: {state}}}
    """


def test_scenarios_of_all_layers_run_on_the_whole_set_and_upper_ones_replace_and_take_away(
    shop: Shop, capfd: pytest.CaptureFixture[str]
) -> None:
    gone = SCENARIO.format(title="It is wrong here", state="nowhere")
    lay(Path(shop.base), {"scenarios/kept.yaml": """\
        scenario: A survey is asked for
        flow: feedback_survey
        steps:
          - {at: 2026-03-02 10:00, event: survey_due}
          - expect: {state: asked}
        """, "scenarios/gone.yaml": gone, "scenarios/other.yaml": gone})  # fmt: skip
    lay(Path(shop.mystore), {"scenarios/gone.yaml": "scenario:\n"})
    lay(Path(shop.branch), {"scenarios/other.yaml": SCENARIO.format(title="A parcel comes back", state="asked")})
    status, out, err = carepolicy(capfd, "test", *option(shop))
    assert (status, "2 scenarios" in err) == (0, True), out + err
    status, out, err = carepolicy(capfd, "test", f"{shop.branch}/scenarios/other.yaml", *option(shop))
    assert (status, "1 scenario" in err) == (0, True), out + err


def test_a_file_of_a_layer_is_checked_with_all_layers(shop: Shop, capfd: pytest.CaptureFixture[str]) -> None:
    flow = Path(shop.branch, "flows/email_inquiry.yaml")
    flow.write_text(flow.read_text().replace("owner: packer", "owner: paker"))
    status, out, _ = carepolicy(capfd, "check", str(flow), *option(shop))
    assert status == 1
    assert out.startswith(f'{flow}:3:35: CP201 unknown role "paker"')


def test_only_the_file_of_a_layer_that_changed_is_read_again(shop: Shop) -> None:
    from datetime import date

    checked = Rechecked(shop.root)
    checked.check(date(2026, 3, 2))
    first = checked.policies
    assert first is not None
    file = checked.file(Path(shop.mystore, "flows/returns.yaml"))
    text = Path(file).read_text().replace("Take a parcel back", "Take it back")
    checked.check(date(2026, 3, 2), {file: text.encode()})
    again = checked.policies
    assert again is not None
    assert again.flows["returns"].title == "Take it back"
    assert again.flows["email_inquiry"] is first.flows["email_inquiry"]


def test_the_library_is_a_layer_and_can_be_copied(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    mine = lay(tmp_path / "mine", {"organisation.yaml": "organisation: My store\n"})
    policies = ("--policies", "library", "--policies", mine)
    assert carepolicy(capfd, "explain", "--value", "organisation", *policies)[1].startswith("organisation: My store\n")
    assert carepolicy(capfd, "init", "--from", "library", "own", "chronic_problem")[0] == 0
    assert sorted(each.stem for each in Path("own/flows").iterdir()) == ["chronic_problem"]
    status, out, _ = carepolicy(capfd, "check", "--policies", "own")
    assert status == 0, out
    assert carepolicy(capfd, "test", "--policies", "own")[0] == 0
    # One that takes up what is common, sends messages that end with another one, and raises what others hear.
    assert carepolicy(capfd, "init", "--from", "library", "more", "chargeback")[0] == 0
    status, out, _ = carepolicy(capfd, "check", "--policies", "more")
    assert status == 0, out
    assert "contact:" in Path("more/messages/en/house.yaml").read_text()
    status, _, err = carepolicy(capfd, "init", "--from", "library", "other", "chronic_problm")
    assert (status, 'did you mean "chronic_problem"?' in err) == (2, True)
    status, _, err = carepolicy(capfd, "init", "--from", "library", "own")
    assert (status, "already there" in err) == (2, True)


def test_null_in_the_lowest_layer_is_what_it_was(harbour: Path) -> None:
    organisation = yaml.safe_load((harbour / "organisation.yaml").read_text())
    organisation["glossary"] = None
    (harbour / "organisation.yaml").write_text(yaml.safe_dump(organisation))
    _, findings = load_policies(harbour)
    assert [each.code for each in findings] == ["CP112"]
