"""Events and timers as they come: one by one, in logs, by one process or several."""
