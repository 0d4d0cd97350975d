"""List `configmaps` of a workload: the ConfigMaps its pod refers to, each as the YAML of a ConfigMap, by name."""

from fleet.configuration.device_yaml import to_yaml
from fleet.configuration.pod_references import check_keys, config_map_references
from fleet.configuration.references import References
from fleet.configuration.workload_index import Workload


def config_map_list(workload: Workload, references: References) -> list[str]:
    """The documents. Raises ConfigurationError."""
    documents: list[str] = []
    for name, keys in sorted(config_map_references(workload.pod).items()):
        if keys is not None:
            check_keys(references, "ConfigMap", name, keys, f"EdgeWorkload {workload.name}")
        body = references.optional("ConfigMap", name)
        if body is not None:
            content = {field: body[field] for field in ("data", "binaryData") if body.get(field)}
            document = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {}, **content}
            documents.append(to_yaml(document))
    return documents
