"""Section `log-collection`: where a device sends logs, by the names workloads use."""

from fleet.configuration.errors import ConfigurationError
from fleet.configuration.references import References
from fleet.decisions.commands import JSONObject
from fleet.resources.device import SyslogTarget
from fleet.resources.structs import UNSET, UnsetType

DEFAULT_PROTOCOL = "tcp"
_PROTOCOLS = ("tcp", "udp")


def log_collection_section(
    targets: dict[str, SyslogTarget] | UnsetType, references: References
) -> dict[str, JSONObject] | None:
    """The targets; None leaves the section out. Raises ConfigurationError."""
    if not targets:
        return None
    return {name: _target(name, targets[name], references) for name in sorted(targets)}


def _target(name: str, target: SyslogTarget, references: References) -> JSONObject:
    section: JSONObject = {"buffer_size": target.buffer_size}
    if target.kind is not UNSET:
        section["kind"] = target.kind
    if target.syslog_config is not UNSET:
        section["syslog_config"] = _syslog(target.syslog_config.name, references, f"logCollection.{name}")
    return section


def _syslog(config_map: str, references: References, wanted_by: str) -> JSONObject:
    address = references.config_map_value(config_map, "Address", wanted_by)
    if not address:
        raise references.missing_key("ConfigMap", config_map, "Address", wanted_by)
    protocol = references.config_map(config_map, wanted_by).get("Protocol", DEFAULT_PROTOCOL)
    if protocol not in _PROTOCOLS:
        raise ConfigurationError(references.key("ConfigMap", config_map), "Protocol", "write tcp or udp")
    return {"address": address, "protocol": protocol}
