"""Commands about what resources were."""
