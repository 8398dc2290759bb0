"""Rules about time zones, hours and holidays: those of CP2xx and CP6xx that judge a calendar."""
