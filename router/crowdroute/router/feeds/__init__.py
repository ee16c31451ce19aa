"""Topics of Kafka that tasks come from; see `docs/feeds.md`."""
