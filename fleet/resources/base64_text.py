"""Base64 as the Kubernetes API reads it: the standard alphabet, padded, line breaks allowed."""

from base64 import b64decode
from binascii import Error

from fleet.errors import InvalidResourceError


def canonical_base64(text: str, field: str) -> str:
    """The text without line breaks. Raises InvalidResourceError naming `field`, never the text: it may be secret."""
    joined = text.replace("\n", "").replace("\r", "")
    try:
        b64decode(joined, validate=True)
    except (Error, ValueError):
        raise InvalidResourceError(
            f"{field} is not base64: encode it (base64 -w0), or use stringData in a Secret", field
        ) from None
    return joined
