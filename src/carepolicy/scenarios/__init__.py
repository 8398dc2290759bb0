"""Scenarios: tests of a policy set that a manager can read and write, run on the engine that runs the shop."""
