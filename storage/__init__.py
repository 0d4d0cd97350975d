"""ClickHouse: schema and migrations, row types and one module per table. Knows neither HTTP nor Kafka."""
