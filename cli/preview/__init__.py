"""`muster preview`."""
