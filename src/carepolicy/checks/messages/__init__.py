"""Rules about what customers are sent: CP6xx."""
