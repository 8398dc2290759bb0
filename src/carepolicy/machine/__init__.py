"""A flow becomes a ``transitions`` machine, and a machine becomes a program of plain tables."""
