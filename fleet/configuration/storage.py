"""Section `storage`: the S3 bucket a device copies data to.

The one section whose missing parts fail nothing: it is left out and the operator is told, as Flotta does.
"""

from fleet.configuration.errors import ConfigurationError, Problem
from fleet.configuration.references import References
from fleet.decisions.commands import JSONObject
from fleet.resources.device import S3, Storage
from fleet.resources.structs import UNSET, UnsetType

_WANTED_BY = "storage.s3"
_PORTS = range(1, 65_536)


def storage_section(storage: Storage | UnsetType, references: References) -> tuple[JSONObject | None, list[Problem]]:
    """The section, or None with the problem that keeps it out."""
    if storage is UNSET or storage.s3 is UNSET or not (storage.s3.secret_name or storage.s3.config_map_name):
        return None, []
    try:
        return {"s3": _s3(storage.s3, references)}, []
    except ConfigurationError as error:
        return None, [error.problem]


def _s3(s3: S3, references: References) -> JSONObject:
    config_map = _named("ConfigMap", s3.config_map_name, "configMapName", references)
    secret = _named("Secret", s3.secret_name, "secretName", references)
    bucket = {
        field: references.config_map_value(config_map, key, _WANTED_BY)
        for field, key in (
            ("bucket_name", "BUCKET_NAME"),
            ("bucket_host", "BUCKET_HOST"),
            ("bucket_region", "BUCKET_REGION"),
        )
    }
    section: JSONObject = {
        **bucket,
        "bucket_port": _port(config_map, references),
        "aws_access_key_id": references.secret_value(secret, "AWS_ACCESS_KEY_ID", _WANTED_BY),
        "aws_secret_access_key": references.secret_value(secret, "AWS_SECRET_ACCESS_KEY", _WANTED_BY),
    }
    bundle = references.secret(secret, _WANTED_BY).get("tls.crt")
    return {**section, "aws_ca_bundle": bundle} if bundle else section


def _named(kind: str, name: str | UnsetType, field: str, references: References) -> str:
    if not name:
        raise ConfigurationError(references.key(kind, ""), "", f"{_WANTED_BY}.{field} is empty: name the {kind}")
    return name


def _port(config_map: str, references: References) -> int:
    key = "BUCKET_PORT"
    text = references.config_map_value(config_map, key, _WANTED_BY)
    # The length bounds what `int` reads.
    port = int(text) if len(text) <= len("65535") and text.isascii() and text.isdigit() else 0
    if port not in _PORTS:
        raise ConfigurationError(references.key("ConfigMap", config_map), key, "is no port: write 1 to 65535")
    return port
