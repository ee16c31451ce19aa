"""The pure engine: decide, apply, due, check and snapshot, split by concern behind one door
(`shard.Shard`)."""
