"""Heartbeats from their topic into ClickHouse, each exactly once."""
