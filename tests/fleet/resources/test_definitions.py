"""Our models say what the contract's definitions say: every field with its type, bounds, default, and whether required.

What is explained is what is accepted, since the schemas are made from the models; so these are compared with the
definitions, and each difference stands here with its reason.
"""

from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet.errors import BadInputError
from fleet.resources import KINDS, validate
from fleet.resources.descriptions import DESCRIPTIONS
from fleet.resources.kinds import FLOTTA_GROUP
from fleet.resources.schemas import component_name, described_models, schemas
from tests.fleet.resources.documents import document

Fields = dict[str, dict[str, Any]]

COMPARED = (
    "type", "format", "enum", "minimum", "maximum", "default", "minItems", "x-kubernetes-preserve-unknown-fields",
)  # fmt: skip

DEFINED = {
    "EdgeConfig": "edgeconfigs",
    "EdgeDevice": "edgedevices",
    "EdgeDeviceSet": "edgedevicesets",
    "EdgeDeviceSignedRequest": "edgedevicesignedrequest",
    "EdgeWorkload": "edgeworkloads",
    "PlaybookExecution": "playbookexecutions",
}

DIFFERENCES = {
    ".heartbeat.periodSeconds": "judged by a rule that says why 1 is refused",
    ".hardwareProfile.scope": "the definition names full and delta in its description alone",
    ".conditions[].status": "True, False and Unknown are all that Kubernetes' conditions have",
    ".conditions[].type": "a condition without a type is refused instead of taken for pending",
    ".requiredPrivilegeLevel.capAdd[]": "numbers fit 64 bits",
    ".requiredPrivilegeLevel.capDrop[]": "numbers fit 64 bits",
    ".spec.executionAttempt": "numbers fit 32 bits",
    "EdgeWorkload.spec.metrics.port": "bounded by both, 16 bits",
    "EdgeWorkload.spec.metrics.containers{}.port": "bounded by both, 16 bits",
    "EdgeWorkload.spec.pod": "a workload without a pod is nothing a device could run",
    "EdgeDevice.status.state": "said beside the definition's fields",
    "EdgeDevice.status.lastSeenTime": "said beside the definition's fields",
    "EdgeDevice.status.wantedVersion": "said beside the definition's fields",
    "EdgeDevice.status.driftedSince": "said beside the definition's fields",
    "EdgeWorkload.status.devices": "the definition gives no field to what it has a status for",
    "EdgeWorkload.status.phases{}": "the definition gives no field to what it has a status for",
    "EdgeWorkload.status.phases": "the definition gives no field to what it has a status for",
    "EdgeDeviceSignedRequest.status.phase": "said beside the definition's fields, which show it in a column",
}
"""By the end of the field's path."""


def fields_of(schema: dict[str, Any], components: dict[str, Any], path: str, *, is_required: bool = False) -> Fields:
    """Every field below a schema by its path, with what is compared of it."""
    while "$ref" in schema or "allOf" in schema:
        reference = schema if "$ref" in schema else schema["allOf"][0]
        schema = components[reference["$ref"].rpartition("/")[2]]
    said = {word: schema[word] for word in COMPARED if word in schema}
    if "enum" in said:
        said["enum"] = sorted(said["enum"])
    found: Fields = {path: said | {"required": is_required}}
    for name, part in (schema.get("properties") or {}).items():
        if (path, name) != (path.partition(".")[0], "metadata"):
            required = name in schema.get("required", ())
            found |= fields_of(part, components, f"{path}.{name}", is_required=required)
    for word, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if isinstance(schema.get(word), dict):
            found |= fields_of(schema[word], components, f"{path}{mark}")
    return found


def defined(contract: Path, kind: str) -> Fields:
    """The fields of a kind's definition."""
    definition = yaml.safe_load((contract / "crd" / f"{FLOTTA_GROUP}_{DEFINED[kind]}.yaml").read_bytes())
    return fields_of(definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"], {}, kind)


def modelled(kind: str) -> Fields:
    """The fields of a kind's model."""
    components = schemas(FLOTTA_GROUP, "v1alpha1")
    return fields_of(components[component_name(KINDS[kind])], components, kind)


@pytest.mark.parametrize("kind", DEFINED)
def test_a_model_is_what_its_definition_says(contract: Path, kind: str) -> None:
    """No field is missing, none is invented, and each differs only where there is a reason."""
    wanted, have = defined(contract, kind), modelled(kind)
    differing = {path for path in wanted.keys() | have.keys() if wanted.get(path) != have.get(path)}
    assert {path for path in differing if not path.endswith(tuple(DIFFERENCES))} == set()


def test_every_difference_is_one(contract: Path) -> None:
    """A reason for what does not differ any more misleads."""
    differing = set()
    for kind in DEFINED:
        wanted, have = defined(contract, kind), modelled(kind)
        differing |= {path for path in wanted.keys() | have.keys() if wanted.get(path) != have.get(path)}
    assert {end for end in DIFFERENCES if not any(path.endswith(end) for path in differing)} == set()


@pytest.mark.parametrize("kind", DEFINED)
def test_unknown_fields_are_unknown_at_every_depth(contract: Path, kind: str) -> None:
    """Beside each field of the definition that holds others, one more is refused, told or left out, as is asked."""
    below = {path for path in defined(contract, kind) if path.startswith(f"{kind}.spec") and "pod.spec" not in path}
    holding = {path.rpartition(".")[0] for path in below if "[" not in path and "{" not in path} - {kind}
    assert holding
    for path in holding:
        unknown = f"{path.removeprefix(f'{kind}.')}.notAField"
        written = document(kind)
        part = written
        for name in unknown.split(".")[:-1]:
            part = part.setdefault(name, {})
        part["notAField"] = "x"
        if not _is_valid(kind, written):
            continue  # the part requires fields that are judged first
        with pytest.raises(BadInputError, match=rf'strict decoding error: .*unknown field "{unknown}"'):
            validate(KINDS[kind], written, unknown_fields="strict")
        assert f'unknown field "{unknown}"' in validate(KINDS[kind], written, unknown_fields="warn").warnings
        ignored = validate(KINDS[kind], written, unknown_fields="ignore")
        assert not [warning for warning in ignored.warnings if "notAField" in warning]
        assert "notAField" not in str(ignored.body)


def _is_valid(kind: str, written: dict[str, Any]) -> bool:
    try:
        validate(KINDS[kind], written, unknown_fields="ignore")
    except BadInputError:
        return False
    return True


def test_every_field_is_described() -> None:
    """`kubectl explain` tells of each what it means; of hardware's parts their names do."""
    models = described_models()
    plain = {"Boot", "Cpu", "IoPerf", "Disk", "Gpu", "HostDevice", "Interface", "Memory", "HardwareMount"}
    told = {name: set(DESCRIPTIONS.get(name, ())) for name in models.keys() - plain - {"SystemVendor", "_Namespace"}}
    assert told == {name: models[name] for name in told}
    assert set(DESCRIPTIONS) <= set(models)
