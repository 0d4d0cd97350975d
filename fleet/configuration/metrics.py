"""Section `metrics`: the receiver is always there with its defaults, the rest as far as it was given."""

from fleet.configuration.allow_lists import allow_list
from fleet.configuration.references import References
from fleet.decisions.commands import JSONObject
from fleet.resources.device import ComponentMetrics, Metrics, MetricsReceiver, MetricsRetention
from fleet.resources.structs import UNSET, UnsetType

DEFAULT_SAMPLES = 30_000
"""Samples in one request to the receiver."""

DEFAULT_TIMEOUT_S = 10

CA_KEY = "ca.crt"


def metrics_section(metrics: Metrics | UnsetType, references: References) -> JSONObject:
    """How the device collects and sends its metrics. Raises ConfigurationError."""
    if metrics is UNSET:
        return {"receiver": _receiver(UNSET, references)}
    section = {"receiver": _receiver(metrics.receiver_configuration, references)}
    if metrics.retention is not UNSET:
        section["retention"] = _retention(metrics.retention)
    if metrics.system is not UNSET:
        section["system"] = _component(metrics.system, references, "metrics.system")
    if metrics.data_transfer is not UNSET:
        section["data-transfer"] = _component(metrics.data_transfer, references, "metrics.dataTransfer")
    return section


def _receiver(receiver: MetricsReceiver | UnsetType, references: References) -> JSONObject:
    section: JSONObject = {"request_num_samples": DEFAULT_SAMPLES, "timeout_seconds": DEFAULT_TIMEOUT_S}
    if receiver is UNSET:
        return section
    # Zero and less mean “not given”: they are what Go makes of an absent number.
    if receiver.request_num_samples is not UNSET and receiver.request_num_samples > 0:
        section["request_num_samples"] = receiver.request_num_samples
    if receiver.timeout_seconds is not UNSET and receiver.timeout_seconds > 0:
        section["timeout_seconds"] = receiver.timeout_seconds
    if receiver.url:
        section["url"] = receiver.url
        if receiver.ca_secret_name and receiver.url.lower().startswith("https"):
            wanted_by = "metrics.receiverConfiguration"
            # `caCert` is how the contract's swagger.yaml spells it, unlike its neighbours.
            section["caCert"] = references.secret_text(receiver.ca_secret_name, CA_KEY, wanted_by)
            if not section["caCert"]:
                raise references.missing_key("Secret", receiver.ca_secret_name, CA_KEY, wanted_by)
    return section


def _retention(retention: MetricsRetention) -> JSONObject:
    given = {"max_hours": retention.max_hours, "max_mib": retention.max_mib}
    return {name: value for name, value in given.items() if value is not UNSET}


def _component(component: ComponentMetrics, references: References, path: str) -> JSONObject:
    section: JSONObject = {"interval": component.interval}
    if component.disabled is not UNSET:
        section["disabled"] = component.disabled
    if component.allow_list is not UNSET:
        section["allow_list"] = allow_list(component.allow_list, references, path)
    return section
