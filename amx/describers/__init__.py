"""Writers of proposed descriptions."""
