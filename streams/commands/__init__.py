"""The command log: decided in batches, stored, published in the feed."""
