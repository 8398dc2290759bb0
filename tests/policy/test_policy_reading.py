"""Text, places and the values of plain scalars."""

from __future__ import annotations

import random
import tracemalloc
from pathlib import Path

import pytest
import yaml

from carepolicy.policy.composer import compose
from carepolicy.policy.files import LARGEST_FILE
from carepolicy.policy.findings import quoted
from carepolicy.policy.places import Place
from carepolicy.policy.text import read_source, source_of

ERRORS = yaml.safe_load((Path(__file__).parent / "syntax_errors.yaml").read_text(encoding="utf-8"))
LOADERS = [yaml.SafeLoader, *([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])]


def data_of(text: str) -> object:
    source, findings = source_of(text.encode(), "a.yaml")
    assert source is not None, findings
    return source.data


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("case", ERRORS, ids=lambda case: case["text"][:20])
def test_what_is_no_yaml_is_said_in_words_at_its_place(case: dict, loader: type) -> None:
    source, findings = compose(case["text"], "a.yaml", loader)
    assert source is None
    assert [each.code for each in findings] == [case["code"]]
    assert case["says"] in findings[0].message
    assert case.get("hint", "") in findings[0].hint
    if "at" in case:
        assert [findings[0].place.line, findings[0].place.column] == case["at"]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        *[(word, word) for word in ("on", "off", "yes", "no", "y", "n", "On", "NO")],
        *[("true", True), ("True", True), ("TRUE", True), ("false", False), ("False", False)],
        *[(text, text) for text in ("17:30", "1:30:00", "09:00-12:30", "24:00", "2026-01-02", "2026-01-02T10:00:00Z")],
        *[("3", 3), ("-3", -3), ("007", 7), ("0x1F", 31), ("0o17", 15), ("2.50", 2.5), (".5", 0.5), ("1e3", 1000.0)],
        *[("null", None), ("~", None), ("", None), ("Null", None)],
        *[(text, text) for text in ("1e999", "9" * 5000, ".inf", ".nan", "1_000", "95%", "+", "-x", "1.2.3", "truer")],
        *[('"3"', "3"), ("'true'", "true"), ("|\n  x\n  y\n", "x\ny\n")],
    ],
)
def test_a_scalar_is_what_yaml_1_2_says_it_is(written: str, value: object) -> None:
    found = data_of(f"key: {written}")
    assert found == {"key": value}
    assert type(found["key"]) is type(value)


def test_keys_are_always_texts() -> None:
    text = "on: 1\n2026-12-23: 2\n7 days: 3\n404: 4\ntrue: 5\nnull: 6"
    assert list(data_of(text)) == ["on", "2026-12-23", "7 days", "404", "true", "null"]


def test_every_key_and_value_has_its_place() -> None:
    source, _ = source_of(b"\xef\xbb\xbfa: x\nb:\n  - {c: 'y z'}\n  - d:\n\ne: 1.50\n", "flows/a.yaml")
    assert source is not None
    assert source.key(("a",)) == Place("flows/a.yaml", 1, 1, 1, 2)
    assert source.value(("a",)) == Place("flows/a.yaml", 1, 4, 1, 5)
    assert source.value(("b", 0)) == Place("flows/a.yaml", 3, 5, 3, 15)
    assert source.value(("b", 0, "c")) == Place("flows/a.yaml", 3, 9, 3, 14)
    assert source.key(("b", 1, "d")) == Place("flows/a.yaml", 4, 5, 4, 6)
    assert source.value(("b",)).end_line == 4
    assert source.value(("b", 0, "c", "more", "exact")) == source.value(("b", 0, "c"))
    assert source.written == {("e",): "1.50", ("b", 1, "d"): ""}


def test_columns_count_characters_and_not_bytes() -> None:
    source, _ = source_of("ä: {ö: 日本}".encode(), "a.yaml")
    assert source is not None
    assert source.value(("ä", "ö")) == Place("a.yaml", 1, 8, 1, 10)


