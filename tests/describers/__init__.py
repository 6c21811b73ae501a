"""Tests of what writes descriptions."""
