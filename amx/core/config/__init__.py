"""Guard 4: a configuration that no crash harms."""
