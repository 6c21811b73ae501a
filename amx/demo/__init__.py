"""The whole product at work, in a folder that is thrown away."""
