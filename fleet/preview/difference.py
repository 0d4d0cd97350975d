"""How two configurations differ, as text for people: YAML, with what Secrets hold replaced.

Whether a hidden value is another one is told, the value never.
"""

import difflib
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from fleet.configuration.explanation import HIDDEN
from fleet.decisions.commands import JSONObject
from fleet.documents.block_yaml import to_block_yaml

LINES_LIMIT: Final = 120
"""Lines of a difference; one that is longer says how much is left out."""

_LINE_LIMIT: Final = 300
_CONTEXT_LINES: Final = 2
_OTHER: Final = "<hidden, another value>"

_decode = msgspec.json.Decoder(dict[str, Any]).decode


def difference(before: bytes, after: bytes) -> str:
    """A unified difference of two contents (`fleet.configuration.Configuration`); empty ones are b"{}"."""
    one, other = _decode(before), _decode(after)
    hidden = dict(_hidden(one))
    was, is_ = _lines(_shown(one, {})), _lines(_shown(other, hidden))
    lines = list(difflib.unified_diff(was, is_, "now", "then", n=_CONTEXT_LINES, lineterm=""))
    cut = [line if len(line) <= _LINE_LIMIT else f"{line[:_LINE_LIMIT]}…" for line in lines[:LINES_LIMIT]]
    rest = [f"… and {len(lines) - LINES_LIMIT} lines more"] if len(lines) > LINES_LIMIT else []
    return "\n".join([*cut, *rest])


def redacted(content: bytes) -> JSONObject:
    """A content as it may be shown: workloads and Secrets by name."""
    return _shown(_decode(content), {})


def _hidden(content: JSONObject) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every value that comes from a Secret, by where it stands."""
    configuration = content.get("configuration") or {}
    for field, value in ((configuration.get("storage") or {}).get("s3") or {}).items():
        if field.startswith("aws_"):
            yield ("storage", field), value
    if certificate := ((configuration.get("metrics") or {}).get("receiver") or {}).get("caCert"):
        yield ("caCert",), certificate
    for workload in content.get("workloads") or ():
        if auth_file := (workload.get("imageRegistries") or {}).get("authFile"):
            yield ("authFile", workload["name"]), auth_file
    for secret in content.get("secrets") or ():
        for key, value in _decode(secret["data"]).items():
            yield ("secrets", secret["name"], key), value


def _shown(content: JSONObject, known: dict[tuple[str, ...], str]) -> JSONObject:
    """The content with hidden values replaced; those that are not as in `known`, if they stand there, say so."""
    marks = {where: _OTHER if known.get(where, value) != value else HIDDEN for where, value in _hidden(content)}
    configuration = dict(content.get("configuration") or {})
    if "s3" in (configuration.get("storage") or {}):
        s3 = configuration["storage"]["s3"]
        configuration["storage"] = {"s3": {field: marks.get(("storage", field), s3[field]) for field in s3}}
    if ("caCert",) in marks:
        metrics = configuration["metrics"]
        receiver = metrics["receiver"] | {"caCert": marks["caCert",]}
        configuration["metrics"] = metrics | {"receiver": receiver}
    workloads = {}
    for workload in content.get("workloads") or ():
        name = workload["name"]
        told = {field: value for field, value in workload.items() if field != "name"}
        if ("authFile", name) in marks:
            told["imageRegistries"] = {"authFile": marks["authFile", name]}
        workloads[name] = told
    secrets = {
        secret["name"]: {key: marks["secrets", secret["name"], key] for key in sorted(_decode(secret["data"]))}
        for secret in content.get("secrets") or ()
    }
    return {"configuration": configuration, "workloads": workloads, "secrets": secrets}


def _lines(shown: JSONObject) -> list[str]:
    given = {name: part for name, part in shown.items() if part}
    return to_block_yaml(given).splitlines() if given else []
