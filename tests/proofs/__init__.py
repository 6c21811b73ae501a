"""Proofs of guard 4: programs that count what they tried, and their reduced forms as tests."""
