"""What Muster knows about fleets, as functions of values: no I/O, no clock, no randomness of its own."""
