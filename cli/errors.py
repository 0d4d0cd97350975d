"""What ends a command with one line instead of a stack trace."""


class CommandError(Exception):
    """The command cannot do what was asked; the message says what to change. `status` is the exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
