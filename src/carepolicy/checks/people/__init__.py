"""Rules about who acts, and how much they may give away: CP5xx."""
