"""How the engine runs: the shard loop, recovery, and the process that writes snapshots."""
