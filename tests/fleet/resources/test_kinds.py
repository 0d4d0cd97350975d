"""Each kind is found by every name it has."""

from pathlib import Path

import pytest
import yaml

from fleet.errors import BadInputError, NotFoundError
from fleet.resources import KINDS, kind_by_any_name, kind_by_plural, kind_of


def test_kinds_agree_with_their_definitions(contract: Path) -> None:
    """Group, version, plural, singular and short names are those of the contract's definitions."""
    for path in sorted((contract / "crd").glob("*.yaml")):
        definition = yaml.safe_load(path.read_bytes())["spec"]
        names, kind = definition["names"], KINDS[definition["names"]["kind"]]
        assert (kind.group, kind.version) == (definition["group"], definition["versions"][0]["name"])
        assert (kind.plural, kind.singular) == (names["plural"], names["singular"])
        assert kind.short_names == tuple(names.get("shortNames", ()))
        assert kind.is_namespaced == (definition["scope"] == "Namespaced")


@pytest.mark.parametrize("kind", KINDS.values(), ids=lambda kind: kind.kind)
def test_every_name_leads_to_the_kind(kind: object) -> None:
    """Document, path and command line."""
    found = KINDS[kind.kind]  # type: ignore[attr-defined]
    assert kind_of(found.api_version, found.kind) is found
    assert kind_by_plural(found.group, found.version, found.plural) is found
    for name in (found.kind, found.plural, found.singular, found.kind.upper(), *found.short_names):
        assert kind_by_any_name(name) is found


def test_plural_of_signed_requests_is_its_singular() -> None:
    """As Flotta's definition has it."""
    assert kind_by_any_name("edsr").plural == "edgedevicesignedrequest"


@pytest.mark.parametrize(("api_version", "kind"), [("v1", "EdgeDevice"), ("v1", "Pod"), ("v2", "Secret"), ("", "")])
def test_unknown_kind_of_a_document_is_bad_input(api_version: str, kind: str) -> None:
    """The message says what to write instead."""
    with pytest.raises(BadInputError, match=r"write one of|write apiVersion"):
        kind_of(api_version, kind)


def test_unknown_kind_of_a_path_is_not_found() -> None:
    """A path that does not exist."""
    with pytest.raises(NotFoundError):
        kind_by_plural("", "v1", "pods")


def test_misspelt_kind_gets_a_suggestion() -> None:
    """On a command line and in a document."""
    with pytest.raises(BadInputError, match="did you mean edgedevices"):
        kind_by_any_name("edgedevicess")
    with pytest.raises(BadInputError, match="did you mean EdgeWorkload"):
        kind_of("v1", "EdgeWorklod")
