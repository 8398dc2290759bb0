"""What became of a scenario that was played step by step, told for people, for programs (JSON) and for CI (JUnit)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from carepolicy.engine.history.words import NAMES, Titles, record_in_words, time_in_words
from carepolicy.scenarios.coverage import Seen, note_records, trace
from carepolicy.scenarios.expectations import Mismatch, differences
from carepolicy.scenarios.play import Play, TellingRun
from carepolicy.scenarios.stage import CannotPlay

if TYPE_CHECKING:
    from carepolicy.policy.findings import Finding
    from carepolicy.scenarios.scenario import PlayedStep, Scenario
    from carepolicy.scenarios.stage import Stage


@dataclass(frozen=True, slots=True)
class Failure:
    """The step that failed, by its number and line (both from 1): what is otherwise, or why it cannot be played."""

    step: int
    line: int
    reason: str
    differences: tuple[Mismatch, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a scenario. ``timeline`` is what happened up to the failure, with local times of ``zone``;
    ``seconds`` is how long it took, ``seen`` what it went through where that was asked for."""

    file: str
    document: int
    line: int
    title: str
    flow: str
    zone: str
    failures: tuple[Failure, ...]
    timeline: tuple[str, ...]
    seconds: float
    seen: frozenset[Seen] = field(default=frozenset(), repr=False)

    @property
    def passed(self) -> bool:
        """Whether everything was as expected."""
        return not self.failures


def judge(stage: Stage, scenario: Scenario, traced: bool = False, to_the_end: bool = False) -> Verdict:
    """Play a scenario; stop at the first step that fails, unless it is to be played ``to_the_end``."""
    began = perf_counter()
    run = TellingRun(stage.bundle)
    seen: set[Seen] = set()
    if traced:
        trace(run.programs, seen)
    play = Play(stage, scenario, run)
    failures: list[Failure] = []
    for step, following in scenario.in_pairs():
        failure = _step(play, step, following)
        if failure is not None:
            failures.append(failure)
            if failure.reason or not to_the_end:
                break
    if traced:
        note_records(play.records, seen)
    return Verdict(
        scenario.file, scenario.document, scenario.line, scenario.title, scenario.flow, stage.zone.key,
        tuple(failures), timeline(play) if failures else (), perf_counter() - began, frozenset(seen),
    )  # fmt: skip


def _step(play: Play, step: PlayedStep, following: PlayedStep | None) -> Failure | None:
    """Play one step; what is wrong with it, if anything."""
    try:
        play.act(step, following)
        refused = _refused(play, step, following)
        if refused:
            return Failure(step.number, step.line, refused, ())
        if step.expect is None:
            return None
        found = tuple(differences(play, play.whose(step), dict(step.expect.wanted)))
    except CannotPlay as problem:
        return Failure(step.number, step.line, str(problem), ())
    return Failure(step.number, step.line, "", found) if found else None


def _refused(play: Play, step: PlayedStep, following: PlayedStep | None) -> str:
    """Why the engine rejected an event although no expectation says that it would; nothing where it did not."""
    if play.rejection_expected or (step.expect is None and following is not None):
        return ""
    rejected = [each for each in play.caused if each.kind == "event.rejected"]
    return "; ".join(
        f"the event {each.data['event'].get('type')} was rejected: {each.data['reason']} ({each.data['code']})"
        for each in rejected
    )


def timeline(play: Play, titles: Titles = NAMES) -> tuple[str, ...]:
    """What happened, one record a line with its local time; other cases than the scenario's own are named."""
    own = (play.scenario.flow, play.subject)
    lines = []
    for each in play.records:
        when = time_in_words(each.at, play.stage.zone, titles.words) if each.when else ""
        about = "" if (each.flow or own[0], each.subject) == own else " ".join((each.subject, each.flow)).strip() + ": "
        lines.append(f"{when:<20}  {about}{record_in_words(each, play.stage.zone, titles)}")
    return tuple(lines)


_WIDE = 40
"""Columns of what was expected before what was found goes on a line of its own."""


def as_text(verdicts: Sequence[Verdict]) -> str:
    """The scenarios that failed, each with the step, what was expected beside what was so, and its timeline."""
    return "\n".join("\n".join(failed(each)) + "\n" for each in verdicts if not each.passed)


def failed(verdict: Verdict) -> Iterator[str]:
    """The lines that tell of one failed scenario."""
    first = verdict.failures[0]
    yield f"{verdict.file}:{first.line}: FAILED {verdict.title}"
    for failure in verdict.failures:
        yield from _failure(failure)
    if verdict.timeline:
        yield f"  what happened so far (times of {verdict.zone})"
        yield from (f"    {line}" for line in verdict.timeline)
    else:
        yield "  nothing happened so far"


def _failure(failure: Failure) -> Iterator[str]:
    if failure.reason:
        yield f"  step {failure.step}: {failure.reason}"
        return
    yield f"  step {failure.step} is otherwise than expected"
    rows = [(_label(each), said(each.expected), said(each.actual)) for each in failure.differences]
    first = max(len("  "), *(len(label) for label, _, _ in rows))
    second = max(len("expected"), *(min(len(expected), _WIDE) for _, expected, _ in rows))
    yield f"    {'':<{first}}  {'expected':<{second}}  actual"
    for label, expected, actual in rows:
        if len(expected) > second:
            yield f"    {label:<{first}}  {expected}"
            yield f"    {'':<{first}}  {'':<{second}}  {actual}"
        else:
            yield f"    {label:<{first}}  {expected:<{second}}  {actual}"


