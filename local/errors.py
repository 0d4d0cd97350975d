"""What the local parts cannot do here, each said in one line that names what to change."""


class LocalError(Exception):
    """Something on this machine is in the way; the message names the setting or file to change."""
