"""The house itself: isolation of the suite, layers, layout, cold start."""
