"""`docs/connect.md` lists every reason with which the log says no: what the code can say is read from the code."""

import ast
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.devices.standing import _FORBIDDEN_REGISTRATION
from api.errors import refusal
from api.listeners.handshakes import _BY_REASON, _BY_VERIFY_CODE, OTHER, reason_of
from tests.cli.muster import PROJECT

MODULES = [
    *sorted((PROJECT / "api" / "devices").rglob("*.py")),
    PROJECT / "api" / "listeners" / "callers.py",
    PROJECT / "api" / "listeners" / "client_certificate_header.py",
    PROJECT / "api" / "request_bodies.py",
    PROJECT / "api" / "desired_state" / "command_gateway.py",
    PROJECT / "streams" / "kafka_producer.py",
]
DECISIONS = {"enrolment.py": "enrol_device", "registration.py": "register_device"}

ONE_ROW = {"BadInputError"}
"""Messages that name what cannot be read, and where, have one row for all."""

TOLD_OTHERWISE = {"OutcomeUnknownError"}
"""An operator may repeat it under its request id; a device is told that Muster could not answer in time."""

LISTED = (Path(PROJECT) / "docs" / "connect.md").read_text().partition("## What a refusal means")[2]
TLS_ROWS, CALL_ROWS = LISTED.partition("**`device call refused`**")[::2]


def phrases(rows: str, column: int) -> list[str]:
    """What stands between backquotes in a column of the table."""
    lines = [line for line in rows.splitlines() if line.startswith("| ") and not line.startswith("| ---")]
    return [phrase for line in lines for phrase in re.findall(r"`([^`]+)`", line.split("|")[column])]


def messages() -> Iterator[tuple[str, str]]:
    """Every message with which a device's call can be refused, and where it stands; what is filled in is `…`."""
    for module in MODULES:
        tree = ast.parse(module.read_text())
        constants = {
            node.target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }
        for name, argument in _raised(tree):
            if name.endswith("Error") and name not in ONE_ROW | TOLD_OTHERWISE and (text := _text(argument, constants)):
                yield f"{module.name}: {text}", text
    for file, function in DECISIONS.items():
        tree = ast.parse((PROJECT / "fleet" / "decisions" / file).read_text())
        (decide,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == function]
        for call in ast.walk(decide):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "refused":
                text = _text(call.args[1], {})
                yield f"{file}: {text}", text
    yield from ((text, text) for text in _FORBIDDEN_REGISTRATION.values())
    unforeseen = refusal(RuntimeError()).message
    yield unforeseen, unforeseen


def _raised(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
            yield call.func.id, call.args[0]


def _text(node: ast.expr, constants: dict[str, str]) -> str:
    """The literal parts of a string; nothing for what is put together elsewhere."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.IfExp):
        return f"{_text(node.body, constants)}…{_text(node.orelse, constants)}"
    if not isinstance(node, ast.JoinedStr):
        return ""
    parts = [
        constants.get(getattr(part.value, "id", ""), "…") if isinstance(part, ast.FormattedValue) else part.value
        for part in node.values
        if isinstance(part, ast.FormattedValue | ast.Constant)
    ]
    return "".join(map(str, parts))


def test_every_reason_of_a_refused_connection_is_listed() -> None:
    """Exactly the fixed reasons, which are labels of the metric too."""
    reasons = {*_BY_VERIFY_CODE.values(), *_BY_REASON.values(), OTHER, "certificate not accepted"}
    assert set(phrases(TLS_ROWS, 1)) == reasons


def test_a_certificate_error_nobody_named_has_a_reason() -> None:
    """The one of the list."""
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code = 79
    assert reason_of(error) == "certificate not accepted"


@pytest.mark.parametrize("message", [text for _, text in messages()], ids=[place for place, _ in messages()])
def test_every_reason_of_a_refused_call_is_listed(message: str) -> None:
    """By a part of it that does not vary."""
    assert any(phrase in message for phrase in phrases(CALL_ROWS, 2)), f"docs/connect.md does not list: {message}"


def test_nothing_is_listed_that_is_never_said() -> None:
    """A reason that was reworded is corrected there too."""
    said = [text for _, text in messages()]
    unknown = [phrase for phrase in phrases(CALL_ROWS, 2) if not any(phrase in text for text in said)]
    assert unknown == []
