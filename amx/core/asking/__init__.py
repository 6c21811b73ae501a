"""How a question finds its answer in a catalog."""
