"""``carepolicy texts``: the catalogues of a set's texts in other languages, texts/*.po."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from carepolicy.cli.sets import demand_folder, format_option, policies_option, refuse
from carepolicy.cli.status import NO, CommandError
from carepolicy.cli.terminal import plain
from carepolicy.policy.files import TEXTS, file_at, layered, layers_of, policy_files, read_bytes
from carepolicy.policy.likeness import did_you_mean
from carepolicy.policy.load import load_policies
from carepolicy.policy.ownwords import FOLDER as OWN_WORDS
from carepolicy.policy.ownwords import own_file, own_standing, own_updated
from carepolicy.policy.phrases import catalogues_of, phrases_of, scenario_phrases
from carepolicy.policy.rewritten import read_exactly, replace_text
from carepolicy.policy.translations import Broken, standing_of, updated
from carepolicy.translations import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from carepolicy.policy.model import Policies
    from carepolicy.policy.ownwords import OwnStanding
    from carepolicy.policy.phrases import Phrase
    from carepolicy.policy.translations import Standing, Updated
    from carepolicy.translations import Own


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

    Where carepolicy lacks words of its own in a language, they are laid down too: texts/carepolicy/LANGUAGE.po. Of
    a set in layers the uppermost is written to; it gets what those below do not translate.

    What is translated stays, also where a state or a flow was renamed. What changed is marked as fuzzy and is not
    used until a translator takes the mark away; what is gone is kept at the end as obsolete. A second time changes
    nothing.
    """
    found = _set_in(policies)
    phrases = _phrases(found)
    layer = layers_of(policies)[-1]
    below = _set_in(layered(layers_of(policies)[:-1])) if len(layers_of(policies)) > 1 else None
    above, untold = _upper(found, below, phrases)
    own = {file_in(layer, each): content for each, content in found.own_files.items() if file_in(layer, each)}
    made: dict[str, tuple[Updated, str]] = {}
    for each in _wanted(found, language):
        if each != found.organisation.languages[0]:
            texts = _updated(above, untold(each), each)
            made[texts.file] = texts, "texts"
        words = _own_updated(found, own, each, () if below is None else below.own_words)
        if words is not None:
            made[words.file] = words, "words of carepolicy's own"
    for file, (written, what) in made.items():
        _write(os.path.join(layer, file), written.text)
        click.echo(plain(_told(os.path.join(layer, file), written, what)))


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
    wanted = _wanted(found, language)
    standings = [standing_of(found, phrases, each) for each in wanted if each != found.organisation.languages[0]]
    own = [own_standing(tuple(found.own_files), found.own_words, each) for each in wanted]
    if form == "json":
        answer = {"languages": [_object(found, each) for each in standings], "own_words": [_own(each) for each in own]}
        click.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    else:
        told = [line for each in standings for line in _lines(found, each)]
        for line in (*told, *(line for each in own for line in _own_lines(each))):
            click.echo(plain(line))
    if not all(each.is_whole for each in standings) or any(each.missing for each in own):
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
    lacks = own_standing((), (), first).missing
    if not others and not lacks:
        raise CommandError(f"the set has one language, {first}: name others under languages: in organisation.yaml")
    known = {normalised(each): each for each in policies.organisation.languages}
    for each in languages:
        if normalised(each) == normalised(first) and not lacks:
            raise CommandError(f'the set itself is written in "{first}": it needs no translation')
        if normalised(each) not in known:
            hint = did_you_mean(each, others)
            more = "name it under languages: in organisation.yaml"
            raise CommandError(f'"{each}" is no language of this set; {hint or more}')
    return list(dict.fromkeys(known[normalised(each)] for each in languages)) or [*([first] if lacks else []), *others]


def _upper(
    policies: Policies, below: Policies | None, phrases: tuple[Phrase, ...]
) -> tuple[Policies, Callable[[str], tuple[Phrase, ...]]]:
    """A set with the catalogues of its uppermost layer alone, and what those below do not translate into a language."""
    if below is None:
        return policies, lambda language: phrases
    layers = layers_of(policies.root)
    files = [each for each in policy_files(layers[-1]) if each.startswith(f"{TEXTS}/") and each.count("/") == 1]
    texts = {each: read_bytes(os.path.join(layers[-1], each), each)[0] or b"" for each in files}
    above = replace(policies, texts=texts)

    def untold(language: str) -> tuple[Phrase, ...]:
        told = {
            (each.context, each.text) for one in catalogues_of(below, language) for each in one.alive if each.counts
        }
        told -= {(each.context, each.text) for one in catalogues_of(above, language) for each in one.alive}
        return tuple(each for each in phrases if (each.path, each.text) not in told)

    return above, untold


def file_in(layer: str, file: str) -> str:
    """The name of a file of own words in a layer; "" of one that is in another."""
    if file.startswith(f"{OWN_WORDS}/"):
        return file
    return os.path.relpath(file, layer) if os.path.realpath(file).startswith(os.path.realpath(layer) + os.sep) else ""


def _own_updated(policies: Policies, own: Mapping[str, bytes], language: str, below: Own) -> Updated | None:
    file = own_file(tuple(own), language)
    try:
        return own_updated(file, own.get(file), language, below)
    except Broken as problem:
        refuse(policies.root, problem.findings)


def _own(standing: OwnStanding) -> dict[str, Any]:
    missing = [{"context": each.context, "text": each.text} for each in standing.missing]
    return {
        "language": standing.language, "file": standing.file, "phrases": standing.total, "missing": missing,
    }  # fmt: skip


def _own_lines(standing: OwnStanding) -> Iterator[str]:
    lacking = len(standing.missing)
    if lacking:
        told = f"{standing.total - lacking} of {standing.total} words of carepolicy's own"
        hint = f"`carepolicy texts update {standing.language}` lays the others down in {standing.file}"
        yield f"{standing.language}: {told}; {hint}"


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


def _told(path: str, made: Updated, what: str) -> str:
    counts = ((made.new, "not translated"), (made.stale, "fuzzy"), (made.moved, "moved"), (made.gone, "obsolete"))
    told = [f"{count} {how}" for count, how in counts if count]
    return f"{path}: {made.translated} of {made.total} {what} translated" + "".join(f", {each}" for each in told)


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
    """Where a catalogue stands, or whatever else is named as findings name it; of several layers that which has it."""
    layers = layers_of(policies.root)
    there = [os.path.join(each, file) for each in layers if file.startswith(f"{TEXTS}/")]
    return next((each for each in reversed(there) if os.path.exists(each)), file_at(policies.root, file))


def _place(policies: Policies, phrase: Phrase) -> str:
    place = policies.place(phrase.at) if phrase.at.file in policies.sources else None
    return _file(policies, phrase.at.file) if place is None else f"{_file(policies, place.file)}:{place.line}"


def _named(policies: Policies, phrase: Phrase) -> str:
    return policies.place(phrase.at).file if phrase.at.file in policies.sources else phrase.at.file


def _object(policies: Policies, standing: Standing) -> dict[str, Any]:
    def listed(phrases: Sequence[Phrase]) -> list[dict[str, Any]]:
        return [
            {
                "path": each.path,
                "text": each.text,
                "file": _file(policies, _named(policies, each)),
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
