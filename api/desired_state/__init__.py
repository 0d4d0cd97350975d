"""This process's view of the fleet: loaded, kept current by the feed, and changed through the command log."""
