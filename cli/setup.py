"""`muster setup`: keys, tables, topics and epoch."""


def setup() -> int:
    """Make what Muster needs in Kafka and ClickHouse."""
    return 1
