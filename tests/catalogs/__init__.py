"""Tests of the readers of a profile's own database."""
