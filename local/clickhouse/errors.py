"""ClickHouse's errors: codes, names and texts as the engine gives them, and the HTTP status a server maps each to."""

import re
from typing import Final

_CODED = re.compile(r"Code: (\d+)\. DB::(?:[A-Za-z]+)?Exception: ")
_NAME = re.compile(r" \(([A-Z][A-Z0-9_]+)\)")
_VERSION = re.compile(r"\s*\(version [^()]*(?:\([^()]*\))?\)")

UNKNOWN_EXCEPTION: Final = 1002

# What ClickHouse's server does (src/Server/HTTP/exceptionCodeToHTTPStatus.cpp); all others are 500.
_STATUS_OF_CODES: Final[tuple[tuple[int, frozenset[int]], ...]] = (
    (
        400,
        frozenset(
            {
                6,
                8,
                15,
                25,
                26,
                27,
                36,
                37,
                38,
                41,
                44,
                53,
                62,
                72,
                117,
                123,
                167,
                168,
                223,
                321,
                376,
                427,
                441,
                675,
                676,
            }
        ),
    ),
    (401, frozenset({194})),
    (403, frozenset({192, 193, 497, 512, 516})),
    (404, frozenset({46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511})),
    (408, frozenset({159})),
    (411, frozenset({381})),
    (413, frozenset({229})),
    (415, frozenset({779})),
    (501, frozenset({48})),
    (503, frozenset({76, 209, 439})),
    # A server says 500; 503 lets clients that know how to wait do so.
    (503, frozenset({202})),
)
_STATUS: Final = {code: status for status, codes in _STATUS_OF_CODES for code in codes}


class ClickHouseError(Exception):
    """What a client is told, in ClickHouse's words: `Code: 60. DB::Exception: … (UNKNOWN_TABLE)`."""

    def __init__(self, code: int, name: str, reason: str, status: int | None = None) -> None:
        super().__init__(f"Code: {code}. DB::Exception: {reason} ({name})")
        self.code = code
        self.name = name
        self.reason = reason
        self.status = status or _STATUS.get(code, 500)

    def text(self, version: str) -> bytes:
        """The body of the answer."""
        return f"{self} (version {version})\n".encode(errors="replace")


def from_engine(error: Exception) -> ClickHouseError:
    """The engine gives its errors as text, wrapped once or more; the innermost code is the cause."""
    text = _VERSION.sub("", str(error)).strip()
    codes = list(_CODED.finditer(text))
    if not codes:
        return ClickHouseError(UNKNOWN_EXCEPTION, "UNKNOWN_EXCEPTION", text or type(error).__name__)
    # `Code: 73. DB::Exception: Code: 73. DB::Exception: …` is one error told twice.
    start = codes[0]
    for following in codes[1:]:
        if following.start() != start.end():
            break
        start = following
    reason = text[start.end() :]
    names = list(_NAME.finditer(reason))
    name = names[-1].group(1) if names else "UNKNOWN_EXCEPTION"
    reason = re.sub(rf"(?:\.? *\({name}\)\.?)+$", "", reason)
    return ClickHouseError(int(start.group(1)), name, reason)


def access_denied(reason: str) -> ClickHouseError:
    """497, with the reason in our words."""
    return ClickHouseError(497, "ACCESS_DENIED", reason)


def not_supported(reason: str) -> ClickHouseError:
    """48: a server could, this endpoint does not."""
    return ClickHouseError(48, "NOT_IMPLEMENTED", reason)


def too_large(reason: str) -> ClickHouseError:
    """307, as a request larger than the limit."""
    return ClickHouseError(307, "TOO_MANY_BYTES", reason, status=413)


def body_too_large(limit_bytes: int) -> ClickHouseError:
    """For a body, packed or unpacked, over its sender's limit."""
    return too_large(
        f"Request body is larger than {limit_bytes} bytes: an owner's limit is MUSTER_CLICKHOUSE_BODY_LIMIT_MIB, an"
        " analyst's is fixed, since queries are short"
    )
