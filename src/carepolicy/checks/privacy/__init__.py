"""Rules about private facts: CP7xx."""
