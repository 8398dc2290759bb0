"""Version 6: what was merged into a subject is found from there too; which events no case took.

``untaken`` has the ids of events that had no effect, so that they may come again: ``input`` is the log in which one
stood, 0 where it came alone, ``times`` how often it was not taken.
"""

STATEMENTS = (
    "CREATE INDEX subjects_by_merging ON subjects (merged_into) WHERE merged_into IS NOT NULL",
    """CREATE TABLE untaken (
        source {text} NOT NULL, id {text} NOT NULL, input {number} NOT NULL, times {number} NOT NULL,
        PRIMARY KEY (source, id)){clustered}""",
)
