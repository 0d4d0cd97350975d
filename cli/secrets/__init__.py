"""Commands that tend the keys which Secrets are encrypted with."""
