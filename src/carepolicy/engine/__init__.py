"""Programs run against events: a pure function from a history to records."""
