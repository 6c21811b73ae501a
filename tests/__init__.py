"""The proofs of what SPEC and README promise."""
