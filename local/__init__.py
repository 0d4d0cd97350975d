"""One machine: a real Kafka broker and a ClickHouse endpoint, started, watched and stopped as child processes."""
