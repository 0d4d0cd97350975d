"""Reads what devices send: JSON objects decoded by prebuilt typed decoders, which is their whole validation.

Whatever is wrong with a body ends in one BadInputError that says where; nothing else leaves this module.
"""

from typing import TypeVar

import msgspec

from fleet.errors import BadInputError

Body = TypeVar("Body")


def read_object(decoder: "msgspec.json.Decoder[Body]", body: bytes, noun: str) -> Body:
    """Decode one JSON object. `noun` names it in messages, such as `heartbeat`.

    Raises BadInputError for bytes that are not UTF-8, not JSON, not an object, nested too deeply, or with a known
    field of the wrong type; the message carries the byte or the path.
    """
    try:
        # The decoder skips unknown fields unread, and what is stored must be text throughout.
        body.decode()
        return decoder.decode(body)
    except UnicodeDecodeError as error:
        raise BadInputError(f"the {noun} is not UTF-8: {error.reason} at byte {error.start}") from None
    except msgspec.ValidationError as error:
        raise BadInputError(f"the {noun} cannot be read: {error}") from None
    except msgspec.DecodeError as error:
        raise BadInputError(f"the {noun} is not JSON: {error if body else 'the body is empty'}") from None
    except RecursionError:
        raise BadInputError(f"the {noun} is nested too deeply") from None
