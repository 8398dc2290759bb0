"""Version 6: what was merged into a subject is found from there too."""

STATEMENTS = ("CREATE INDEX subjects_by_merging ON subjects (merged_into) WHERE merged_into IS NOT NULL",)
