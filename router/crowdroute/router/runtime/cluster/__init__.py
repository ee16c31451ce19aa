"""Many shards on many processes: who serves what, who watches whom, and how that changes without a loss."""
