"""Readers of a profile's own database."""
