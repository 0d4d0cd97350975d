"""Who may call at all: programs on this machine that name it as such, and no page of a foreign site in a browser.

A page can be served from a name that resolves to 127.0.0.1, so the Host header must name the loopback itself; a page
that calls from elsewhere says so in Origin.
"""

import ipaddress
from urllib.parse import urlsplit


def refusal(host: str | None, origin: str | None) -> str | None:
    """Why a request with these headers is refused, or None."""
    if host is None or not _is_loopback(f"//{host}"):
        return "This endpoint answers to loopback names only: ask http://127.0.0.1 with that Host header\n"
    if origin is not None and not _is_loopback(origin):
        return "This endpoint does not answer pages of other sites\n"
    return None


def _is_loopback(url: str) -> bool:
    try:
        parts = urlsplit(url)
        name, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if name is None or parts.path not in ("", "/") or parts.username is not None:
        return False
    if name.removesuffix(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
