"""Logs in XES are read quickly where they are written as most are, and as lxml reads them wherever they are not."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from time import sleep
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carepolicy.audit import workers, xes
from carepolicy.audit.figures import as_object
from carepolicy.audit.mapping import Mapper, known_to
from carepolicy.audit.replay import Replay, columns_for
from carepolicy.audit.tables import LogFault
from carepolicy.audit.xes import Traces
from carepolicy.checks.mappings import read_mapping
from carepolicy.cores import can_fork
from carepolicy.machine.compiler import compile_policies
from carepolicy.policy.load import load_policies
from commands import run
from laws import examples
from stories import often
from traces_read import BEGIN, WANTED, as_lxml_reads, read

HELPDESK = Path(__file__).parents[2] / "examples" / "helpdesk"

PLAIN = (
    '<string key="concept:name" value="Written"/>',
    '<date key="time:timestamp" value="2024-03-04T10:00:00+01:00" />',
    '\n\t<string key="level" value="gold"/>',
    '<string key="level" value=""/>',
    '<string key="note" value="paid &amp; sent to J. O\'Neil, Köln"/>',
    '<float key="cost" value="1.5"/>',
)
ODD = (
    '<string value="Taken" key="concept:name"/>',
    "<string key='level' value='silver'/>",
    '<string key = "level" value="a&#98;c"/>',
    '<string key="level" value=" two\nlines\t"/>',
    '<string key="&#108;evel" value="by number"/>',
    '<string key="level" value="outer"><string key="level" value="inner"/></string>',
    '<list key="all"><values><string key="level" value="listed"/></values></list>',
    '<string key="level" value="a>b"/>',
    '<string key="note" value=\'key=&quot;level&quot; value="x"/>\'/>',
    '<!-- <event> </trace> <trace> --><string key="level" value="after a comment"/>',
    "<![CDATA[</trace>]]>",
    "<?say </trace>?>",
    "some words",
    '<xes:string xmlns:xes="http://www.xes-standard.org/" key="level" value="with a prefix"/>',
)
NO_XML = (
    '<string key="level" value="a<b"/>', '<string key="level" value="a&b"/>', '<string key="note" value="&nothing;"/>',
    '<string key="level" key="level" value="twice"/>', '<string key="note" value=none/>', "<string>", "</event>",
    '<string key="note" value="\x01"/>', "</log>",
)  # fmt: skip
PREFIXED = '<x:trace xmlns:x="urn:x"><string key="concept:name" value="T-3"/><x:event/><event/></x:trace>'
AFTER = ("", PREFIXED, "\n", '<string key="concept:name" value="T-9"/>', "<!-- </trace> -->", "<trace/>")

events = st.builds(
    lambda parts, begin: f"{begin}{''.join(parts)}</event>\n",
    st.lists(st.sampled_from(PLAIN) | st.sampled_from(PLAIN + ODD), max_size=5),
    st.sampled_from(("<event>", "<event>", "<event>\n", "<event >", '<event id="1">')),
)
names = st.integers(1, 4).map(lambda number: f'<string key="concept:name" value="T-{number}"/>')
traces = st.builds(
    lambda before, begin, attributes, within, after: (
        f"{before}{begin}{''.join(attributes)}{''.join(within)}{after}</trace>\n"
    ),
    st.just("") | st.sampled_from(("", PREFIXED, "<string key='a' value='b'/>")),
    st.sampled_from(("<trace>", "<trace>\n", "\n\t<trace>", "<trace >")),
    st.lists(names | st.sampled_from(PLAIN + ODD[:4]), max_size=3),
    st.lists(events, max_size=3),
    st.sampled_from(AFTER) | st.just(""),
)
logs = st.builds(
    lambda begin, within, end: f"{begin}{''.join(within)}{end}",
    st.sampled_from(
        (
            BEGIN,
            f"\ufeff{BEGIN}",
            BEGIN.replace(' encoding="UTF-8"', ""),
            f'{BEGIN}<!-- <trace> --><string key="concept:name" value="log"/>',
            f"{BEGIN}<global scope='trace'>",
            f"{BEGIN}{PREFIXED}",
            BEGIN.replace("<log", '<!DOCTYPE log [<!ENTITY nothing "x">]>\n<log'),
        )
    )
    | st.just(BEGIN),
    st.lists(traces | st.builds(lambda text, bad: text.replace("</event>", f"{bad}</event>", 1), traces,
                                st.sampled_from(NO_XML)), max_size=5)
    | st.lists(traces, max_size=8),
    st.sampled_from(("</log>", "</log>\n<!-- end -->\n", "", "</lo", "<string/></log>")) | st.just("</log>"),
)  # fmt: skip


@settings(max_examples=examples(250))
@given(logs)
def test_a_log_is_read_as_lxml_reads_it_however_it_is_written(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("law") / "log.xes"
    path.write_text(text)
    quick, slow = read(path), as_lxml_reads(path)
    assert quick == slow or (type(quick) is type(slow) is str)  # of several faults another may be met first


@settings(max_examples=examples(60))
@given(logs, st.integers(1, 40))
def test_a_log_is_read_the_same_however_much_is_read_at_a_time(tmp_path_factory, text, size):
    path = tmp_path_factory.mktemp("law") / "log.xes"
    path.write_text(text)
    whole = read(path)
    with mock.patch.object(xes, "BLOCK", size):
        assert read(path) == whole or type(read(path)) is type(whole) is str


@settings(max_examples=examples(60))
@given(logs)
def test_parts_of_a_log_have_each_trace_once_with_the_numbers_of_the_whole(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("law") / "log.xes"
    path.write_text(text)
    whole, parts = read(path), [read(path, (number, 3)) for number in range(3)]
    if isinstance(whole, str):
        assert str in map(type, parts)
    else:
        key = str
        assert sorted((group for found, _ in parts for group in found), key=key) == sorted(whole[0], key=key)
        assert sum(repeated for _, repeated in parts) == whole[1]


@settings(max_examples=examples(60))
@given(logs)
def test_a_log_that_is_read_once_is_the_same_or_is_told_to_have_traces_of_one_name(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("law") / "log.xes"
    path.write_text(text)
    surely = read(path)
    with Traces([str(path)], sure=False) as log:
        try:
            found = [*log.groups("concept:name", WANTED)]
        except LogFault:
            assert isinstance(surely, str)
        except xes.Unsure:
            assert surely[1] > 0
        else:
            assert surely == (found, 0)


def in_stretches(path, of):
    """What is read of a log in so many stretches, with the numbers of the whole; None where that cannot be said."""
    found, before, sums = [], 0, []
    for number in range(of):
        with Traces([str(path)], part=(number, of), sure=False, stretches=True) as log:
            for name, rows in log.groups("concept:name", WANTED):
                found.append((name, [(row[0] + before, *row[1:]) for row in rows]))
        before += log.number
        sums.append(log.sums)
    return None if xes.one_comes_twice(sums) else found


@settings(max_examples=examples(100))
@given(logs, st.integers(1, 4), st.integers(1, 400))
def test_stretches_of_a_log_are_the_log_or_it_is_said_that_they_cannot_be_told(tmp_path_factory, text, of, size):
    path = tmp_path_factory.mktemp("law") / "log.xes"
    path.write_text(text)
    surely = read(path)
    with mock.patch.object(xes, "BLOCK", size):
        try:
            found = in_stretches(path, of)
        except xes.Unsure:
            return
    if isinstance(surely, str):
        assert "no trace" in surely  # what holds none is told by who reads it surely
    elif found is None:
        assert surely[1] > 0
    else:
        assert surely == (found, 0)


def test_a_plain_log_is_read_in_stretches(tmp_path):
    path = tmp_path / "log.xes"
    event = f"<event>{PLAIN[0]}{PLAIN[4]}</event>\n"
    names = [f'<string key="concept:name" value="T-{number}"/>' for number in range(50)]
    path.write_text(BEGIN + "".join(f"<trace>{each}{event * 3}</trace>\n" for each in names) + "</log>\n")
    assert in_stretches(path, 3) == read(path)[0]
    twice = tmp_path / "twice.xes"
    twice.write_text(path.read_text().replace("T-49", "T-3"))
    assert in_stretches(twice, 3) is None


def test_a_trace_in_a_comment_is_none_where_a_stretch_begins_in_it(tmp_path):
    path = tmp_path / "log.xes"
    trace = '<trace><string key="concept:name" value="T-{}"/><event></event></trace>\n'
    path.write_text(f"{BEGIN}{trace.format(1)}<!-- {trace.format(2) * 20} -->{trace.format(3)}</log>")
    with pytest.raises(xes.Unsure):
        in_stretches(path, 2)
    assert [name for name, _ in read(path)[0]] == ["T-1", "T-3"]


def test_a_name_that_comes_again_is_noticed_long_before_the_end(tmp_path):
    path = tmp_path / "log.xes"
    names = [f'<trace><string key="concept:name" value="T-{number // 2}"/></trace>' for number in range(40)]
    path.write_text(f"{BEGIN}{''.join(names)}</log>")
    given = []
    with mock.patch.object(xes, "NAMES_AT_A_TIME", 8), Traces([str(path)], sure=False) as log:
        groups = log.groups("concept:name", WANTED)
        with pytest.raises(xes.Unsure):
            given.extend(groups)
    assert len(given) < 10


def test_most_of_a_log_is_read_quickly(tmp_path):
    event = "<event>" + "".join(PLAIN[:3] + PLAIN[4:]) + "</event>"
    path = tmp_path / "log.xes.gz"
    text = BEGIN + "".join(f"<trace>{PLAIN[0].replace('Written', f'T-{number}')}{event}</trace>" for number in range(9))
    path.write_bytes(gzip.compress(f"{text}</log>".encode()))
    with (
        mock.patch.object(xes._Log, "_single", side_effect=AssertionError),
        mock.patch.object(xes._Log, "traces", side_effect=AssertionError),
    ):
        found, _ = read(path)
    assert found[3] == ("T-3", [(4, None, "2024-03-04T10:00:00+01:00", "Written", None, "gold")])


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.99])
def test_a_log_that_is_cut_short_is_told_with_the_line_at_which_it_ends(tmp_path, cut):
    event = "<event>\n" + "\n".join(PLAIN) + "</event>\n"
    text = BEGIN + "".join(f"<trace>\n{PLAIN[0]}\n{event}{event}</trace>\n" for _ in range(20)) + "</log>"
    path = tmp_path / "log.xes"
    path.write_text(text[: int(len(text) * cut)])
    told = read(path)
    assert f"line {path.read_text().count(chr(10)) + 1}," in told
    assert told == as_lxml_reads(path)


@pytest.mark.parametrize("names", [50, 60])
def test_several_processes_count_what_one_counts_of_traces_torn_or_not(tmp_path, names):
    path, mapping = tmp_path / "log.xes", tmp_path / "m.yaml"
    traces = []
    for number in range(60):
        events = "".join(
            f'<event><string key="concept:name" value="{what}"/>'
            f'<date key="time:timestamp" value="2024-03-{number % 28 + 1:02}T{hour + number % 3}:00:00+01:00"/></event>'
            for what, hour in (("Written", 10), ("Taken", 15 + number % 5), ("Lost" if number < 55 else "Gone", 20))
        )
        traces.append(f'<trace><string key="concept:name" value="T-{number % names}"/>{events}</trace>')
    path.write_text(f"{BEGIN}{''.join(traces)}{'<trace/>' if names == 50 else ''}</log>")
    mapping.write_text(
        "mapping: m\nflow: helpdesk_ticket\nreads: {format: xes}\nsubject: 'concept:name'\ntime: 'time:timestamp'\n"
        "event: {column: 'concept:name', values: {Written: ticket_inserted, Taken: taken_in_charge}}\n"
    )
    asked = ("audit", str(path), "--policies", str(HELPDESK), "--map", str(mapping), "--format", "json")
    one, two = run(*asked), run(*asked, "--workers", "2")
    assert (one.returncode, two.returncode) == (0, 0), two.stderr
    assert json.loads(two.stdout) == json.loads(one.stdout)
    assert json.loads(one.stdout)["rejected"] == 60
    assert json.loads(one.stdout)["flows"]["helpdesk_ticket"]["cases"] >= 50
    assert two.stderr == one.stderr
    assert ("10 traces" in one.stderr) == (names == 50)
    told = [run(*asked[:-2], *more).stdout for more in ((), ("--workers", "2"))]
    assert told[0] == told[1]
    assert "first in row 168" in told[0]


@pytest.mark.skipif(not can_fork(), reason="processes are started anew here, and know nothing of this test")
def test_where_one_process_of_an_audit_cannot_go_on_nobody_waits_for_the_others(tmp_path, monkeypatch):
    to_the_end = tmp_path / "to the end"

    def part(share, *rest):
        if share.number == 0:
            raise LogFault("the first cannot go on")
        sleep(20)  # as long as a large log takes
        to_the_end.touch()
        raise LogFault("the second has read all")

    log = tmp_path / "log.xes"
    log.write_text(f"{BEGIN}</log>")
    monkeypatch.setattr(workers, "_part", part)
    policies, _ = load_policies(HELPDESK)
    with pytest.raises(LogFault, match="the first"):
        workers.shared_replay(compile_policies(policies), [str(log)], "xes", None, (), None, 2)
    assert not to_the_end.exists()


FLOW = """
flow: loan
version: 1
title: Loan
purpose: A test.
owner: clerk
events:
  asked: {title: It is asked for, by: customer, carries: {optional: [loan.amount, loan.kind]}}
  checked: {title: It is checked, by: staff}
  decided: {title: It is decided, by: staff, carries: {optional: [loan.kind, loan.note]}}
