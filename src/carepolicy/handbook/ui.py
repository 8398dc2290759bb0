"""The handbook's own words, by language. Texts of the policy are never translated here."""

from __future__ import annotations

from dataclasses import dataclass

from carepolicy.businesstime.words import primary_language


@dataclass(frozen=True, slots=True)
class Ui:
    """Words of the pages in one language; ``{}`` marks where a value goes.

    ``stop`` are words that a search leaves out; ``day_time`` and ``day_pattern`` are date patterns of CLDR.
    """

    language: str = "en"
    colon: str = ":"
    handbook: str = "Staff handbook"
    title_of: str = "{} – staff handbook"
    skip: str = "Skip to the text"
    home: str = "Home"
    flows: str = "Flows"
    main_menu: str = "Handbook"
    languages: str = "Languages"
    search: str = "I have a customer who …"
    search_hint: str = (
        "Type what the customer says or wants: a few words are enough. Arrow keys move through what is found."
    )
    found_none: str = "Nothing found. Try another word, or look through the list of flows."
    found_one: str = "1 result"
    found_many: str = "{} results"
    no_script: str = "The search needs JavaScript. Everything else works without it."
    kind_state: str = "step"
    kind_end: str = "end"
    kind_flow: str = "flow"
    kind_message: str = "message"
    kind_term: str = "word"
    stop: str = (
        "i have a an the and or is are was of to in on at with who whose that this has had my our it its customer"
    )
    all_flows: str = "All flows"
    steps_count: str = "{} steps"
    step_count: str = "1 step"
    together: str = "How the flows lead to each other"
    promises: str = "What we promise"
    promise: str = "Promise"
    no_promises: str = "No flow has a clock."
    flow: str = "Flow"
    limit: str = "Limit"
    target: str = "In time"
    counted_in: str = "Counted in"
    elapsed: str = "elapsed time"
    who: str = "Who owns what"
    who_note: str = (
        "A = accountable: owns the flow. R = responsible: owns a step. C = consulted: the flow's steward, or "
        "a role to whom cases are given. I = informed: is told when something happens."
    )
    role: str = "Role"
    people: str = "People"
    deputy: str = "Deputy"
    authority: str = "May decide up to"
    accountable: str = "accountable"
    responsible: str = "responsible"
    consulted: str = "consulted"
    informed: str = "informed"
    not_involved: str = "not involved"
    roles: str = "Roles"
    calendars: str = "When we are open"
    timezone: str = "Time zone"
    closed_in: str = "Closed days in {}"
    closed_none: str = "No day off in {} besides the weekly rest."
    one_off: str = "Special hours in {}"
    closed: str = "closed"
    closed_word: str = "We are closed"
    channels: str = "How customers reach us"
    glossary: str = "Words that we use"
    version: str = "Version"
    owner: str = "Owner"
    steward: str = "Steward"
    valid_from: str = "Valid from"
    based_on: str = "Based on"
    also_called: str = "Also called"
    on_page: str = "On this page"
    chart: str = "Chart"
    no_chart: str = (
        "There was no Graphviz where this page was made, so there is no picture. The list of steps says the same."
    )
    too_large: str = "This chart is too large for this page. The steps below say the same."
    files: str = "Files"
    sheet: str = "Sheet {}"
    chart_area: str = "Chart of “{}”, sheet {}"
    steps: str = "Step by step"
    starts: str = "It starts when"
    every: str = "It starts every {}"
    paused_here: str = "stands still here"
    waits: str = "Who waits"
    what_to_do: str = "What to do"
    to_say: str = "What to say"
    never_say: str = "Never say or do"
    copy: str = "Copy"
    copied: str = "Copied"
    copy_what: str = "Copy what to say at “{}”"
    note: str = "Why"
    question: str = "Question"
    by_itself: str = "by itself"
    next: str = "What may happen next"
    meanwhile: str = "What may happen meanwhile"
    always: str = "What may happen at any step"
    to_step: str = "go to step {}, {}"
    to_end: str = "end: {}"
    stays: str = "the case stays where it is"
    sends: str = "sends"
    ends: str = "Ends"
    outcome: str = "Outcome"
    clocks: str = "Clocks"
    runs_in: str = "Runs in"
    pauses_in: str = "Stands still in"
    never_pauses: str = "Never stands still"
    restarts_on: str = "Begins anew when"
    warns_at: str = "Warns at"
    counts_from: str = "Counts from"
    if_: str = "if {}"
    else_: str = "otherwise"
    examples: str = "Examples"
    example: str = "Arrives {}, due {}."
    example_strict: str = "Arrives {}, due before {}."
    hangs_on: str = "Hangs on: {}"
    rolls: str = "A day on which we are closed moves it to the next open day."
    messages: str = "What the customer reads"
    messages_note: str = "With sample values. ‹Words in marks› stand for what we know of the case."
    without_values: str = "Where we do not know it all, these lines are:"
    no_messages: str = "This flow sends no messages."
    changes: str = "What changed"
    changed_since: str = "What changed since version {}"
    changed_nothing: str = "Nothing but the version."
    stories: str = "Stories"
    story_at: str = "{}: {}"
    story_wait: str = "Time passes: {}."
    story_until: str = "Time passes until {}."
    story_state: str = "Now the case is at “{}”."
    story_outcome: str = "It ends as: {}."
    story_due: str = "“{}” falls due {}."
    story_sent: str = "The customer is sent: {}."
    story_not_sent: str = "Not sent: {}."
    story_told: str = "Told: {}."
    story_not_told: str = "Not told: {}."
    story_requested: str = "Asked for: {}."
    story_opened: str = "Begins: {}."
    story_raised: str = "Reported: {}."
    story_assigned: str = "The case goes to: {}."
    story_warned: str = "A warning comes: {}."
    story_late: str = "Late: {}."
    story_met: str = "In time: {}."
    story_running: str = "Running: {}."
    story_paused: str = "Standing still: {}."
    story_stopped: str = "Stopped: {}."
    story_cancelled: str = "No longer counts: {}."
    story_facts: str = "Known: {}."
    story_unexpected: str = "This is not expected here: nothing changes."
    story_rejected: str = "This cannot be taken: nothing changes."
    day_time: str = "EEEE d MMMM y, HH:mm"
    day_pattern: str = "EEEE d MMMM y"
    made_from: str = "Made from policy set {}. Times are in {}."
    check_newer: str = "A printed page may be old: the handbook on the screen holds."
    yes: str = "yes"
    no: str = "no"
    customer: str = "the customer"
    us: str = "us"
    carrier: str = "the carrier"
    partner: str = "the partner"
    other: str = "someone else"


