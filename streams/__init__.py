"""Kafka: topics, what their records hold, and the Faust agents that read them."""