def _label(difference: Mismatch) -> str:
    return difference.key if difference.name is None else f"{difference.key} {difference.name}"


def said(value: Any) -> str:
    """A value as a scenario writes it: ``[a, b]``, ``true``, ``none``."""
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(said, value)) + "]"
    if value is None:
        return "no value"
    return str(value).lower() if isinstance(value, bool) else str(value)


def summary(verdicts: Sequence[Verdict]) -> str:
    """``37 scenarios: 36 passed, 1 failed``."""
    wrong = sum(not each.passed for each in verdicts)
    count = f"{len(verdicts)} scenario{'' if len(verdicts) == 1 else 's'}"
    return f"{count}: {len(verdicts) - wrong} passed" + (f", {wrong} failed" if wrong else "")


def as_object(verdicts: Sequence[Verdict], findings: Sequence[Finding] = ()) -> dict[str, Any]:
    """All verdicts as one object for JSON; lines and steps count from 1. ``findings`` are why scenarios did not run."""
    told = {} if not findings else {"findings": [_as_data(each) for each in findings]}
    return told | {
        "scenarios": [_object(each) for each in verdicts],
        "passed": sum(each.passed for each in verdicts),
        "failed": sum(not each.passed for each in verdicts),
    }


def _as_data(finding: Finding) -> dict[str, Any]:
    place = finding.place
    told = {"code": finding.code, "severity": finding.severity.value, "message": finding.message, "hint": finding.hint}
    return told | {"file": place.file, "line": place.line, "column": place.column}


def _object(verdict: Verdict) -> dict[str, Any]:
    return {
        "file": verdict.file,
        "line": verdict.line,
        "scenario": verdict.title,
        "flow": verdict.flow,
        "passed": verdict.passed,
        "failures": [
            {
                "step": each.step,
                "line": each.line,
                "reason": each.reason,
                "differences": [
                    {"key": one.key, "name": one.name, "expected": one.expected, "actual": one.actual}
                    for one in each.differences
                ],
            }
            for each in verdict.failures
        ],
        "timezone": verdict.zone,
        "timeline": list(verdict.timeline),
    }


def as_junit(verdicts: Sequence[Verdict], findings: Sequence[Finding] = ()) -> str:
    """All verdicts as JUnit XML: one test suite a flow, one test case a scenario, as the tools of CI read it.

    ``findings`` are why scenarios did not run: a test case with an error for each file that has some.
    """
    lines = ['<?xml version="1.0" encoding="UTF-8"?>']
    wrong = sum(not each.passed for each in verdicts)
    seconds = sum(each.seconds for each in verdicts)
    files = dict.fromkeys(each.place.file for each in findings)
    total = f'tests="{len(verdicts) + len(files)}" failures="{wrong}" errors="{len(files)}" time="{seconds:.3f}"'
    lines.append(f'<testsuites name="carepolicy test" {total}>')
    if files:
        lines += _unread(list(files), findings)
    for flow in dict.fromkeys(each.flow for each in verdicts):
        lines += _suite(flow, [each for each in verdicts if each.flow == flow])
    return "\n".join([*lines, "</testsuites>"]) + "\n"


def _unread(files: list[str], findings: Sequence[Finding]) -> Iterator[str]:
    count = f'tests="{len(files)}" failures="0" errors="{len(files)}" skipped="0" time="0.000"'
    yield f'  <testsuite name="files" {count}>'
    for file in files:
        mine = [each for each in findings if each.place.file == file]
        places = (f"{file}:{each.place.line}:{each.place.column}: {each.code} {each.message}" for each in mine)
        yield f'    <testcase name={_attribute(file)} classname="files" file={_attribute(file)} time="0.000">'
        yield f"      <error message={_attribute(mine[0].message)}>{_escaped(chr(10).join(places))}</error>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _suite(flow: str, verdicts: Sequence[Verdict]) -> Iterator[str]:
    wrong = sum(not each.passed for each in verdicts)
    seconds = sum(each.seconds for each in verdicts)
    count = f'tests="{len(verdicts)}" failures="{wrong}" errors="0" skipped="0" time="{seconds:.3f}"'
    yield f"  <testsuite name={_attribute(flow)} {count}>"
    for each in verdicts:
        where = f"classname={_attribute(f'scenarios.{flow}')} file={_attribute(each.file)}"
        case = f'<testcase name={_attribute(each.title)} {where} line="{each.line}" time="{each.seconds:.3f}"'
        if each.passed:
            yield f"    {case}/>"
            continue
        yield f"    {case}>"
        text = "\n".join(failed(each))
        yield f"      <failure message={_attribute(_short(each.failures[0]))}>{_escaped(text)}</failure>"
        yield "    </testcase>"
    yield "  </testsuite>"


def _short(failure: Failure) -> str:
    if failure.reason:
        return f"step {failure.step}: {failure.reason}"
    parts = (
        f"{_label(each)}: {said(each.expected)} expected, {said(each.actual)} found" for each in failure.differences
    )
    return f"step {failure.step}: " + "; ".join(parts)


def _attribute(text: str) -> str:
    return quoteattr(_allowed(text), {"\n": "&#10;", "\t": "&#9;"})


def _escaped(text: str) -> str:
    return _allowed(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _allowed(text: str) -> str:
    """Without the characters that XML 1.0 (section 2.2) has no way to write."""
    return "".join(each if _is_allowed(ord(each)) else "\N{REPLACEMENT CHARACTER}" for each in text)


def _is_allowed(code: int) -> bool:
    return code in (9, 10, 13) or 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
