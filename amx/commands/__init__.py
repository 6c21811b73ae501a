"""The commands: each parses, calls one service and prints. Siblings never import each other."""