clocks:
  answer: {title: Answer, promise: "We answer within {limit}.", limit: 2 hours, runs_in: [open, ready]}
states:
  open: {title: Open, start_on: asked, owner: clerk, on: {checked: ready, decided: done}}
  ready: {title: Ready, owner: clerk, on: {decided: done}}
  done: {title: Done, final: decided}
"""
ORGANISATION = """
organisation: Bank
timezone: Europe/Berlin
roles: {clerk: {title: Clerk}}
calendars: {office: {hours: {mon-fri: "09:00-17:00"}}}
facts:
  loan.amount: {type: money, title: Amount}
  loan.kind: {type: choice, of: [small, big], title: Kind}
  loan.note: {type: text, title: Note}
"""
MAPPING = """
mapping: m
flow: loan
reads: {format: xes}
subject: "concept:name"
event: {column: "concept:name", values: {Asked: asked, Checked: checked, Decided: decided}}
facts: {loan.amount: {column: amount}, loan.kind: {column: "case:kind"}, loan.note: {column: note}}
"""
MOMENTS = (
    "2024-03-04T10:00:00+01:00", "2024-03-04T10:30:00.000+00:00", "2024-03-04T11:00:00.25Z", "2024-03-04T12:00:00Z",
    "2024-03-04 13:00:00+00:00", "2024-03-04T14:00:00", "2024-03-04T15:00:00.123456+00:00", "2024-03-04", "noon", "",
)  # fmt: skip
IN_TURN = tuple(f"2024-03-04T1{{}}:00:{rest}" for rest in ("00+00:00", "01.000+00:00", "02Z", "03.25Z", "04+00:30"))
seldom = st.integers(0, 19).map(lambda number: number == 0)
told = st.tuples(
    st.sampled_from(("Asked", "Checked", "Decided")) | st.sampled_from(("Asked", "Lost", "")),
    st.builds(lambda odd, plain, other: other if odd else plain, seldom, st.sampled_from(IN_TURN),
              st.sampled_from(MOMENTS)),
    st.lists(
        st.sampled_from(
            (("amount", "1.50"), ("amount", "1.5"), ("amount", "many"), ("amount", ""), ("note", "4111 1111 1111 1111"),
             ("note", "paid"), ("note", "not paid"), ("kind", "big"))
        ),
        max_size=3,
    ),
)  # fmt: skip
cases = st.lists(
    st.tuples(
        st.sampled_from(("small", "big", "odd", "")),
        st.sampled_from(("T", "T", "T", "", "4111 1111 1111 1111")),
        st.lists(told, max_size=6),
    ),
    min_size=1,
    max_size=6,
)


def event_of(place, what, when, facts):
    attributes = "".join(f'<string key="{key}" value="{value}"/>' for key, value in facts)
    date = f'<date key="time:timestamp" value="{when.format(place)}"/>'
    return f'<event><string key="concept:name" value="{what}"/>{date}{attributes}</event>'


@settings(max_examples=examples(150))
@given(cases)
def test_what_goes_in_columns_goes_as_what_goes_row_by_row(loans, cases):
    path = loans.folder / "log.xes"
    path.write_text(
        BEGIN
        + "".join(
            f'<trace><string key="concept:name" value="{name and f"{name}-{number}"}"/>'
            + (f'<string key="kind" value="{kind}"/>' if kind else "")
            + "".join(event_of(place, *each) for place, each in enumerate(events))
            + "</trace>"
            for number, (kind, name, events) in enumerate(cases)
        )
        + "</log>"
    )
    quick, slow = loans.audited(path), loans.audited(path, row_by_row=True)
    assert quick == slow
    for times in (-1, 1, 3):
        with often(times):
            figures, texts = loans.counted(path)
        assert figures == slow[0]
        assert texts <= {(when, key) for _, _, _, _, when, _, key, *_ in slow[2]}


def test_who_only_counts_is_told_texts_and_ids_of_the_few_that_somebody_asks_for(loans):
    path = loans.folder / "log.xes"
    moments = [IN_TURN[place].format(place) for place in range(4)]
    plain = "".join(event_of(*each, ()) for each in zip((0, 1), ("Asked", "Decided"), moments, strict=False))
    odd = "".join(event_of(*each, ()) for each in zip(range(4), ("Asked", "Asked", "Checked"), moments, strict=False))
    names = "".join(
        f'<trace><string key="concept:name" value="{name}"/>{events}</trace>'
        for name, events in (("T-1", plain), ("T-2", odd), ("T-3", plain))
    )
    path.write_text(f"{BEGIN}{names}</log>")
    figures, texts = loans.counted(path)
    asked, decided, again, checked = "T-1/1/asked", "T-1/2/decided", "T-2/4/asked", "T-2/5/checked"
    assert {key for _, key in texts} == {asked, decided, again, checked}  # the first of each type, and what is odd
    assert ("2024-03-04T11:00:01+00:00", again) in texts
    assert figures == loans.audited(path, row_by_row=True)[0]


def test_a_log_with_facts_that_wait_goes_in_columns(loans):
    path = loans.folder / "log.xes"
    facts = (("amount", "1.50"), ("note", "paid")), (("amount", "1.5"),), (("amount", "1.5"), ("note", "not paid"))
    events = "".join(
        event_of(place, what, IN_TURN[place], each)
        for place, (what, each) in enumerate(zip(("Asked", "Checked", "Decided"), facts, strict=True))
    )
    path.write_text(f'{BEGIN}<trace><string key="concept:name" value="T-1"/>{events}</trace></log>')
    with mock.patch.object(Mapper, "events", side_effect=AssertionError):
        _, _, told = loans.audited(path)
    assert [data for *_, data, _, _ in told] == [[("loan.amount", Decimal("1.50"))], [], [("loan.note", "not paid")]]
    assert told == loans.audited(path, row_by_row=True)[2]


def test_a_move_that_is_written_out_tells_of_lateness_when_it_was_though_it_is_given_no_text(loans):
    path = loans.folder / "log.xes"
    events = (0, "Asked", "2024-03-04T10:00:00Z", ()), (1, "Decided", "2024-03-04T15:00:00Z", ())
    traces = (
        f'<trace><string key="concept:name" value="T-{number}"/>{"".join(event_of(*each) for each in events)}</trace>'
        for number in range(4)
    )
    path.write_text(f"{BEGIN}{''.join(traces)}</log>")
    with often(1):
        figures, _ = loans.counted(path)
    assert figures["flows"]["loan"]["clocks"]["answer"]["late"] == 4
    assert figures == loans.audited(path, row_by_row=True)[0]


class Loans:
    """A small set, and what audits of logs by its mapping come to."""

    def __init__(self, folder):
        self.folder = folder
        for name, text in (("organisation", ORGANISATION), ("flows/loan", FLOW), ("mappings/m", MAPPING)):
            file = folder / f"{name}.yaml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(text.lstrip())
        policies, findings = load_policies(str(folder))
        assert policies is not None, findings
        self.bundle = compile_policies(policies)
        self.mapping, _ = read_mapping(str(folder / "mappings" / "m.yaml"), known_to(self.bundle))
        assert self.mapping is not None

    def audited(self, path, row_by_row=False):
        mapper = Mapper(self.mapping, self.bundle, "xes")
        lines, events = [], []
        replay = Replay(self.bundle, heard=lambda record: lines.append(record.as_dict()))
        flush = replay.flush

        def noted():
            events.extend((*row[:7], [*row[7].items()], *row[8:]) for row in replay._rows)
            flush()

        with Traces([str(path)]) as log, mock.patch.object(replay, "flush", noted):
            if row_by_row:
                groups = log.groups("concept:name", columns_for(mapper, log))
                mapper.tells_plainly = False
                replay.take_groups(groups, mapper, False)
                replay.note_read(log, mapper)
            else:
                replay.take_mapped(log, mapper)
                assert mapper.tells_plainly
            replay.finish()
        return as_object(replay), lines, events

    def counted(self, path):
        """The figures of an audit that only counts, and the texts of times and ids of events that went the long way."""
        mapper = Mapper(self.mapping, self.bundle, "xes")
        replay = Replay(self.bundle)
        hear, events = replay.measures.hear, []

        def heard(record):
            assert record.when, record
            hear(record)

        with mock.patch.object(replay.measures, "hear", heard):
            run = replay.running()
        give = run.give_to

        def noted(level, event):
            events.append(event)
            give(level, event)

        with Traces([str(path)]) as log, mock.patch.object(run, "give_to", noted):
            replay.take_mapped(log, mapper)
            replay.finish()
        return as_object(replay), {(each.when, each.id) for each in events}


@pytest.fixture(scope="module")
def loans(tmp_path_factory):
    return Loans(tmp_path_factory.mktemp("loans"))
