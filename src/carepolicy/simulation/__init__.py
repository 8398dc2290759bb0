"""Simulations: what a policy, its staff and the work that comes would make of the days ahead."""
