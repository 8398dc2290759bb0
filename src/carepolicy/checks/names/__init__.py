"""Rules about names of nothing, and values that do not suit their keys: CP2xx."""
