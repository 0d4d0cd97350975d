"""`muster explain`: for each field of a device's configuration where it comes from, why, and what it replaced."""

import os
import sys
from difflib import get_close_matches
from itertools import accumulate
from urllib.parse import quote

import orjson

from cli.errors import CommandError
from cli.options import NamespaceOption, ServerOption
from cli.server_address import open_server
from cli.table import table
from fleet.decisions.commands import JSONObject
from settings import load

_NEAR = 5
"""Fields named to somebody who misspells one."""

_VALUE_LIMIT = 40
"""Characters of a value in the table; all of it is shown when one field is asked for."""


def explain(device: str, field: str = "", /, *, namespace: NamespaceOption = None, server: ServerOption = None) -> int:
    """Show why a device's configuration is what it is.

    Parameters
    ----------
    device
        Id of the device.
    field
        Only this field and those in it, such as heartbeat, metrics.receiver or workloads.web.
    namespace
        Where the device is; the initial namespace unless given.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    where = namespace or settings.devices.initial_namespace
    with open_server(server, settings) as connection:
        path = f"/muster/v1/namespaces/{quote(where, safe='')}/devices/{quote(device, safe='')}/explanation"
        fields = connection.get(path)["fields"]
    wanted = [each for each in fields if not field or f"{each['field']}.".startswith(f"{field.rstrip('.')}.")]
    if not wanted:
        raise CommandError(f"the configuration of {device} has no field {field!r}: {_nearest(field, fields)}")
    if len(wanted) == 1 and field:
        sys.stdout.write(_whole(wanted[0]))
        return 0
    rows = [[each["field"], _cut(_text(each["value"])), _origin(each), _replaced(each)] for each in wanted]
    sys.stdout.write(table(["FIELD", "VALUE", "FROM", "INSTEAD OF"], rows))
    return 0


def _whole(each: JSONObject) -> str:
    origin = each["origin"]
    lines = [
        ("field", each["field"]),
        ("value", _text(each["value"])),
        ("from", origin.get("resource") or "default"),
        ("revision", origin.get("revision", "")),
        ("because", origin.get("because", "")),
        ("instead of", _text(each["replaced"]) if "replaced" in each else ""),
        ("of", _with_revision(each["replacedOrigin"]) if "replacedOrigin" in each else ""),
    ]
    return "".join(f"{name}: {text}\n" for name, text in lines if text)


def _origin(each: JSONObject) -> str:
    origin = each["origin"]
    if not origin.get("resource"):
        return "default"
    because = f" ({origin['because']})" if origin.get("because") else ""
    return f"{_with_revision(origin)}{because}"


def _with_revision(origin: JSONObject) -> str:
    return f"{origin['resource']} at {origin.get('revision', '?')}"


def _nearest(field: str, fields: list[JSONObject]) -> str:
    """The fields that may be meant, of any depth; those at the top when none is like it."""
    names = {name for each in fields for name in accumulate(each["field"].split("."), "{}.{}".format)}
    last = field.rpartition(".")[2]
    near = get_close_matches(field, names, _NEAR, cutoff=0.6) or [
        name for name in sorted(names) if last and get_close_matches(last, [name.rpartition(".")[2]], 1)
    ]
    if near:
        return f"did you mean {' or '.join(near[:_NEAR])}?"
    return f"there are {', '.join(sorted({name.partition('.')[0] for name in names}))}"


def _replaced(each: JSONObject) -> str:
    if "replaced" not in each:
        return "-"
    return f"{_cut(_text(each['replaced']))} of {each['replacedOrigin']['resource']}"


def _text(value: object) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _VALUE_LIMIT else f"{line[: _VALUE_LIMIT - 1]}…"
