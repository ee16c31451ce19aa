"""Groups of shards in different processes: calls that reach the wrong one, and what crosses between them."""
