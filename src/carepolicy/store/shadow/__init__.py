"""Another policy set, tried beside the installed one."""
