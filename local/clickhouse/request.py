"""What was asked: an HTTP request taken apart into statement, data, parameters, settings and wishes for the answer."""

from collections.abc import Mapping
from email.parser import BytesParser
from email.policy import HTTP
from typing import Final, NamedTuple
from urllib.parse import parse_qsl
from uuid import uuid4

from local.clickhouse.compression import choose_encoding
from local.clickhouse.errors import ClickHouseError, not_supported

# Parameters of ClickHouse's HTTP interface that are not settings; all others are.
_NOT_SETTINGS: Final = frozenset(
    {
        "buffer_size",
        "client_protocol_version",
        "close_session",
        "compress",
        "database",
        "decompress",
        "default_format",
        "password",
        "query",
        "query_id",
        "quota_key",
        "session_check",
        "session_id",
        "session_timeout",
        "stacktrace",
        "user",
        "wait_end_of_query",
    }
)

# Settings about the connection, which end here: the engine would take them and do nothing.
_OURS: Final = frozenset({"enable_http_compression", "http_zlib_compression_level", "log_comment"})

_PARAMETER: Final = "param_"
_DEFAULT_FORMAT: Final = "TabSeparated"


class Asked(NamedTuple):
    """One request. `text` is statement and data; `settings` are for the engine, by name."""

    text: bytes
    database: str
    parameters: Mapping[str, str]
    settings: Mapping[str, str]
    default_format: str
    query_id: str
    is_read_only: bool
    waits_for_end: bool
    answer_encoding: str | None


def url_parameters(query_string: bytes) -> dict[str, str]:
    """The parameters behind `?`; of one given twice the last counts. Raises ClickHouseError."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            encoding="utf-8",
            errors="strict",
            max_num_fields=1000,
        )
    except ValueError as error:
        raise ClickHouseError(36, "BAD_ARGUMENTS", f"Cannot read the URL's parameters: {error}") from None
    return dict(pairs)


def read_request(
    method: str, headers: Mapping[str, str], parameters: Mapping[str, str], body: bytes, database: str
) -> Asked:
    """Put URL, headers and unpacked body together. `database` is used when none is named. Raises ClickHouseError."""
    content_type = headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        parameters = {**parameters, **_form_fields(content_type, body)}
        body = b""
    for unsupported in ("compress", "decompress"):
        if parameters.get(unsupported, "0") not in ("0", "false", ""):
            raise not_supported(f"{unsupported}=1 (ClickHouse's own blocks) is not supported: use Content-Encoding")
    query = parameters.get("query", "")
    text = query.encode() + b"\n" + body if query else body
    if not text.strip():
        raise ClickHouseError(62, "SYNTAX_ERROR", "Syntax error: Empty query")
    return Asked(
        text,
        parameters.get("database") or headers.get("x-clickhouse-database") or database,
        {name.removeprefix(_PARAMETER): value for name, value in parameters.items() if name.startswith(_PARAMETER)},
        {name: value for name, value in parameters.items() if _is_setting(name)},
        parameters.get("default_format") or headers.get("x-clickhouse-format") or _DEFAULT_FORMAT,
        parameters.get("query_id") or str(uuid4()),
        method in ("GET", "HEAD"),
        parameters.get("wait_end_of_query") == "1",
        choose_encoding(headers.get("accept-encoding", ""))
        if parameters.get("enable_http_compression", "0") not in ("0", "false")
        else None,
    )


def _is_setting(name: str) -> bool:
    return not (name in _NOT_SETTINGS or name in _OURS or name.startswith(_PARAMETER))


def _form_fields(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form, in which clients send long statements and parameters. Raises ClickHouseError."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    fields: dict[str, str] = {}
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        if part.get_filename() is not None:
            raise not_supported("External data (a file in the form) is not supported: insert it into a table")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            fields[name] = content.decode(errors="replace")
    return fields
