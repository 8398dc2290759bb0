"""Traces of XES are read many at a time, whatever stands between them, and as lxml reads them: ``odd_traces.yaml`` says
how many at once."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import mock

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.audit import traceforms, xes
from laws import examples
from traces_read import BEGIN, as_lxml_reads
from traces_read import read as read_log

CASES = yaml.safe_load(Path(__file__).with_name("odd_traces.yaml").read_text())["cases"]
EVENTS = {
    "p": "np", "a": "np", "o": "npo", "c": "np", "e": "", "l": "npl", "k": "npk", "r": "pn", "m": "nplk", "w": "npkl",
    "i": "npi", "d": "npll",
}  # fmt: skip
"""The attributes of an event of each kind of trace."""
ATTRIBUTES = {
    "n": '\n\t\t\t<string key="concept:name" value="step {}"/>',
    "p": '\n\t\t\t<date key="time:timestamp" value="2024-03-04T10:00:0{}+01:00"/>',
    "l": '\n\t\t\t<string key="level" value="gold {}"/>',
    "k": '\n\t\t\t<string key="kind" value="sort &amp; size {}"/>',
    "o": "\n\t\t\t<string key='level' value='odd {}'/>",
    "b": '\n\t\t\t<string key="level" value="&#97;{}"/>',
    "x": '\n\t\t\t<string key="note" value="a<{}"/>',
    "y": '\n\t\t\t<string key="note" value="\x01{}"/>',
    "z": '\n\t\t\t<string key="level" value="a\tb{}"/>',
    "i": '\n\t\t\t<int key="level" value="{}"/>',
}


def event(attributes, number=1):
    within = "".join(ATTRIBUTES[each].format(number) for each in attributes)
    return f"\n\t\t<event>{within}\n\t\t</event>"


def trace(kind, name):
    own = '\n\t\t<string key="level" value="own"/>' if kind == "a" else ""
    events = "".join(event(EVENTS[kind], number) for number in (1, 2)) if EVENTS[kind] else ""
    before = "<!-- <trace> -->" if kind == "c" else ""
    return f'{before}<trace>\n\t\t<string key="concept:name" value="{name}"/>{own}{events}\n\t</trace>\n'


def blocks_of(traces):
    number = 100
    for block in traces.split():
        texts = []
        for kind, name in re.findall(r"([a-z])(\d?)", block):
            number += 1
            texts.append(trace(kind, f"T-{name or number}"))
        yield "".join(texts)


class Watched:
    """What is read at once while a log of some blocks is read, and by what."""

    def __init__(self, blocks):
        self.text = f"{BEGIN}{''.join(blocks)}</log>"
        self.once, self.forms, self.alone, self.rest = [], {}, 0, 0
        sizes = [len(each.encode()) for each in blocks]
        self.sizes = [sizes[0] - len(BEGIN), *sizes[1:]]  # reading has begun with as much as what stands before
        self.left = {}

    def read(self, path, long=0):
        """The groups of the log, in its blocks, each of which is long enough for its shapes to be looked at."""
        path.write_text(self.text)
        read, split, single = traceforms.Wanted.read, traceforms._Form.split, xes._Log._single
        blocks, slowly = xes._Log.blocks, xes._Log.traces

        def noted_blocks(log, wanted):
            self.alone = self.rest = 0  # names were read before
            return blocks(log, wanted)

        def noted_read(wanted, *asked):
            block, left = read(wanted, *asked)
            if block is not None:
                self.once.append(len(block.names))
            return block, left

        def noted_split(form, text):
            between, columns = split(form, text)
            self.forms[form] = self.forms.get(form, 0) + len(columns[0])
            return between, columns

        def noted_single(log, text):
            found = single(log, text)
            self.alone += found is not None
            return found

        def noted_rest(log, *asked):
            for each in slowly(log, *asked):
                self.rest += 1
                yield each

        def a_block(log, most):
            sizes = self.left.setdefault(log, [*self.sizes])
            return log._file.read(sizes.pop(0) if sizes else most)

        with (
            mock.patch.object(xes, "BLOCK", len(BEGIN)),
            mock.patch.object(traceforms, "LONG", long),
            mock.patch.object(traceforms.Wanted, "read", noted_read),
            mock.patch.object(traceforms._Form, "split", noted_split),
            mock.patch.object(xes._Log, "blocks", noted_blocks),
            mock.patch.object(xes._Log, "_single", noted_single),
            mock.patch.object(xes._Log, "traces", noted_rest),
            mock.patch.object(xes._Log, "_next", a_block),
        ):
            return read_log(path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_so_many_traces_are_read_at_once(tmp_path, case):
    path = tmp_path / "log.xes"
    watched = Watched([*blocks_of(case["traces"])])
    found = watched.read(path)
    assert found == as_lxml_reads(path)
    assert found[1] == case.get("repeated", 0)
    assert all(rows == sorted(rows) for _, rows in found[0])
    of_names = [group[0] for group in found[0]]
    assert len(of_names) == len(set(of_names)) == len(re.findall("[a-z]", case["traces"])) - found[1]
    told = {"once": watched.once, "alone": watched.alone, "rest": watched.rest, "forms": [*watched.forms.values()]}
    wanted = {"alone": 0, "rest": 0, **case}
    assert told == {key: wanted.get(key, told[key]) for key in told}


def test_a_short_log_is_not_looked_at_for_its_shapes(tmp_path):
    watched = Watched([*blocks_of("ppp ppp ppp")])
    watched.read(tmp_path / "log.xes", long=len(trace("p", "T-101")) * 3 + 20)
    assert len(watched.forms) == 1


def test_a_trace_that_is_cut_by_the_end_of_a_block_is_read_with_the_next(tmp_path):
    texts = [*blocks_of("pppp lplp klmp")]
    for cut in range(20, len(texts[1]), 7):
        watched = Watched([texts[0], texts[1][:cut], texts[1][cut:], texts[2]])
        assert watched.read(tmp_path / "log.xes") == as_lxml_reads(tmp_path / "log.xes")
        whole = texts[1][:cut].count("</trace>")
        assert watched.once == [4, *([whole] if whole else []), *([4 - whole] if whole < 4 else []), 4]
        assert (watched.alone, watched.rest) == (0, 0)


shapes = st.sampled_from(("np", "npl", "npi", "npk", "nplk", "pn", "", "p", "npll"))
steady = st.lists(shapes, min_size=1, max_size=3, unique=True).flatmap(
    lambda usual: st.lists(
        st.lists(
            st.sampled_from(usual) | st.sampled_from(usual) | st.text("npolkbxyzi", max_size=5), min_size=1, max_size=4
        ),
        min_size=1,
        max_size=12,
    )
)


@settings(max_examples=examples(250))
@given(steady, st.integers(1, 900), st.sampled_from((1, 1_000)))
def test_events_of_a_few_shapes_are_read_as_lxml_reads_them(tmp_path_factory, traces, size, seldom):
    path = tmp_path_factory.mktemp("law") / "log.xes"
    texts = [
        f'<trace>\n\t\t<string key="concept:name" value="T-{number}"/>{"".join(map(event, events))}\n\t</trace>\n'
        for number, events in enumerate(traces)
    ]
    path.write_text(f"{BEGIN}{''.join(texts)}</log>")
    with (
        mock.patch.object(xes, "BLOCK", size),
        mock.patch.object(traceforms, "LONG", 0),
        mock.patch.object(traceforms, "SELDOM", seldom),
    ):
        quick = read_log(path)
    slow = as_lxml_reads(path)
    assert quick == slow or (type(quick) is type(slow) is str)
