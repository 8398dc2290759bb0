"""Rules about how a file is written: CP118 and CP119."""
