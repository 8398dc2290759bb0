"""carepolicy."""
