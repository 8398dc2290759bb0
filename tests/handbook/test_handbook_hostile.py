"""A policy's texts are data: whatever stands in a field, pages and the search index hold no markup of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import handbook_sets as sets
import pytest

from carepolicy.charts.changes import compare
from carepolicy.handbook import build
from carepolicy.handbook.comparison import page_of

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of script": "x</script><img src=x onerror=alert(1)>",
    "attribute": '" onmouseover="alert(1)" x=\'',
    "link": "javascript:alert(1)",
    "comment": "<!-- /chart --> --> <!-- chart -->",
    "template": "{{ 7 * 7 }} {% raw %} ${7*7}",
    "records": '},{"t":"x"} \u2028\u2029 \\',
    "svg": "<svg onload=alert(1)><a xlink:href='javascript:alert(1)'>x</a></svg>",
    "rtl": "שלום \u202e <b>x</b>",
}
TAGS = frozenset(
    re.findall(
        r"\w+",
        """
        html head meta title link style script body a header nav p span ul ol li main h1 h2 h3 h4 search form label
        input noscript section div table thead tbody tr th td abbr dl dt dd footer article blockquote button br strong
        details summary figure figcaption svg desc g polygon polyline path ellipse text
        """,
    )
)

STYLE = re.compile(
    r'@page \{ @bottom-left \{ content: "(?:[^"\\<>{}]|\\[0-9a-f]+ )*" /\* day \*/( "[^"<>{}]*")?/\* /day \*/; \} \}'
)
"""What the name of a set and the title of a flow stand in: a string, and nothing of theirs ends it."""


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_in_every_field_stays_text(kind, tmp_path):
    text = HOSTILE[kind]
    site = build(sets.set_of(tmp_path, text))
    for name, page in sets.pages_of(site).items():
        assert page.faults == [], name
        assert set(page.tags) <= TAGS, name
        assert page.handlers == [], name
        assert all(STYLE.fullmatch("".join(each.split("\n"))) for each in page.styles), name
        assert all(src is not None for src in page.scripts), name
        assert not any(re.match(r"\s*[a-z]+:", link, re.IGNORECASE) for link in page.links), name
        assert len(page.ids) == len(set(page.ids)), name
    seen = sets.Page(site.files["en/flows/care.html"].decode()).words
    assert " ".join(text.replace("\u2028", " ").replace("\u2029", " ").split()) in seen


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_stays_text_on_the_page_of_a_comparison(kind, tmp_path):
    text = HOSTILE[kind]
    old, new = sets.set_of(tmp_path / "old", "Text"), sets.set_of(tmp_path / "new", text)
    page = sets.Page(page_of(compare(old, new), text, text))
    assert page.faults == []
    assert set(page.tags) <= TAGS
    assert page.handlers == []
    assert all(link.startswith("#") for link in page.links)
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_search_index_holds_a_hostile_text_as_a_text(kind, tmp_path):
    site = build(sets.set_of(tmp_path, HOSTILE[kind]), drawn=False)
    script = site.files["en/search-index.js"].decode()
    assert "<" not in script
    assert "\u2028" not in script
    begin, end = "window.HANDBOOK_INDEX = ", ";\n"
    assert script.startswith(begin)
    records = json.loads(script.removeprefix(begin).removesuffix(end))
    assert all(record["u"].startswith(("flows/care.html", "index.html#", "roles/")) for record in records)
    node = shutil.which("node")
    if node is not None:
        count = "const window={};" + script + "process.stdout.write(String(window.HANDBOOK_INDEX.length))"
        done = subprocess.run([node, "-"], input=count, capture_output=True, text=True, check=True)
        assert done.stdout == str(len(records))


def test_only_https_links_of_a_policy_become_links(tmp_path):
    site = build(sets.set_of(tmp_path / "a", "https://example.org/rule?a=1&b=2"), drawn=False)
    assert "https://example.org/rule?a=1&b=2" in sets.Page(site.files["en/flows/care.html"].decode()).links
    for number, text in enumerate(("http://example.org", "JavaScript:alert(1)", "data:text/html,x", "//example.org")):
        site = build(sets.set_of(tmp_path / str(number), text), drawn=False)
        assert text not in sets.Page(site.files["en/flows/care.html"].decode()).links


def test_a_private_value_of_a_scenario_is_masked(tmp_path):
    site = build(sets.set_of(tmp_path, "Title"), drawn=False)
    (tmp_path / "scenarios/one.yaml").write_text(
        "scenario: S\nflow: care\nsteps:\n"
        "  - {at: 2026-03-06 15:30, event: asked, data: {customer.email: secret@example.org, customer.vip: true}}\n"
    )
    site = build(sets.set_of(tmp_path / "b", "Title"), drawn=False)
    shutil.copy(tmp_path / "scenarios/one.yaml", tmp_path / "b/scenarios/one.yaml")
    site = build(sets.load_policies(tmp_path / "b")[0], drawn=False)
    words = sets.Page(site.files["en/flows/care.html"].decode()).words
    assert "Title: ***, Title: yes" in words
    assert not any(b"secret@" in content for content in site.files.values())


def test_a_folder_name_cannot_leave_the_site(tmp_path):
    from dataclasses import replace

    policies = sets.set_of(tmp_path, "Title", ("en",))
    organisation = replace(policies.organisation, languages=("../../x",))
    site = build(replace(policies, organisation=organisation), drawn=False)
    assert not any(".." in name for name in site.files)
