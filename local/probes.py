"""Whether a child that speaks HTTP is ready."""

import http.client
from typing import Final

_WITHIN_S: Final = 1.0


def answers_ok(host: str, port: int, path: str) -> bool:
    """Whether GET there is answered with 200. An address that means all interfaces is asked on loopback."""
    near = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104 - asked, not bound
    connection = http.client.HTTPConnection(near, port, timeout=_WITHIN_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
