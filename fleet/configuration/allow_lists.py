"""Allow lists of metrics: the `names` in key `metrics_list.yaml` of a ConfigMap."""

from typing import Any

from fleet.configuration.errors import ConfigurationError
from fleet.configuration.references import References
from fleet.decisions.commands import JSONObject
from fleet.documents.yaml_loader import YamlLimits, load_documents
from fleet.errors import BadInputError
from fleet.resources.device import NamedRef

KEY = "metrics_list.yaml"


def allow_list(reference: NamedRef, references: References, wanted_by: str) -> JSONObject:
    """The list as the device reads it. Raises ConfigurationError when it is missing or cannot be read."""
    text = references.config_map_value(reference.name, KEY, wanted_by)
    try:
        documents = [document.value for document in load_documents(text, YamlLimits(documents=1))]
    except BadInputError as error:
        raise _unreadable(reference, references, str(error)) from None
    names: Any = documents[0].get("names") if documents and isinstance(documents[0], dict) else None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _unreadable(reference, references, "write `names:` with a list of metrics' names")
    return {"names": names}


def _unreadable(reference: NamedRef, references: References, reason: str) -> ConfigurationError:
    return ConfigurationError(references.key("ConfigMap", reference.name), KEY, reason)
