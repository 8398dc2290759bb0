"""``carepolicy texts``: the catalogues of a set's texts in other languages, texts/*.po."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

from carepolicy.cli.sets import demand_folder, format_option, policies_option, refuse
from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.terminal import plain
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.load import load_policies
from carepolicy.policy.phrases import phrases_of, scenario_phrases, tag_of
from carepolicy.policy.rewritten import read_exactly, replace_text
from carepolicy.policy.translations import Broken, standing_of, updated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from carepolicy.policy.model import Policies
    from carepolicy.policy.phrases import Phrase
    from carepolicy.policy.translations import Standing, Updated


@click.group(
    epilog="\b\nExamples:\n  carepolicy texts update\n  carepolicy texts update fr\n"
    "  carepolicy texts check --format json\n"
)
def command() -> None:
    """Keep the catalogues of texts (titles, steps, what to say …) in the set's other languages: texts/LANGUAGE.po.

    They are gettext's: Poedit, Weblate, Transifex and any editor take them.
    """


@command.command(epilog="\b\nExamples:\n  carepolicy texts update\n  carepolicy texts update fr pt-BR\n")
@click.argument("language", nargs=-1)
@policies_option
def update(language: tuple[str, ...], policies: str) -> None:
    """Lay down what there is to translate, for each LANGUAGE; without one for every language of the set.

    What is translated stays, also where a state or a flow was renamed. What changed is marked as fuzzy and is not
    used until a translator takes the mark away; what is gone is kept at the end as obsolete. A second time changes
    nothing.
    """
    found = _set_in(policies)
    phrases = _phrases(found)
    made = [_updated(found, phrases, each) for each in _wanted(found, language)]
    for each in made:
        _write(os.path.join(policies, each.file), each.text)
        click.echo(plain(_told(os.path.join(policies, each.file), each)))


@command.command(
    epilog="\b\nExamples:\n  carepolicy texts check\n  carepolicy texts check fr pt-BR\n"
    "  carepolicy texts check --format json\n"
)
@click.argument("language", nargs=-1)
@policies_option
@format_option("text", "json")
def check(language: tuple[str, ...], policies: str, form: str) -> None:
    """Say what is missing, stale, extra or wrong in the catalogues, for each LANGUAGE; without one for all.

    Exit status 1 means that there is something to do.
    """
    found = _set_in(policies)
    phrases = _phrases(found)
    standings = [standing_of(found, phrases, each) for each in _wanted(found, language)]
    if form == "json":
        click.echo(
            json.dumps({"languages": [_object(found, each) for each in standings]}, ensure_ascii=False, indent=2)
        )
    else:
        for each in standings:
            for line in _lines(found, each):
                click.echo(plain(line))
    if not all(each.is_whole for each in standings):
        raise SystemExit(NO)


def _set_in(root: str) -> Policies:
    demand_folder(root)
    found, findings = load_policies(root)
    if found is None:
        refuse(root, findings)
    return found


def _phrases(policies: Policies) -> tuple[Phrase, ...]:
    """Every text of a set and every title of a scenario beside it, each path once."""
    return tuple({each.path: each for each in (*scenario_phrases(policies), *phrases_of(policies))}.values())


def _wanted(policies: Policies, languages: Sequence[str]) -> list[str]:
    """The languages that are named, as the set names them; all but the first where none is."""
    first, *others = policies.organisation.languages
    if not others:
        raise CommandError(f"the set has one language, {first}: name others under languages: in organisation.yaml")
    known = {tag_of(each): each for each in others}
    for each in languages:
        if tag_of(each) == tag_of(first):
            raise CommandError(f'the set itself is written in "{first}": it needs no translation')
        if tag_of(each) not in known:
            hint = did_you_mean(each, others)
            more = "name it under languages: in organisation.yaml"
            raise CommandError(f'"{each}" is no language of this set; {hint or more}')
    return list(dict.fromkeys(known[tag_of(each)] for each in languages)) or others


def _updated(policies: Policies, phrases: Sequence[Phrase], language: str) -> Updated:
    try:
        return updated(policies, phrases, language)
    except Broken as problem:
        refuse(policies.root, problem.findings)


def _write(path: str, text: str) -> None:
    try:
        if os.path.exists(path):
            before = read_exactly(path)
            if before != text:
                replace_text(path, before, text)
        else:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as problem:
        raise CommandError(f"{path} cannot be written: {problem.strerror or problem}") from None


def _told(path: str, made: Updated) -> str:
    counts = ((made.new, "not translated"), (made.stale, "fuzzy"), (made.moved, "moved"), (made.gone, "obsolete"))
    told = [f"{count} {what}" for count, what in counts if count]
    return f"{path}: {made.translated} of {made.total} texts translated" + "".join(f", {each}" for each in told)


def _lines(policies: Policies, standing: Standing) -> Iterator[str]:
    if not standing.files:
        yield f"{standing.language}: no catalogue; `carepolicy texts update {standing.language}` lays it down"
        return
    yield f"{standing.language}: {standing.translated} of {standing.total} texts translated ({standing.percent} %)"
    for kind, phrases in (("not translated", standing.missing), ("stale or fuzzy", standing.stale)):
        for phrase in phrases:
            yield f"  {_place(policies, phrase)}: {kind}: {_short(phrase.text)} ({phrase.path})"
    for file, entry in standing.extra:
        yield f"  {_file(policies, file)}:{entry.line}: no text of the set: {_short(entry.text)} ({entry.context})"
    for wrong in standing.wrong:
        yield f"  {_file(policies, wrong.file)}:{wrong.entry.at}: {wrong.reason}: {_short(wrong.entry.translation)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else f"{line[:59]}…"


def _file(policies: Policies, file: str) -> str:
    return os.path.join(policies.root, file)


def _place(policies: Policies, phrase: Phrase) -> str:
    known = phrase.at.file in policies.sources
    return _file(policies, phrase.at.file) + (f":{policies.place(phrase.at).line}" if known else "")


def _object(policies: Policies, standing: Standing) -> dict[str, Any]:
    def listed(phrases: Sequence[Phrase]) -> list[dict[str, Any]]:
        return [
            {
                "path": each.path,
                "text": each.text,
                "file": _file(policies, each.at.file),
                "line": policies.place(each.at).line if each.at.file in policies.sources else None,
            }
            for each in phrases
        ]

    return {
        "language": standing.language,
        "files": [_file(policies, each) for each in standing.files],
        "texts": standing.total,
        "translated": standing.translated,
        "percent": standing.percent,
        "missing": listed(standing.missing),
        "stale": listed(standing.stale),
        "extra": [
            {"path": entry.context, "text": entry.text, "file": _file(policies, file), "line": entry.line}
            for file, entry in standing.extra
        ],
        "wrong": [
            {
                "path": each.entry.context,
                "text": each.entry.text,
                "translation": each.entry.translation,
                "reason": each.reason,
                "file": _file(policies, each.file),
                "line": each.entry.at,
            }
            for each in standing.wrong
        ],
    }
