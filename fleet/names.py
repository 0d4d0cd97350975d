"""What devices, namespaces, resources and labels may be called: Kubernetes' rules, and two ids no device may take.

Anyone can enrol any id, so an id is checked before it reaches a log, a key or a certificate. Each check returns nothing
when the text is fine and raises BadInputError with what to change when it is not. Sources: CONTRACT.md “Ids and
namespaces come from the attacker”; Kubernetes “Object Names and IDs” and “Labels and Selectors”.
"""

import re

from fleet.errors import BadInputError

NAME_LIMIT = 253
"""Characters of a DNS-1123 subdomain: names of resources and devices, prefixes of label keys."""

LABEL_LIMIT = 63
"""Characters of a DNS-1123 label (namespaces), of a label's value and of the name part of a label's key."""

RESERVED_DEVICE_IDS = frozenset({"*", "register"})
"""Subjects of the Edge API's own certificates: a device of that name would pass for one of them."""

_DNS_LABEL = re.compile(r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?")
_DNS_SUBDOMAIN = re.compile(rf"{_DNS_LABEL.pattern}(?:\.{_DNS_LABEL.pattern})*")
_QUALIFIED = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?")

_SUBDOMAIN_RULE = (
    f"use at most {NAME_LIMIT} lower-case letters, digits, '-' and '.', each part beginning and ending with a letter "
    "or digit"
)
_LABEL_RULE = (
    f"use at most {LABEL_LIMIT} lower-case letters, digits and '-', beginning and ending with a letter or digit"
)
_QUALIFIED_RULE = (
    f"use at most {LABEL_LIMIT} letters, digits, '-', '_' and '.', beginning and ending with a letter or digit"
)

_SHOWN = 60


def shown(text: str) -> str:
    """Text for a message or a log: quoted, escaped to ASCII and cut, since a stranger chose it."""
    return ascii(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")


def check_device_id(text: str) -> None:
    """Device ids are DNS-1123 subdomains, since a device's id is its resource's name, and never reserved."""
    if text in RESERVED_DEVICE_IDS:
        raise BadInputError(f"device id {shown(text)} is reserved for the Edge API's own certificates: choose another")
    if not _is_subdomain(text):
        raise BadInputError(f"device id {shown(text)} is not a name: {_SUBDOMAIN_RULE}")


def check_namespace(text: str) -> None:
    """Namespaces are DNS-1123 labels."""
    if not is_dns_label(text):
        raise BadInputError(f"namespace {shown(text)} is not a name: {_LABEL_RULE}")


def check_name(text: str) -> None:
    """Names of resources are DNS-1123 subdomains."""
    if not _is_subdomain(text):
        raise BadInputError(f"name {shown(text)} is not a name: {_SUBDOMAIN_RULE}")


def check_label_key(text: str) -> None:
    """Keys of labels and annotations: an optional DNS subdomain and `/`, then a name."""
    prefix, slash, name = text.rpartition("/")
    if slash and not _is_subdomain(prefix):
        raise BadInputError(f"label key {shown(text)}: before its '/', {_SUBDOMAIN_RULE}")
    if len(name) > LABEL_LIMIT or not _QUALIFIED.fullmatch(name):
        raise BadInputError(f"label key {shown(text)}: {_QUALIFIED_RULE}, with an optional domain and '/' before")


def check_label_value(text: str) -> None:
    """Values of labels: empty, or like a key's name."""
    if text and (len(text) > LABEL_LIMIT or not _QUALIFIED.fullmatch(text)):
        raise BadInputError(f"label value {shown(text)}: {_QUALIFIED_RULE}, or leave it empty")


def is_dns_label(text: str) -> bool:
    """Whether text is a DNS-1123 label, as namespaces, containers and volumes are called."""
    return len(text) <= LABEL_LIMIT and _DNS_LABEL.fullmatch(text) is not None


def _is_subdomain(text: str) -> bool:
    # The length is judged first: it bounds what the expression reads.
    return len(text) <= NAME_LIMIT and _DNS_SUBDOMAIN.fullmatch(text) is not None
