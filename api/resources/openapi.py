"""Kubernetes' OpenAPI v3 documents, one a group: `kubectl` validates by them and explains fields with them. Pure.

Validation itself stays with the server: a `patch` operation that takes `fieldValidation` tells kubectl to leave it.
"""

import hashlib
from typing import Any, Final

import msgspec

from api.resources.discovery import GROUPS, VERSION
from api.resources.paths import collection_path, group_path, single_path
from fleet.decisions.commands import JSONObject
from fleet.resources import KINDS, Kind
from fleet.resources.schemas import component_name, group_version_kind, schemas

_encode = msgspec.json.Encoder(order="deterministic").encode

_OPERATIONS: Final = {"get": "get", "put": "put", "patch": "patch", "delete": "delete"}
_HASH_BYTES: Final = 16


OLD_TYPE: Final = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"

_TITLE: Final = b"Muster"
OLD_DOCUMENT: Final = b"\x0a\x032.0" + b"\x12\x0d" + b"\x0a\x06" + _TITLE + b"\x12\x031.0" + b"\x42\x00"
"""An OpenAPI v2 document (swagger, info, no paths) as protobuf: kubectl before 1.29 asks for one before it writes."""


def documents() -> dict[str, JSONObject]:
    """Each group's document, by what its address ends in: `api/v1`, `apis/GROUP/VERSION`."""
    return {
        group_path(group, version).removeprefix("/"): _document(group, version)
        for group, versions in GROUPS.items()
        for version in versions
    }


def index(found: dict[str, JSONObject]) -> JSONObject:
    """Where the documents are; an address changes with its document, so clients may keep what they fetched."""
    return {
        "paths": {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={_hash(document)}"}
            for path, document in found.items()
        }
    }


def _document(group: str, version: str) -> JSONObject:
    paths: dict[str, Any] = {}
    for kind in KINDS.values():
        if (kind.group, kind.version) == (group, version):
            paths[_template(collection_path(kind))] = {
                "get": _operation(kind, "list"),
                "post": _operation(kind, "post"),
            }
            paths[_template(single_path(kind))] = {
                method: _operation(kind, action) for method, action in _OPERATIONS.items()
            }
    return {
        "openapi": "3.0.0",
        "info": {"title": "Muster", "version": VERSION["gitVersion"]},
        "paths": paths,
        "components": {"schemas": schemas(group, version)},
    }


def _operation(kind: Kind, action: str) -> JSONObject:
    reference = {"schema": {"$ref": f"#/components/schemas/{component_name(kind)}"}}
    operation: JSONObject = {
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": group_version_kind(kind),
        "responses": {"200": {"description": "OK", "content": {"application/json": reference}}},
    }
    if action in ("post", "put", "patch"):
        operation["parameters"] = [
            {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for name in ("dryRun", "fieldManager", "fieldValidation")
        ]
    return operation


def _template(path: str) -> str:
    return path.replace(":str}", "}")


def _hash(document: JSONObject) -> str:
    return hashlib.blake2b(_encode(document), digest_size=_HASH_BYTES).hexdigest().upper()
