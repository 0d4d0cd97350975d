"""Where the API listens, what its TLS asks for, and who may call which plane."""
