"""Work in batches that runs outside the engine's loop: pure functions from a description to a result."""
