"""Commands that run Muster and set it up."""
