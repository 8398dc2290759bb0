"""The sentences in which changes are told, in French."""

from __future__ import annotations

from carepolicy.charts.changes.words import ChangeWords, aspects_told

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
        **aspects_told(1),
        "happens": "", "value": "", "counts": "", "retention": "conservés aussi", "order": "ordre des étapes",
        "enter": "à l’arrivée", "leave": "en partant",
    },
)  # fmt: skip
