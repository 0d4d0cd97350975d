"""`muster pki`: certificates to try mutual TLS with."""
