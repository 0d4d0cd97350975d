"""Watches: changes of resources as they happen, streamed from the feed."""
