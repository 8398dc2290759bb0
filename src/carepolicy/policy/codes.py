"""Codes of what may be wrong with the text and the shape of policy files; ``carepolicy explain`` says more."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A code's page: what it means, a piece of a file that gets it, and one that does not."""

    title: str
    meaning: str
    bad: str
    good: str


_STATES = "states:\n  received:\n    start_on: email_received\n"

CODES: dict[str, Code] = {
    "CP101": Code(
        "file is not UTF-8",
        "Policy files are text in the encoding UTF-8. This one has a byte that means nothing there, or a control "
        "character; it was probably saved by an editor with another encoding. Save it as UTF-8.",
        "title: Rückgabe   # saved as Latin-1\n",
        "title: Rückgabe   # saved as UTF-8\n",
    ),
    "CP102": Code(
        "tab before a line's text",
        "What belongs together in YAML is shown by how far lines are indented, and tabs are as wide as each editor "
        "likes. Use spaces, two for each level.",
        "states:\n\treceived: {title: Received}\n",
        "states:\n  received: {title: Received}\n",
    ),
    "CP103": Code(
        "text is no YAML",
        "The file cannot be read as YAML, so nothing else in it was looked at. Mostly a colon, quote or bracket is "
        "missing, a line is indented unlike those it belongs to, or a text with a colon in it has no quotes.",
        _STATES + "    say: Please note: we open at nine\n",
        _STATES + '    say: "Please note: we open at nine"\n',
    ),
    "CP104": Code(
        "key stands twice",
        "A mapping has one value for each key. YAML readers silently keep the last of two, so that a rule that "
        "someone wrote would be lost; here it is an error.",
        _STATES + "    title: Received\n    title: Waits for an answer\n",
        _STATES + "    title: Waits for an answer\n",
    ),
    "CP105": Code(
        "tag, anchor or alias",
        "Tags (!x), anchors (&x), aliases (*x) and merges (<<) make a file mean something other than what stands "
        "there. Write values out, and put quotes around a text that begins with one of these signs.",
        _STATES + "    note: !important Apologise first.\n",
        _STATES + '    note: "!important Apologise first."\n',
    ),
    "CP106": Code(
        "file is too large",
        "A policy file has some kilobytes; above 5 MB it is not read at all. Give each flow a file of its own, and "
        "keep logs and data out of the policy folder.",
        "",
        "",
    ),
    "CP107": Code(
        "nested too deeply",
        "Lists and mappings stand in each other more than 40 levels deep. The language itself needs nine.",
        "purpose: " + "[" * 45 + "]" * 45 + "\n" + _STATES,
        "purpose: Every e-mail gets an answer.\n" + _STATES,
    ),
    "CP110": Code(
        "unknown key",
        "This key means nothing here. Mostly it is misspelt, or indented too far or not far enough.",
        _STATES + "    onwer: care_agent\n",
        _STATES + "    owner: care_agent\n",
    ),
    "CP111": Code(
        "key is missing",
        "Something that cannot be guessed is not said: a flow's version, a clock's limit, whom to tell.",
        "clocks:\n  first_reply: {runs_in: [received]}\n" + _STATES,
        "clocks:\n  first_reply: {runs_in: [received], limit: 3 business hours}\n" + _STATES,
    ),
    "CP112": Code(
        "value of the wrong kind",
        "A list, mapping, number or text stands where something else is expected, or a value is missing. A text with "
        "a colon in it, or that begins with a bracket, needs quotes around it.",
        _STATES + "    steps: [Check: the order]\n",
        _STATES + '    steps: ["Check: the order"]\n',
    ),
    "CP113": Code(
        "name is not written as names are",
        "Names of flows, states, events, clocks, roles and templates are written in small letters, digits and "
        "underscores; names of facts have dots as well. Titles are for people and may be anything.",
        "states:\n  Waiting-For-Customer: {title: Waiting for the customer}\n",
        "states:\n  waiting_for_customer: {title: Waiting for the customer}\n",
    ),
    "CP114": Code(
        "hours, weekday or date that cannot be",
        "Hours are written like 09:00-12:30, weekdays like mon or mon-thu, dates like 2026-12-24, and ranges of dates "
        "like 2026-08-03/2026-08-07. Each weekday gets its hours once, and they do not overlap.",
        "calendars:\n  office:\n    hours: {mon-fri: 9-17}\n    closed: [2026-02-30]\n",
        "calendars:\n  office:\n    hours: {mon-fri: 09:00-17:00}\n    closed: [2026-02-28]\n",
    ),
    "CP115": Code(
        "file is missing, unreadable or in the wrong place",
        "A policy folder has organisation.yaml, flows in flows/NAME.yaml named for the flow, and messages in "
        "messages/LANGUAGE.yaml. A file that would be overlooked, cannot be read or is named for something else is "
        "an error, so that no rule is lost without a word.",
        "# flows/complaint.yaml\nflow: complaints\n",
        "# flows/complaint.yaml\nflow: complaint\n",
    ),
    "CP290": Code(
        "unknown requirement",
        "covers: names a requirement by its id, and no file of requirements has it; told by `carepolicy coverage`.",
        "# requirements.yaml has R49\nscenario: An answer in time\ncovers: [R94]\n",
        "# requirements.yaml has R49\nscenario: An answer in time\ncovers: [R49]\n",
    ),
    "CP295": Code(
        "mapping of a log does not fit the policies",
        "A mapping says which columns of a log are which events and facts. This one names an event, a fact or a value "
        "that the policies do not have, or does not say what happened or when.",
        "mapping: helpdesk\nsubject: ticket\ntime: when\nevent: {column: activity, values: {Closed: ticket_clsed}}\n",
        "mapping: helpdesk\nsubject: ticket\ntime: when\nevent: {column: activity, values: {Closed: ticket_closed}}\n",
    ),
    "CP296": Code(
        "staff file does not fit the policies",
        "A staff file says who works in which role, how long work takes and which way cases go. This one names a role, "
        "a flow, a state, an event or a value that the policies do not have, shares that do not add up, or a length "
        "of time that is none.",
        "roles: {care_agnt: {people: 3}}\nwork: {email_inquiry: 12 minutes}\n",
        "roles: {care_agent: {people: 3}}\nwork: {email_inquiry: 12 minutes}\n",
    ),
    "CP116": Code(
        "two flows, or two messages, of one name",
        "Events, openings and records name a flow, and flows a message; two files give the same name to theirs.",
        "# flows/complaint.yaml and flows/complaint_new.yaml\nflow: complaint\n",
        "# flows/complaint_new.yaml\nflow: complaint_new\n",
    ),
    "CP120": Code(
        "layers do not fit over each other",
        "A set of several layers names each of its folders once. In an upper layer NAME+ adds to a list that stands "
        "below, and to nothing else; NAME= puts a whole value in the place of the one below.",
        "# mystore/organisation.yaml\nroles:\n  care_agent+: {people: [Dana]}\n",
        "# mystore/organisation.yaml\nroles:\n  care_agent: {people+: [Dana]}\n",
    ),
    "CP121": Code(
        "layer changes what is not there",
        "An upper layer may say one value of a clock, a role or a flow where a layer below has the rest. Here none has "
        "it: the name is misspelt, or the rest is missing.",
        "# mystore/flows/email_inquiry.yaml\nclocks:\n  frst_reply: {limit: 4 business hours}\n",
        "# mystore/flows/email_inquiry.yaml\nclocks:\n  first_reply: {limit: 4 business hours}\n",
    ),
}
