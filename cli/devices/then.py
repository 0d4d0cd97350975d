"""`muster device NAME --at TIME`: what a device was to run then, assembled from the resources as they were."""

import os
import re
import sys
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import quote

import orjson
from cyclopts import Parameter

from cli.errors import CommandError
from cli.options import ServerOption
from cli.server_address import USAGE_STATUS, open_server
from fleet.decisions.commands import JSONObject
from fleet.documents.block_yaml import to_block_yaml
from settings import load

_AGO = re.compile(r"(\d{1,9})\s*([smhd])(?:\s+ago)?")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def then(
    device: str,
    /,
    *,
    at: str = "",
    output: Annotated[Literal["text", "json"], Parameter(name=("--output", "-o"))] = "text",
    server: ServerOption = None,
) -> int:
    """Show what a device was to run at a time. Of Secrets only names and keys are shown.

    Parameters
    ----------
    device
        Id of the device.
    at
        When: 2026-11-22T20:00:00Z, without an offset UTC, or how long ago: 90s, 15m, 2h, 3d. Now unless given.
    output
        text, or json with all that the server tells.
    server
        URL of the API; this machine's unless given.
    """
    wanted = moment(at, datetime.now(UTC)) if at else ""
    with open_server(server, load(os.environ)) as connection:
        path = f"/muster/v1/devices/{quote(device, safe='')}/configuration"
        told = connection.get(path, {"at": wanted} if wanted else None)
    if output == "json":
        sys.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    else:
        sys.stdout.write(_text(told))
    return 0


def moment(text: str, now: datetime) -> str:
    """A time as the server reads it. Raises CommandError (usage)."""
    if found := _AGO.fullmatch(text.strip()):
        try:
            return (now - timedelta(seconds=int(found[1]) * _UNITS_S[found[2]])).isoformat()
        except OverflowError:
            raise CommandError(f"--at {text!r} is before all times", USAGE_STATUS) from None
    try:
        time = datetime.fromisoformat(text.strip())
    except ValueError:
        raise CommandError(
            f"--at {text!r} is no time: write 2026-11-22T20:00:00Z, or 90s, 15m, 2h or 3d for so long ago", USAGE_STATUS
        ) from None
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).isoformat()


def _text(told: JSONObject) -> str:
    """The facts, one a line, and the configuration as YAML."""
    facts = [
        ("device", f"{told['device']} in namespace {told['namespace']}, {told['state']}"),
        ("time", f"{told['time']}, revision {told['revision']}"),
        ("version", told["version"] or "not known"),
        ("note", told["note"]),
        ("labels", ", ".join(f"{key}={value}" for key, value in sorted(told["labels"].items()))),
        ("made of", ", ".join(f"{each['resource']} at {each['revision']}" for each in told["sources"])),
    ]
    lines = "".join(f"{name + ':':<9} {value}\n" for name, value in facts if value)
    configuration = {name: part for name, part in (told["configuration"] or {}).items() if part}
    return lines + ("---\n" + to_block_yaml(configuration) if configuration else "")
