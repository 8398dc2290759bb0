"""Policy sets of a store: installed, planned, and applied to its open cases."""
