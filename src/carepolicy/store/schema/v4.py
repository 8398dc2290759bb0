"""Version 4: the channel of a request, so that each carrier takes its own; empty where there is none.

For requests of earlier versions it is not known here (NULL); who takes one finds it in its record.
"""

STATEMENTS = ("ALTER TABLE outbox ADD COLUMN channel {text}",)
