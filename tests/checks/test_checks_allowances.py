"""Comments that allow a finding: on its line, above it, with a reason."""

from __future__ import annotations

from carepolicy.checks.allowances import allowances, silenced
from carepolicy.policy.composer import compose
from carepolicy.policy.findings import Finding, Severity
from carepolicy.policy.places import Place, Source


def source(text: str) -> Source:
    return Source("a.yaml", text, {}, {}, {})


def warning(line: int, code: str = "CP412") -> Finding:
    return Finding(code, "something", Place("a.yaml", line, 1, line, 5), severity=Severity.WARNING)


def left(text: str, *findings: Finding) -> list[tuple[str, int]]:
    return [(each.code, each.place.line) for each in silenced(findings, {"a.yaml": source(text)})]


def test_a_comment_on_the_line_allows_a_finding() -> None:
    assert left("a: 1 # carepolicy: allow CP412 because the law says so\n", warning(1)) == []


def test_a_comment_alone_on_the_line_above_allows_a_finding() -> None:
    assert left("x: 1\n# carepolicy: allow CP412 because the law says so\na: 1\n", warning(3)) == []


def test_several_comments_above_all_reach_the_next_line_with_text() -> None:
    text = "# carepolicy: allow CP412 because of this\n# carepolicy: allow CP413 because of that\n\na: 1\n"
    assert left(text, warning(4), warning(4, "CP413")) == []


def test_one_comment_may_allow_two_codes() -> None:
    assert left("a: 1 # carepolicy: allow CP412, CP413 because both\n", warning(1), warning(1, "CP413")) == []


def test_another_line_and_another_code_stay_found() -> None:
    text = "a: 1 # carepolicy: allow CP412 because the law says so\nb: 2\n"
    assert left(text, warning(1), warning(2), warning(1, "CP413")) == [("CP412", 2), ("CP413", 1)]


def test_an_allowance_without_a_reason_is_found_itself() -> None:
    findings = silenced([warning(1)], {"a.yaml": source("a: 1 # carepolicy: allow CP412\n")})
    assert [(each.code, each.severity, each.place.column) for each in findings] == [("CP190", Severity.ERROR, 26)]


def test_an_empty_reason_is_no_reason() -> None:
    assert left("a: 1 # carepolicy: allow CP412 because …\n", warning(1)) == [("CP190", 1)]


def test_an_unused_allowance_is_a_note() -> None:
    findings = silenced([], {"a.yaml": source("a: 1 # carepolicy: allow CP412 because I can\n")})
    assert [(each.code, each.severity) for each in findings] == [("CP191", Severity.NOTE)]


def test_errors_of_reference_cannot_be_allowed() -> None:
    text = "a: 1 # carepolicy: allow CP203 because it comes later\n"
    assert left(text, warning(1, "CP203")) == [("CP203", 1), ("CP191", 1)]


def test_what_stands_in_a_text_of_many_lines_is_allowed_where_the_text_begins() -> None:
    text = "a:\n  # carepolicy: allow CP412 because a customer said so\n  b: |\n    One.\n    Two.\n  c: Three.\n"
    compiled, _ = compose(text, "a.yaml")
    assert compiled is not None
    findings = silenced([warning(5), warning(6)], {"a.yaml": compiled})
    assert [(each.code, each.place.line) for each in findings] == [("CP412", 6)]


def test_a_comment_at_the_end_of_a_file_is_unused() -> None:
    assert left("a: 1\n# carepolicy: allow CP412 because nothing follows\n") == [("CP191", 2)]


def test_words_that_only_look_like_an_allowance_are_none() -> None:
    assert list(allowances(source("a: 1 # we allow CP412 because\nb: carepolicy allows\n"))) == []
