"""Cases as people ask for them."""
