"""The chart's own few words, by language. Texts of the policy are never translated here."""

from __future__ import annotations

from dataclasses import dataclass

from carepolicy.businesstime.words import primary_language


@dataclass(frozen=True, slots=True)
class Labels:
    """Words that stand on every chart in one language; ``{}`` marks where a value goes."""

    who: str = "Who:"
    question: str = "question"
    timer: str = "happens by itself"
    nobody: str = "No owner"
    start: str = "Start"
    paused: str = "paused"
    already_late: str = "already late"
    after: str = "After {}"
    late: str = "{} is late ({} gone)"
    late_plain: str = "{} is late"
    met: str = "{} was in time"
    warned: str = "{} of the time for “{}” used"
    anywhere: str = "At any step"
    phase: str = "At any step of “{}”"
    not_at: str = "not at {}"
    otherwise: str = "Otherwise"
    yes: str = "Yes"
    no: str = "No"
    which: str = "Which is it?"
    only_if: str = "{}, if {}"
    condition: str = "if {}"
    timed: str = "by itself to “{}”"
    tell: str = "tell {}"
    opens: str = "starts “{}”"
    raises: str = "reports “{}”"
    assigns: str = "goes to {}"
    sends: str = "sends “{}”"
    extends: str = "more time: {}"
    spends: str = "gives away: {}"
    asks_for: str = "does: {}"
    records: str = "is noted"
    from_step: str = "From step {}"
    sheet_step: str = "sheet {}, step {}"
    version: str = "version {}"
    owner: str = "owner: {}"
    valid: str = "valid from {}"
    page: str = "page {} of {}"
    step: str = "Step {}"
    ends: str = "End: {}"
    chart_of: str = "Flowchart: {}"
    steps_told: str = "{} steps. {}"
    every: str = "Every {}"
    or_: str = "or"
    all_flows: str = "How the flows lead to each other"
    opens_word: str = "starts"
    raises_word: str = "reports"
    level: str = "Level {}"
    entering: str = "On arrival"
    until: str = "until {}"
    before: str = "{} before {}"
    past: str = "{} after {}"
    less_than: str = "less than {}"
    quoted: str = "“{}”"
    stays: str = "the case stays where it is"
    again_restart: str = "begins anew"
    again_continue: str = "goes on"
    visits: str = "{} times here"
    open: str = "{} open"
    late_of: str = "{} late"
    share: str = "{}\u00a0%"
    few: str = "too few for a share"
    no_case: str = "no case"
    median: str = "half within {}"
    told_of: str = "{}: {}"
    in_time: str = "{} of {} in time"
    target: str = "target {}\u00a0%"
    cases: str = "{} cases"
    between: str = "{} to {}"
    none_late: str = "late: none"
    up_to: str = "up to {}\u00a0%"
    over: str = "over {}\u00a0%"


ENGLISH = Labels()

FRENCH = Labels(
    who="Qui :", question="question", timer="se fait tout seul", nobody="Sans responsable", start="Début",
    paused="en pause", already_late="déjà en retard", after="Après {}",
    late="{} : en retard ({} écoulés)", late_plain="{} : en retard", met="{} : dans le délai",
    warned="{} du délai « {} » écoulé", anywhere="À toute étape", phase="À toute étape de « {} »",
    not_at="sauf {}", otherwise="Sinon", yes="Oui", no="Non", which="Lequel ?", only_if="{}, si {}", condition="si {}",
    timed="tout seul vers « {} »",
    tell="prévenir {}", opens="ouvre « {} »", raises="signale « {} »", assigns="confié à {}", sends="envoie « {} »",
    extends="délai prolongé : {}", spends="accorde : {}",
    asks_for="fait : {}", records="est noté", from_step="De l’étape {}",
    sheet_step="feuille {}, étape {}", version="version {}",
    owner="responsable : {}", valid="valable dès le {}", page="page {} sur {}", step="Étape {}", ends="Fin : {}",
    chart_of="Schéma : {}", steps_told="{} étapes. {}", every="Tous les {}", or_="ou",
    all_flows="Comment les processus s’enchaînent", opens_word="ouvre", raises_word="signale", level="Niveau {}",
    entering="À l’arrivée", until="jusqu’à {}", before="{} avant {}", past="{} après {}", less_than="moins de {}",
    quoted="« {} »", stays="le dossier reste où il est", again_restart="repart à zéro", again_continue="reprend",
    visits="{} fois ici", open="{} en cours", late_of="{} en retard", few="trop peu pour un pourcentage",
    no_case="aucun dossier", median="la moitié en {} ou moins", told_of="{} : {}", in_time="{} sur {} dans le délai",
    target="objectif {}\u00a0%", cases="{} dossiers", between="du {} au {}", none_late="en retard : aucun",
    up_to="jusqu’à {}\u00a0%", over="plus de {}\u00a0%",
)  # fmt: skip

