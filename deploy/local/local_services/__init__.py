"""Apache Kafka and Redis on one machine, started and stopped as plain processes."""
