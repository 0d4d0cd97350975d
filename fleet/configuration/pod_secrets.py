"""List `secrets`: what the selected workloads' containers refer to in `env` and `envFrom`, each once, by name."""

import msgspec

from fleet.configuration.pod_references import check_keys, secret_references
from fleet.configuration.references import References
from fleet.configuration.workload_index import Workload
from fleet.decisions.commands import JSONObject

_encode = msgspec.json.Encoder(order="deterministic").encode


def secret_list(workloads: list[Workload], references: References) -> list[JSONObject]:
    """Each Secret with its data as a JSON object, as a string, of base64 values. Raises ConfigurationError."""
    names: set[str] = set()
    for workload in workloads:
        required = secret_references(workload.pod)
        names |= required.keys()
        for name, keys in sorted(required.items()):
            if keys is not None:
                check_keys(references, "Secret", name, keys, f"EdgeWorkload {workload.name}")
    bodies = ((name, references.optional("Secret", name)) for name in sorted(names))
    return [{"name": name, "data": _encode(body.get("data") or {}).decode()} for name, body in bodies if body]
