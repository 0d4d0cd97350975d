"""Who changes something from this command line: told to the server, which notes it beside every change."""

import getpass

AUTHOR_HEADER = "Muster-Author"


def author() -> str:
    """The name of the user of the operating system, in characters a header may carry."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):  # a container's user without a name
        name = "unknown"
    return name.encode("ascii", "replace").decode()
