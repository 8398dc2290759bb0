"""The sentences in which changes are told, in French."""

from __future__ import annotations

from carepolicy.charts.changes.words import ChangeWords

FRENCH = ChangeWords(
    new="NOUVEAU", changed_word="MODIFIÉ", removed="SUPPRIMÉ", changed="{} : {}, au lieu de {}",
    changed_text="{} : « {} », au lieu de « {} »", added="{} : désormais {}", dropped="{} : plus de {}",
    altered="{} : modifié", nothing="Rien n’a changé.", title="Ce qui a changé", shared="Pour tous les processus",
    of_flow="Ce qui change : {}", legend_title="Entre {} et {}", count="{} changements", count_one="1 changement",
    to_step="montrer sur le schéma",
    appears={
        "flow": "Nouveau processus : « {} »",
        "event": "Nouvel événement : « {} »", "clock": "Nouvelle promesse : « {} »",
        "step": "Nouvelle étape : « {} »", "end": "Nouvelle fin : « {} »", "way": "Nouveau – {}",
        "role": "Nouveau rôle : « {} »", "calendar": "Nouveau calendrier : « {} »", "channel": "Nouveau canal : « {} »",
        "setting": "Nouveau réglage : « {} »", "fact": "Nouvelle donnée : « {} »", "watch": "Nouvelle veille : « {} »",
        "term": "Nouveau mot : « {} »", "message": "Nouveau message : « {} »",
    },
    goes={
        "flow": "Le processus « {} » est supprimé", "event": "L’événement « {} » est supprimé",
        "clock": "La promesse « {} » est supprimée", "step": "L’étape « {} » est supprimée",
        "end": "La fin « {} » est supprimée", "way": "Supprimé – {}", "role": "Le rôle « {} » est supprimé",
        "calendar": "Le calendrier « {} » est supprimé", "channel": "Le canal « {} » est supprimé",
        "setting": "Le réglage « {} » est supprimé", "fact": "La donnée « {} » est supprimée",
        "watch": "La veille « {} » est supprimée", "term": "Le mot « {} » est supprimé",
        "message": "Le message « {} » est supprimé",
    },
    aspects={
        "happens": "", "value": "", "counts": "", "text": "texte", "version": "version", "title": "titre",
        "purpose": "but", "owner": "responsable", "steward": "référent", "valid_from": "valable dès le",
        "calendar": "calendrier", "keep": "conservé", "retention": "conservés aussi",
        "every": "tous les", "starting": "à partir de",
        "promise": "promesse", "subject": "objet", "covers": "couvre", "based_on": "d’après",
        "synonyms": "aussi appelé", "order": "ordre des étapes", "moves_to": "les dossiers ouverts passent",
        "phases": "phases", "by": "vient de", "carries": "porte", "target": "dans le délai", "warn_at": "avertit à",
        "runs_in": "court à", "pauses_in": "s’arrête à", "restarts_on": "recommence quand",
        "again": "quand il reprend", "counts_from": "compté depuis", "never_pauses": "ne s’arrête jamais",
        "rolls": "un jour fermé", "channel": "canal", "waits": "qui attend", "steps": "que faire",
        "say": "que dire", "never": "à ne jamais dire", "ask": "question", "note": "pourquoi",
        "start_on": "commence quand", "outcome": "issue", "to": "mène à", "when": "condition", "answer": "réponse",
        "except": "sauf à", "send": "envoie", "tell": "prévient", "request": "fait", "open": "ouvre",
        "raise": "signale", "assign": "confié à", "extend": "délai prolongé", "spends": "accorde", "set": "note",
        "people": "personnes",
        "deputy": "suppléant", "authority": "peut décider jusqu’à", "may_see": "peut voir", "colour": "couleur",
        "hours": "horaires", "timezone": "fuseau horaire", "holidays": "jours fériés", "closed": "jours fermés",
        "open_days": "horaires spéciaux", "imports": "jours importés", "address": "adresse", "type": "genre",
        "card": "numéros de carte cherchés",
        "private": "confidentialité", "default": "valeur par défaut", "languages": "langues", "palette": "couleurs",
        "paper": "papier", "apologises": "s’excuse", "enter": "à l’arrivée", "leave": "en partant",
    },
)  # fmt: skip
