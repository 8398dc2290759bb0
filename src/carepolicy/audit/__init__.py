"""Audits: past events go through the policies with the engine that runs live, and are measured."""
