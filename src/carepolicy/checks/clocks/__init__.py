"""Rules about clocks, limits and promises: CP4xx."""
