"""The files a newcomer applies first are valid, without a warning."""

from pathlib import Path

import pytest

from fleet.documents.yaml_documents import read_documents
from fleet.resources.validation import validate

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.yaml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_is_accepted_as_it_is(file: Path) -> None:
    """No unknown field, nothing old, nothing missing."""
    documents = read_documents(file.read_text(), default_namespace="default")
    assert documents
    for document in documents:
        assert validate(document.kind, document.body, unknown_fields="strict").warnings == []
