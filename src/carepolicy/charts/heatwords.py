"""The words of an audit's figures on a chart, by language."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HeatWords:
    """Words in one language; ``{}`` marks where a value goes."""

    visits: str = "{} times here"
    open: str = "{} open"
    late: str = "{} late"
    share: str = "{}\u00a0%"
    few: str = "too few for a share"
    nobody: str = "no case"
    median: str = "half within {}"
    clock: str = "{}: {}"
    in_time: str = "{} of {} in time"
    target: str = "target {}\u00a0%"
    cases: str = "{} cases"
    between: str = "{} to {}"
    none: str = "late: none"
    up_to: str = "up to {}\u00a0%"
    over: str = "over {}\u00a0%"


ENGLISH = HeatWords()

FRENCH = HeatWords(
    visits="{} fois ici", open="{} en cours", late="{} en retard", share="{}\u00a0%",
    few="trop peu pour un pourcentage",
    nobody="aucun dossier", median="la moitié en {} ou moins", clock="{} : {}", in_time="{} sur {} dans le délai",
    target="objectif {}\u00a0%", cases="{} dossiers", between="du {} au {}", none="en retard : aucun",
    up_to="jusqu’à {}\u00a0%",
    over="plus de {}\u00a0%",
)  # fmt: skip


def heat_words(language: str) -> HeatWords:
    """The words in a language ("fr", "fr-CA"); English where there are none of that language."""
    return {"fr": FRENCH}.get(language.split("-")[0].split("_")[0].lower(), ENGLISH)
