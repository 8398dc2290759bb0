"""What records tell of cases when they are read back: their order, how cases stand, and what happened in words."""
