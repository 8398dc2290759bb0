"""All that a store says in SQL: ``statements`` by subject, the two kinds of database, and their tables."""