GERMAN = Labels(
    who="Wer:", question="Frage", timer="geschieht von selbst", nobody="Niemand zuständig", start="Beginn",
    paused="pausiert", already_late="schon zu spät", after="Nach {}",
    late="{} ist zu spät ({} vorbei)", late_plain="{} ist zu spät", met="{} war rechtzeitig",
    warned="{} der Zeit für „{}“ vorbei", anywhere="Bei jedem Schritt", phase="Bei jedem Schritt von „{}“",
    not_at="nicht bei {}", otherwise="Sonst", yes="Ja", no="Nein", which="Was trifft zu?", only_if="{}, wenn {}",
    condition="wenn {}", timed="von selbst zu „{}“",
    tell="{} Bescheid sagen", opens="beginnt „{}“", raises="meldet „{}“", assigns="geht an {}", sends="sendet „{}“",
    extends="mehr Zeit: {}", spends="gibt her: {}",
    asks_for="tut: {}", records="wird notiert", from_step="Von Schritt {}",
    sheet_step="Blatt {}, Schritt {}", version="Fassung {}",
    owner="verantwortlich: {}", valid="gültig ab {}", page="Seite {} von {}", step="Schritt {}", ends="Ende: {}",
    chart_of="Ablauf: {}", steps_told="{} Schritte. {}", every="Alle {}", or_="oder",
    all_flows="Wie die Abläufe zusammenhängen", opens_word="beginnt", raises_word="meldet", level="Ebene {}",
    entering="Bei Ankunft", until="bis {}", before="{} vor {}", past="{} nach {}", less_than="weniger als {}",
    quoted="„{}“", stays="der Fall bleibt, wo er ist", again_restart="beginnt neu", again_continue="läuft weiter",
)  # fmt: skip

ARABIC = Labels(
    who="من:", question="سؤال", timer="يحدث تلقائيًا", nobody="بلا مسؤول", start="البداية", paused="الوقت متوقف",
    already_late="متأخر بالفعل", after="بعد {}", late="{}: تأخر (مضى {})", late_plain="{}: تأخر",
    met="{}: في الموعد", warned="مضى {} من وقت «{}»", anywhere="في أي خطوة", phase="في أي خطوة من «{}»",
    not_at="ما عدا {}", otherwise="وإلا", yes="نعم", no="لا", which="أيها؟", only_if="{}، إذا {}",
    condition="إذا {}", timed="تلقائيًا إلى «{}»", tell="أبلغ {}",
    opens="يبدأ «{}»", raises="يبلّغ عن «{}»", assigns="يُسند إلى {}", sends="يرسل «{}»", extends="وقت إضافي: {}",
    spends="يمنح: {}",
    asks_for="ينفّذ: {}", records="يُسجَّل", from_step="من الخطوة {}", sheet_step="ورقة {}، خطوة {}",
    version="الإصدار {}", owner="المسؤول: {}", valid="ساري من {}", page="صفحة {} من {}",
    step="الخطوة {}", ends="النهاية: {}", chart_of="مخطط: {}", steps_told="{} خطوات. {}", every="كل {}",
    or_="أو", all_flows="كيف تتصل المسارات", opens_word="يبدأ", raises_word="يبلّغ", level="المستوى {}",
    entering="عند الوصول", until="حتى {}", before="{} قبل {}", past="{} بعد {}", less_than="أقل من {}", quoted="«{}»",
    stays="تبقى الحالة في مكانها", again_restart="يبدأ من جديد", again_continue="يستمر",
)  # fmt: skip

_ALL = {"en": ENGLISH, "fr": FRENCH, "de": GERMAN, "ar": ARABIC}


def labels_of(language: str) -> Labels:
    """The words in a language ("fr", "fr-CA"); English where there are none of that language."""
    return _ALL.get(primary_language(language), ENGLISH)