@pytest.mark.parametrize(
    ("content", "code", "line", "column"),
    [
        (b"a: 1\nb: \xff", "CP101", 2, 4),
        ("é: ".encode() + b"\xc3", "CP101", 1, 4),
        (b"\xef\xbb\xbfa: \x00", "CP101", 1, 4),
        (b"a: \x07bell", "CP101", 1, 4),
        ("a: 1".encode("utf-16"), "CP101", 1, 1),
        (b"a:\n\tb: 1", "CP102", 2, 1),
        (b"a:\n  \t b: 1", "CP102", 2, 1),
    ],
)
def test_bad_bytes_and_tabs_are_found_where_they_stand(content: bytes, code: str, line: int, column: int) -> None:
    source, findings = source_of(content, "a.yaml")
    assert source is None
    assert [(each.code, each.place.line, each.place.column) for each in findings] == [(code, line, column)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_file_in_utf_16_is_called_one_and_how_to_save_it_is_said(encoding: str) -> None:
    source, (finding,) = source_of("# für uns\nflow: a\n".encode(encoding), "a.yaml")
    assert source is None
    assert encoding.upper() in finding.message
    assert "UTF-8" in finding.hint
    assert finding.place == Place("a.yaml", 1, 1, 1, 1)


def test_a_letter_in_the_encoding_of_windows_is_shown() -> None:
    _, (finding,) = source_of("a: für".encode("windows-1252"), "a.yaml")
    assert '"ü" in the encoding Windows-1252' in finding.message


@pytest.mark.parametrize("letter", ["\u00a0", "\u202f", "\u200b", "\ufeff", "\u00ad", "\u3000"])
def test_a_letter_that_looks_like_nothing_is_named_wherever_a_value_is_quoted(letter: str) -> None:
    assert f"(U+{ord(letter):04X})" in quoted(f"do{letter}ne")


def test_texts_keep_letters_that_are_not_seen_but_needed() -> None:
    assert data_of("a: 10\u00a0€\nb: |\n  \u00a0x: y\n") == {"a": "10\u00a0€", "b": "\u00a0x: y\n"}


def test_a_tab_between_words_is_harmless_and_a_line_of_a_tab_is_called_one() -> None:
    assert data_of("a: x\ty\nb: 1\t# remark") == {"a": "x\ty", "b": 1}
    _, findings = source_of(b"a: x\n\t\nb: 1", "a.yaml")
    assert [(each.code, each.place.line) for each in findings] == [("CP102", 2)]


def test_a_file_of_100_mb_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    tracemalloc.start()
    source, findings = read_source(path, tmp_path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert source is None
    assert [(each.code, each.place.file) for each in findings] == [("CP106", "a.yaml")]
    assert peak < 4 * LARGEST_FILE


def test_aliases_that_explode_cost_nothing() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    source, findings = source_of("\n".join(lines).encode(), "a.yaml")
    assert source is None
    assert [each.code for each in findings] == ["CP105"]


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "".join(" " * n + "a:\n" for n in range(500))])
def test_deep_nesting_is_a_finding(text: str, loader: type) -> None:
    source, findings = compose(text, "a.yaml", loader)
    assert source is None
    assert len(findings) == 1
    assert findings[0].code in ("CP107", "CP103")


def test_a_folder_in_place_of_a_file_is_a_finding(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").mkdir()
    source, findings = read_source(tmp_path / "a.yaml", tmp_path)
    assert source is None
    assert [each.code for each in findings] == ["CP115"]


def test_reading_any_bytes_at_all_ends_in_a_source_or_a_finding() -> None:
    chance = random.Random(7)
    pieces = [b"a", b": ", b"\n", b"  ", b"- ", b"[", b"]", b"{", b"}", b'"', b"'", b"#", b"&", b"*", b"!", b"|", b">"]
    pieces += [
        b"%",
        b"@",
        b"`",
        b",",
        b"?",
        b"\t",
        b"\xc3\xa9",
        b"\xff",
        b"---",
        b"...",
        b"<<",
        b"\\",
        b"\r",
        b"\xc2\x85",
    ]
    for _ in range(4000):
        content = b"".join(chance.choices(pieces, k=chance.randrange(1, 25)))
        source, findings = source_of(content, "a.yaml")
        assert (source is None) == bool(findings), content
