"""The management plane as a command sees it: JSON over HTTP, refusals as errors fit to be printed.

A change carries a request id. When its outcome stays unknown (504, or no answer) it is sent once more under the same
id, which the server applies once at most.
"""

import re
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import httpx
import orjson

from cli.author import AUTHOR_HEADER, author
from cli.errors import CommandError
from fleet.decisions.commands import JSONObject

REQUEST_ID_HEADER = "Muster-Request-Id"
MESSAGE_HEADER = "Muster-Message"
MERGE_PATCH = "application/merge-patch+json"
PAGE_SIZE = 500
"""Resources asked for at a time."""

BUSY_TRIES = 5
"""A server that is busy or still loading (503) is asked this often before the command gives up."""

BUSY_PAUSE_LIMIT_S = 5.0

_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


class RefusedError(CommandError):
    """The server refused; the message is the server's. `status_code` is the HTTP status, `causes` (field, message)."""

    def __init__(self, message: str, status_code: int, causes: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.causes = causes


class Answer(NamedTuple):
    """What a change made of the resource, and what its author should know."""

    body: JSONObject
    warnings: list[str]


class Server:
    """A connection to one server; threads may share it. `message` says why it changes what it changes.

    A context manager.
    """

    def __init__(
        self,
        address: str,
        timeout_s: float,
        *,
        token: str = "",
        message: str = "",
        verified_by: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
        new_request_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._address = address
        self._timeout_s = timeout_s
        self._sleep = sleep
        self.new_request_id = new_request_id
        # A header carries ASCII alone.
        self._reason = {MESSAGE_HEADER: quote(message)} if message else {}
        # The environment's proxies are not for a server on this machine.
        self._client = httpx.Client(
            base_url=address,
            timeout=timeout_s,
            trust_env=False,
            verify=verified_by or True,
            headers={"Authorization": f"Bearer {token}"} if token else {},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, str] | None = None) -> JSONObject:
        """One resource or one page of a list. Raises RefusedError or CommandError."""
        return self._send(self._client.build_request("GET", path, params=params)).body

    def ask(self, path: str, body: JSONObject) -> JSONObject:
        """The answer to a question that has a body, and changes nothing. Raises RefusedError or CommandError."""
        headers = {"Content-Type": "application/json"}
        return self._send(self._client.build_request("POST", path, content=orjson.dumps(body), headers=headers)).body

    def find(self, path: str) -> JSONObject | None:
        """One resource, or None when there is none of that name. Raises RefusedError or CommandError."""
        try:
            return self.get(path)
        except RefusedError as error:
            if error.status_code == HTTPStatus.NOT_FOUND:
                return None
            raise

    def list(self, path: str, params: Mapping[str, str]) -> Iterator[JSONObject]:
        """All resources of a list, page by page. Raises RefusedError or CommandError."""
        token = ""
        while True:
            page = self.get(path, {**params, "limit": str(PAGE_SIZE)} | ({"continue": token} if token else {}))
            yield from page.get("items") or ()
            token = (page.get("metadata") or {}).get("continue") or ""
            if not token:
                return

    def change(
        self,
        method: str,
        path: str,
        body: JSONObject | None = None,
        *,
        content_type: str = "application/json",
        is_dry_run: bool = False,
        request_id: str | None = None,
    ) -> Answer:
        """Change something, or with `is_dry_run` ask whether that would be accepted.

        `request_id` is of an earlier call of the same content, whose outcome is asked for again.

        Raises RefusedError or CommandError.
        """
        headers = {AUTHOR_HEADER: author(), REQUEST_ID_HEADER: request_id or self.new_request_id(), **self._reason}
        if body is not None:
            headers["Content-Type"] = content_type
        request = self._client.build_request(
            method,
            path,
            params={"fieldValidation": "Warn"} | ({"dryRun": "All"} if is_dry_run else {}),
            content=None if body is None else orjson.dumps(body),
            headers=headers,
        )
        try:
            return self._send(request)
        except _OutcomeUnknownError:
            return self._send(request)

    def _send(self, request: httpx.Request) -> Answer:
        for tries_left in reversed(range(BUSY_TRIES)):
            response = self._answer(request)
            if response.status_code != HTTPStatus.SERVICE_UNAVAILABLE or not tries_left:
                break
            self._sleep(_pause_s(response))
        content = _content(response)
        if response.is_success:
            return Answer(content, _warnings(response))
        message = content.get("message") or f"{self._address} answered {response.status_code} without saying why"
        if response.status_code == HTTPStatus.GATEWAY_TIMEOUT:
            raise _OutcomeUnknownError(message, response.status_code)
        causes = (content.get("details") or {}).get("causes") or ()
        told = [(str(each.get("field", "")), str(each.get("message", ""))) for each in causes]
        raise RefusedError(str(message), response.status_code, told)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        try:
            return self._client.send(request)
        except httpx.ConnectError as error:
            raise CommandError(
                f"nothing answers at {self._address} ({_reason(error)}): start Muster with `muster up`, "
                "or say where it is with --server or MUSTER_HTTP_PORT"
            ) from None
        except httpx.TimeoutException:
            raise _OutcomeUnknownError(
                f"{self._address} did not answer within {self._timeout_s:g} s: "
                f"whether {request.method} {request.url.path} was carried out is not known",
                0,
            ) from None
        except httpx.TransportError as error:
            raise _OutcomeUnknownError(
                f"the connection to {self._address} broke ({type(error).__name__}): "
                f"whether {request.method} {request.url.path} was carried out is not known",
                0,
            ) from None


class _OutcomeUnknownError(RefusedError):
    """The change may or may not have been applied."""


def _reason(error: Exception) -> str:
    """The system's words without its number."""
    return str(error).rpartition("] ")[2].lower() or type(error).__name__


def _pause_s(response: httpx.Response) -> float:
    """What `Retry-After` asks for, within bounds."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), BUSY_PAUSE_LIMIT_S) if text.isascii() and text.isdigit() else 1.0


def _content(response: httpx.Response) -> dict[str, Any]:
    """The answer's object; an empty one for anything else."""
    try:
        content = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return content if isinstance(content, dict) else {}


def _warnings(response: httpx.Response) -> list[str]:
    """The texts of the `Warning` headers, as Kubernetes writes them (RFC 7234, code 299)."""
    found = [text for value in response.headers.get_list("Warning") for text in _WARNING.findall(value)]
    return [re.sub(r"\\(.)", r"\1", text) for text in found]
