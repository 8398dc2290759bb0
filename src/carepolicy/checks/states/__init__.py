"""Rules about the ways through a flow: CP3xx."""