ENGLISH = Ui()


FRENCH = Ui(
    language="fr", colon=" :", handbook="Guide de l’équipe", title_of="{} – guide de l’équipe", skip="Aller au texte",
    home="Accueil", flows="Processus", main_menu="Guide", languages="Langues", search="J’ai un client qui …",
    search_hint=(
        "Tapez ce que le client dit ou veut : quelques mots suffisent. Les flèches parcourent les résultats."
    ),
    found_none="Rien trouvé. Essayez un autre mot, ou parcourez la liste des processus.", found_one="1 résultat",
    found_many="{} résultats", no_script="La recherche a besoin de JavaScript. Tout le reste fonctionne sans.",
    kind_state="étape", kind_end="fin", kind_flow="processus", kind_message="message", kind_term="mot",
    stop=(
        "j ai un une le la les l d de du des et ou est sont a à au aux en dans avec qui que dont mon notre "
        "son sa client"
    ),
    all_flows="Tous les processus", steps_count="{} étapes", step_count="1 étape",
    together="Comment les processus s’enchaînent", promises="Ce que nous promettons", promise="Promesse",
    no_promises="Aucun processus n’a de délai.", flow="Processus", limit="Durée", target="À temps",
    counted_in="Compté en", elapsed="temps écoulé", who="Qui fait quoi",
    who_note=(
        "A = approuve : répond du processus. R = réalise : responsable d’une étape. C = consulté : le "
        "référent du processus, ou un rôle à qui des dossiers sont confiés. I = informé : prévenu quand "
        "quelque chose arrive."
    ),
    role="Rôle", people="Personnes", deputy="Suppléant", authority="Peut décider jusqu’à", accountable="approuve",
    responsible="réalise", consulted="consulté", informed="informé", not_involved="non concerné", roles="Rôles",
    calendars="Quand nous sommes ouverts", timezone="Fuseau horaire", closed_in="Jours de fermeture en {}",
    closed_none="Aucun jour de fermeture en {} en dehors du repos hebdomadaire.",
    one_off="Horaires particuliers en {}", closed="fermé", closed_word="Nous sommes fermés",
    channels="Comment les clients nous joignent", glossary="Les mots que nous employons", version="Version",
    owner="Responsable", steward="Référent", valid_from="Valable dès le", based_on="D’après",
    also_called="Aussi appelé", on_page="Sur cette page", chart="Schéma",
    no_chart=(
        "Graphviz manquait là où cette page a été faite : il n’y a pas d’image. La liste des étapes dit la "
        "même chose."
    ),
    too_large="Ce schéma est trop grand pour cette page. Les étapes ci-dessous disent la même chose.",
    files="Fichiers", sheet="Feuille {}", chart_area="Schéma de « {} », feuille {}", steps="Pas à pas",
    starts="Cela commence quand", every="Cela commence tous les {}", paused_here="en pause ici", waits="Qui attend",
    what_to_do="Ce qu’il faut faire", to_say="Ce qu’il faut dire", never_say="À ne jamais dire ni faire",
    copy="Copier", copied="Copié", copy_what="Copier ce qu’il faut dire à « {} »", note="Pourquoi",
    question="Question", by_itself="tout seul", next="Ce qui peut arriver ensuite",
    meanwhile="Ce qui peut arriver entre-temps", always="Ce qui peut arriver à toute étape",
    to_step="aller à l’étape {}, {}", to_end="fin : {}", stays="le dossier reste où il est", sends="envoie",
    ends="Fins", outcome="Issue", clocks="Délais", runs_in="Court dans", pauses_in="En pause dans",
    never_pauses="Jamais en pause", restarts_on="Recommence quand", warns_at="Avertit à", counts_from="Compté depuis",
    if_="si {}", else_="sinon", examples="Exemples", example="Arrive {}, échéance {}.",
    example_strict="Arrive {}, à faire avant {}.", hangs_on="Dépend de : {}",
    rolls="Un jour de fermeture la reporte au jour ouvert suivant.", messages="Ce que lit le client",
    messages_note=(
        "Avec des valeurs d’exemple. Les ‹mots entre guillemets› tiennent la place de ce que nous savons du "
        "dossier."
    ),
    without_values="Quand nous ne savons pas tout, ces lignes deviennent :",
    no_messages="Ce processus n’envoie aucun message.", changes="Ce qui a changé",
    changed_since="Ce qui a changé depuis la version {}", changed_nothing="Rien d’autre que la version.",
    stories="Histoires", story_at="{} : {}", story_wait="Le temps passe : {}.",
    story_until="Le temps passe jusqu’au {}.", story_state="Le dossier est maintenant à « {} ».",
    story_outcome="Issue : {}.", story_due="Échéance de « {} » : {}.", story_sent="Le client reçoit : {}.",
    story_not_sent="Pas envoyé : {}.", story_told="Prévenus : {}.", story_not_told="Pas prévenus : {}.",
    story_requested="Demandé : {}.", story_opened="Commence : {}.", story_raised="Signalé : {}.",
    story_assigned="Le dossier est confié à : {}.", story_warned="Avertissement : {}.", story_late="En retard : {}.",
    story_met="À temps : {}.", story_running="Court : {}.", story_paused="En pause : {}.",
    story_stopped="Arrêté : {}.", story_cancelled="Ne compte plus : {}.", story_facts="Connu : {}.",
    story_unexpected="Ce n’est pas prévu ici : rien ne change.",
    story_rejected="Cela ne peut pas être pris : rien ne change.",
    made_from="Fait à partir des règles {}. Heures : {}.",
    check_newer="Une page imprimée peut être ancienne : le guide à l’écran fait foi.", yes="oui", no="non",
    customer="le client", us="nous", carrier="le transporteur", partner="le partenaire", other="quelqu’un d’autre",
)  # fmt: skip


def ui_of(language: str) -> Ui:
    """The words in a language ("fr", "fr-CA"); English where there are none of that language."""
    return {"en": ENGLISH, "fr": FRENCH}.get(primary_language(language), ENGLISH)
