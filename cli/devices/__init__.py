"""Commands about devices' lives, beside their resources."""
