"""Why a change is made, as its caller says in the header `Muster-Message`: UTF-8, percent-encoded beyond ASCII."""

from base64 import b64decode
from typing import Final
from urllib.parse import unquote_to_bytes

from fleet.decisions.change_message import check_message
from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError, InvalidResourceError

MESSAGE_HEADER: Final = "Muster-Message"

_TELLING_LENGTH: Final = 4
"""Characters from which on a value in a message is no coincidence."""


def read_message(header: str) -> str:
    """The message; empty when nothing is said. Raises BadInputError."""
    try:
        return check_message(unquote_to_bytes(header).decode())
    except UnicodeDecodeError:
        raise BadInputError(f"{MESSAGE_HEADER} is not UTF-8: percent-encode its bytes") from None


def refuse_telling(message: str, secret: JSONObject) -> None:
    """Raise InvalidResourceError when a message repeats a value of the Secret (opened) that is changed."""
    for key, value in (secret.get("data") or {}).items():
        text = b64decode(value).decode(errors="replace").strip()
        if any(len(each) >= _TELLING_LENGTH and each in message for each in (text, value)):
            raise InvalidResourceError(
                f"the message holds the value of data[{key}]: messages are kept and shown, say it without",
                f"data[{key}]",
            )
