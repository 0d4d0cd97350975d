"""Reading heartbeats and folding them into rows, so that any replay gives the same rows or none."""
