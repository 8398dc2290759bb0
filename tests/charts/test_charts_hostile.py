"""A policy's texts are data: whatever they hold, charts stay well formed and hold no markup of theirs."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import chart_samples as samples
import geometry
import pytest

from carepolicy.charts import draw, pictures, sources

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "quotes": "\"'`&lt;&amp;</TABLE>>",
    "backslash": "\\N \\G \\l C:\\new {a|b} <port>",
    "long": "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverordnung" * 2,
    "arabic": "شكرًا لك على رسالتك، سنعود إليك «قريبًا».",
    "hebrew": "תודה שפנית אלינו (הזמנה 12).",
    "chinese": "感谢您的来信，我们会在三个工作小时内回复。",
    "thai": "ขอบคุณที่ติดต่อเรา เราจะตอบกลับภายในสามชั่วโมงทำการ",
    "hindi": "हमें लिखने के लिए धन्यवाद।",
    "control": "bell\x07 and\x00 nul\x1b[31m \ufffe",
    "html": "<![CDATA[x]]> <!-- a --> %s {0} ]]>",
    "empty": " ",
}


def hostile(text):
    flow = {
        "flow": "f", "title": text, "purpose": text, "events": {"e": text, "g": text, "s": text},
        "clocks": {"c": {"title": text, "limit": "settings.s", "runs_in": ["a"], "warn_at": ["80%"]}},
        "states": {
            "a": {
                "title": text, "owner": "agent", "say": text, "ask": text, "start_on": "s",
                "on": {
                    "e": [{"when": "vip", "answer": text, "title": text, "to": "b"}, {"answer": text, "to": "end"}],
                    "g": "b", "c.warned": {"tell": "lead"}, "c.late": {"to": "b", "open": "f"},
                },
            },
            "b": {"title": text, "owner": "lead", "on": {"e": "end"}, "after": {"7 days": "a"}},
            "end": {"title": text, "final": "resolved"},
        },
        "anywhere": {"s": {"to": "end"}},
        "phases": {"p": {"title": text, "states": ["a", "b"], "on": {"t": {"to": "end", "title": text}}}},
    }  # fmt: skip
    return samples.policies(flow, roles={"agent": text, "lead": text}, name=text, settings={"s": text})


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_in_every_field_stays_text(kind, language):
    (picture,) = pictures(hostile(HOSTILE[kind]), "f", language=language, heading=True)
    root = ElementTree.fromstring(picture)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "g", "a", "polygon", "polyline", "path", "ellipse", "text"}
    assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)


@pytest.mark.usefixtures("drawing")
@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_text_covers_nothing(kind, language):
    for source in sources(hostile(HOSTILE[kind]), "f", language=language):
        assert geometry.faults(source) == []


@pytest.mark.parametrize("kind", HOSTILE)
def test_other_formats_stay_well_formed(tmp_path, kind):
    policies = hostile(HOSTILE[kind])
    for ending in ("mmd", "puml", "scxml", "xstate.json", "bpmn"):
        (file,) = draw(policies, "f", tmp_path / f"f.{ending}").files
        text = file.read_text(encoding="utf-8")
        if ending in ("scxml", "bpmn"):
            ElementTree.fromstring(text)
        elif ending == "xstate.json":
            json.loads(text)
        else:
            assert "<script>" not in text


@pytest.mark.usefixtures("drawing")
def test_arabic_runs_from_right_to_left():
    (source,) = sources(hostile(HOSTILE["arabic"]), "f", language="ar")
    assert "Noto Sans Arabic" in source
    assert "\u2067" in source
    assert 'ALIGN="RIGHT"' in source
    assert "← 1" in source
