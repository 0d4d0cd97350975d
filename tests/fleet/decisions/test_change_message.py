"""Why a change was made: said beside it, or in the annotation that the change sets."""

from typing import Any

import pytest

from fleet.decisions.change_message import CAUSE, LENGTH_LIMIT, change_message, check_message
from fleet.decisions.commands import DeleteResource, PutResource, PutTogether, Request, ResourceKey
from fleet.errors import BadInputError
from tests.fleet.decisions.command_log import NOW_MS, CommandLog

WEB = ResourceKey("EdgeWorkload", "plant", "web")


def annotated(cause: Any, *, kind: str = "EdgeWorkload", message: str = "") -> Request:
    """A change that sets the annotation."""
    key = ResourceKey(kind, "plant", "web")
    body = {"metadata": {"name": "web", "namespace": "plant", "annotations": {CAUSE: cause}}}
    return Request("r", "ann", NOW_MS, PutResource(key, body, "upsert", "uid"), message)


@pytest.fixture
def log() -> CommandLog:
    """Without the workload."""
    return CommandLog()


def test_what_the_caller_says_counts(log: CommandLog) -> None:
    """Before any annotation, and for any change."""
    assert change_message(log.state, annotated("not this", message="this")) == "this"
    deletion = Request("r", "ann", NOW_MS, DeleteResource(WEB), "gone")
    assert change_message(log.state, deletion) == "gone"


def test_an_annotation_tells_why_the_change_that_sets_it_was_made(log: CommandLog) -> None:
    """And not why a later one was, which leaves it as it is."""
    assert change_message(log.state, annotated("image 1.2")) == "image 1.2"
    log.put(WEB, {"metadata": {"annotations": {CAUSE: "image 1.2"}}, "spec": {}})
    assert change_message(log.state, annotated("image 1.2")) == ""
    assert change_message(log.state, annotated("image 1.3")) == "image 1.3"


def test_a_secrets_annotation_stays_sealed(log: CommandLog) -> None:
    """It is encrypted with the rest of it, so it is told to nobody."""
    assert change_message(log.state, annotated("the password is 1234", kind="Secret")) == ""


def test_resources_changed_together_may_give_one_reason(log: CommandLog) -> None:
    """And not several."""
    first, other, none = (annotated(cause).command for cause in ("image 1.2", "image 1.3", ""))
    for puts, message in (((first, first, none), "image 1.2"), ((first, other), ""), ((none,), "")):
        request = Request("r", "ann", NOW_MS, PutTogether([put for put in puts if isinstance(put, PutResource)]))
        assert change_message(log.state, request) == message


@pytest.mark.parametrize("cause", [None, 5, {"a": 1}, ["b"]])
def test_an_annotation_that_is_no_text_is_no_reason(log: CommandLog, cause: Any) -> None:
    """The log goes on whatever a command holds."""
    assert change_message(log.state, annotated(cause)) == ""


def test_an_annotation_is_cut_and_made_printable(log: CommandLog) -> None:
    """It may be longer than a message, and hold what moves a terminal's cursor."""
    assert change_message(log.state, annotated("a\x1b[2Jb\n" + "c" * 5000)) == "a [2Jb " + "c" * (LENGTH_LIMIT - 7)


@pytest.mark.parametrize("text", ["x" * (LENGTH_LIMIT + 1), "a\x1b[2J", "\x00"])
def test_what_is_no_message_is_refused(text: str) -> None:
    """Too long, or not to be printed."""
    with pytest.raises(BadInputError, match="message has"):
        check_message(text)


def test_a_message_is_any_text_of_a_bounded_length() -> None:
    """Space around it goes; lines stay."""
    assert check_message("  größer\nund mehr \n") == "größer\nund mehr"
    assert check_message("x" * LENGTH_LIMIT)
