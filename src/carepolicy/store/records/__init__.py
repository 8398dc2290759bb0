"""What proves the records of a store: their chains, checkpoints kept elsewhere, and a look through all of it."""
