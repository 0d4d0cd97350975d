"""Apache Kafka from pinned Maven artifacts, on the Java runtime of a Python package."""
