"""The kinds of resources operators know, their models and their rules."""
