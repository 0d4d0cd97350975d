"""HTTP: the device plane that the Edge API calls and the management plane that people call."""
