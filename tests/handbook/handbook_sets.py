"""Policy sets for the handbook's tests, written as files so that they pass the same reader as a manager's."""

from __future__ import annotations

import json
from functools import cache
from html.parser import HTMLParser
from pathlib import Path, PurePosixPath

from carepolicy.handbook import build
from carepolicy.policy.load import load_policies
from shops import LIBRARY, read_set

sample = read_set


@cache
def library_site(*languages, drawn=True):
    """The handbook of the library in some languages, built once."""
    return build(sample(LIBRARY), drawn=drawn, only=[*languages])


def set_of(folder, text, languages=("en", "fr")):
    """A small set in which every text that people read is ``text``, read from files in ``folder``."""
    said = json.dumps(text)
    files = {
        "organisation.yaml": f"""
organisation: {said}
timezone: Europe/London
languages: {list(languages)}
calendar: office
calendars:
  office:
    title: {said}
    hours: {{mon-fri: 09:00-17:00}}
    closed: [2026-08-03/2026-08-07, {{dates: 12-24/01-06, title: {said}}}]
    seasons: {{06-01/08-31: {{mon-fri: 08:00-15:00}}}}
roles:
  agent: {{title: {said}, calendar: office, people: [{said}], deputy: lead, authority: 20}}
  lead: {{title: {said}, calendar: office}}
channels:
  email: {{title: {said}, address: {said}, to: customer.email}}
facts:
  customer.email: {{type: text, private: true, title: {said}}}
  customer.vip: {{type: flag, default: false, title: {said}}}
settings: {{wait: 2 business days, word: {said}}}
glossary: {{{said}: {said}}}
""",
        "flows/care.yaml": f"""
flow: care
version: 3
title: {said}
purpose: {said}
owner: lead
steward: lead
based_on: {said}
synonyms: [{said}]
events:
  asked: {{title: {said}, by: customer, carries: {{optional: [customer.email, customer.vip]}}}}
  done: {{title: {said}, by: staff}}
  gone: {{title: {said}, by: customer}}
clocks:
  first:
    title: {said}
    promise: {said}
    limit: [{{when: customer.vip, is: 1 business hour}}, {{is: 3 business hours}}]
    runs_in: [waiting]
    never_pauses: {said}
    target: 90%
states:
  waiting:
    title: {said}
    start_on: asked
    owner: agent
    channel: email
    waits: customer
    steps: [{said}]
    say: {said}
    never: {said}
    ask: {said}
    note: {said}
    synonyms: [{said}]
    on:
      done:
        - {{when: customer.vip, answer: {said}, to: checking, send: hello, note: {said}}}
        - {{answer: {said}, to: closed, tell: {{role: lead, say: {said}}}}}
      first.late: {{to: checking, tell: lead, title: {said}}}
    after: {{settings.wait: closed}}
  checking: {{title: {said}, owner: lead, say: {said}, on: {{done: closed}}}}
  closed: {{title: {said}, final: resolved, note: {said}}}
anywhere: {{gone: {{to: closed, title: {said}}}}}
phases:
  open: {{title: {said}, states: [waiting, checking]}}
""",
        "scenarios/one.yaml": f"""
scenario: {said}
flow: care
steps:
  - {{at: 2026-03-06 15:30, event: asked, data: {{customer.email: {said}}}}}
  - expect: {{state: waiting, due: {{first: 2026-03-09 10:30}}}}
  - {{wait: 2 business days}}
  - expect: {{state: closed, outcome: resolved}}
""",
    }
    for language in languages:
        files[f"messages/{language}.yaml"] = f"""
language: {language}
messages:
  hello: {{subject: {said}, text: {said}}}
"""
    for name, content in files.items():
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    policies, findings = load_policies(folder)
    assert policies is not None, findings
    return policies


class Page(HTMLParser):
    """What a page holds: its tags in order, ids, links, and faults of nesting."""

    VOID = frozenset({"meta", "link", "br", "input", "hr", "img"})

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.ids, self.links, self.handlers, self.faults, self.scripts = [], [], [], [], [], []
        self.language, self.text, self.styles, self._open = "", [], [], []
        self.feed(text)
        self.close()
        self.faults += [f"{tag} is not closed" for tag in self._open]

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = dict(attrs)
        if tag == "html":
            self.language = given["lang"]
        if "id" in given:
            self.ids.append(given["id"])
        self.links += [given[name] for name in ("href", "xlink:href", "src") if given.get(name) is not None]
        self.handlers += [name for name in given if name.startswith("on")]
        if tag == "script":
            self.scripts.append(given.get("src"))
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.faults.append(f"</{tag}> closes another tag, line {self.getpos()[0]}")

    def handle_data(self, data):
        (self.styles if self._open and self._open[-1] == "style" else self.text).append(data)

    @property
    def words(self):
        """The page's text with single spaces."""
        return " ".join(" ".join(self.text).split())


def pages_of(site):
    """The parsed pages of a site by path."""
    return {name: Page(content.decode()) for name, content in site.files.items() if name.endswith(".html")}


def resolved(page, link):
    """The file and the anchor that a link of a page leads to."""
    address, _, anchor = link.partition("#")
    if not address:
        return page, anchor
    parts = []
    for part in (*PurePosixPath(page).parent.parts, *PurePosixPath(address).parts):
        if part == "..":
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts), anchor
