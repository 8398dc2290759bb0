"""Rules about titles: CP8xx."""
