"""A caller that repeats a change under its request id gets the outcome of the first, over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from tests.api.fleet import Operator
from tests.api.installation import Api, api_process, python_process, until

SECRETS = "/api/v1/namespaces/default/secrets"
REQUEST_ID = {"Muster-Request-Id": "one-and-the-same"}


def test_a_repeat_joins_a_request_that_still_waits(fresh: dict[str, str], tmp_path: Path) -> None:
    """Each draws a uid and a nonce of its own, which makes no other change of it; another content does."""
    document = {"metadata": {"name": "token"}, "stringData": {"k": "v"}}
    with api_process(fresh, tmp_path / "log", API_OPERATOR_DEADLINE_MS=60_000) as api, ThreadPoolExecutor() as callers:

        def create() -> httpx.Response:
            return httpx.post(api.url + SECRETS, json=document, headers=REQUEST_ID, timeout=70)

        first = callers.submit(create)
        until(lambda: _waiting(api) == 1)
        again = callers.submit(create)
        other = httpx.post(api.url + SECRETS, json=document | {"stringData": {"k": "w"}}, headers=REQUEST_ID)
        assert (other.status_code, "one-and-the-same" in other.json()["message"]) == (400, True)
        with python_process(["streams", "commands"], fresh, tmp_path / "commands.log"):
            answers = [first.result(), again.result()]
            answers.append(create())
    assert [answer.status_code for answer in answers] == [201] * 3, answers[1].text
    assert len({answer.json()["metadata"]["uid"] for answer in answers}) == 1


def test_a_repeated_deletion_is_told_of_the_first(api: Api, operator: Operator) -> None:
    """The resource is gone by then, which without the id is 404."""
    operator.create(SECRETS, {"metadata": {"name": "short-lived"}})
    path = f"{api.url}{SECRETS}/short-lived"
    headers = {"Muster-Request-Id": "delete-it-once"}
    answers = [httpx.delete(path, headers=headers, timeout=20) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert httpx.delete(path, timeout=20).status_code == 404
    unknown = httpx.delete(f"{path}-not", headers={"Muster-Request-Id": "delete-nothing"}, timeout=20)
    assert unknown.status_code == 404


def _waiting(api: Api) -> float:
    lines = httpx.get(f"{api.url}/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("muster_commands_waiting "))
