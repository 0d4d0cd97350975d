"""What one query may take, and that ingest goes on beside the worst of them."""

import gzip
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from local.clickhouse.process import ClickHouseEndpoint
from tests.local.clickhouse.conftest import PASSWORDS

ENDLESS = "SELECT count() FROM numbers(1000000000000000)"
HOG = "SELECT length(groupArray(number)) FROM numbers(1000000000)"


@pytest.fixture
def owner(narrow_endpoint: ClickHouseEndpoint) -> Iterator[httpx.Client]:
    """The owner, with narrow limits."""
    auth = ("muster", PASSWORDS["muster"])
    with httpx.Client(base_url=narrow_endpoint.address, auth=auth, timeout=30) as client:
        yield client


@pytest.fixture
def reader(narrow_endpoint: ClickHouseEndpoint) -> Iterator[httpx.Client]:
    """An analyst, with narrow limits."""
    auth = ("analyst", PASSWORDS["analyst"])
    with httpx.Client(base_url=narrow_endpoint.address, auth=auth, timeout=30) as client:
        yield client


def code(answer: httpx.Response) -> str | None:
    """ClickHouse's code of an answer, None when it is no error."""
    return answer.headers.get("X-ClickHouse-Exception-Code")


@pytest.mark.parametrize("client", ["owner", "reader"])
def test_memory_hog_is_stopped(client: str, request: pytest.FixtureRequest) -> None:
    """Code 241."""
    assert code(request.getfixturevalue(client).post("/", params={"wait_end_of_query": "1"}, content=HOG)) == "241"


@pytest.mark.parametrize("client", ["owner", "reader"])
def test_endless_query_is_stopped(client: str, request: pytest.FixtureRequest) -> None:
    """Code 159, at its time."""
    began = time.monotonic()
    answer = request.getfixturevalue(client).post("/", params={"wait_end_of_query": "1"}, content=ENDLESS)
    assert (answer.status_code, code(answer)) == (408, "159")
    assert time.monotonic() - began < 5


def test_endless_stream_is_stopped(reader: httpx.Client) -> None:
    """Also when its rows have begun to flow."""
    with reader.stream("POST", "/", content="SELECT number FROM numbers(1000000000000000)") as answer:
        last: deque[bytes] = deque(maxlen=2)
        with pytest.raises(httpx.RemoteProtocolError):
            last.extend(answer.iter_raw())
        assert b"Code: 159." in b"".join(last)


def test_limits_may_be_narrowed_not_widened(owner: httpx.Client) -> None:
    """Code 452, by whichever way."""
    assert owner.post("/", params={"max_memory_usage": "50000000"}, content="SELECT 1").text == "1\n"
    assert code(owner.post("/", params={"max_memory_usage": "0"}, content="SELECT 1")) == "452"
    assert code(owner.post("/", params={"max_execution_time": "3"}, content="SELECT 1")) == "452"
    assert code(owner.post("/", content="SELECT 1 SETTINGS max_memory_usage = 1000000000000")) == "452"


def test_body_is_bounded_packed_and_unpacked(owner: httpx.Client, reader: httpx.Client) -> None:
    """413, naming the setting; an analyst's is smaller still."""
    large = b"SELECT '" + b"x" * 5_000_000 + b"'"
    for answer in (
        owner.post("/", content=large),
        owner.post("/", content=iter([large[:3_000_000], large[3_000_000:]])),
        owner.post("/", content=gzip.compress(large), headers={"Content-Encoding": "gzip"}),
        reader.post("/", content=large[:3_000_000]),
    ):
        assert (answer.status_code, code(answer)) == (413, "307")
    assert "MUSTER_CLICKHOUSE_BODY_LIMIT_MIB" in owner.post("/", content=large).text


def test_answer_that_cannot_stream_is_bounded(reader: httpx.Client) -> None:
    """Code 396, and the same rows come in a format that streams."""
    query = "SELECT number, repeat(toString(number), 30) FROM numbers(100000)"
    whole = reader.post("/", content=f"{query} FORMAT JSON")
    assert code(whole) == "396"
    assert len(reader.post("/", content=f"{query} FORMAT JSONEachRow").content) > 10_000_000


def test_ingest_goes_on_beside_analysts_at_their_worst(owner: httpx.Client, reader: httpx.Client) -> None:
    """Hogs and endless queries, more than there are places: all inserts land, each within seconds."""
    owner.post("/", content="CREATE TABLE muster.beats (x UInt64) ENGINE = MergeTree ORDER BY x").raise_for_status()
    stop = threading.Event()

    def bother() -> set[str | None]:
        seen = set()
        while not stop.is_set():
            seen.add(code(reader.post("/", params={"wait_end_of_query": "1"}, content=HOG)))
            seen.add(code(reader.post("/", params={"wait_end_of_query": "1"}, content=ENDLESS)))
        return seen

    with ThreadPoolExecutor(5) as pool:
        bothers = [pool.submit(bother) for _ in range(5)]
        slowest_s = 0.0
        for number in range(20):
            began = time.monotonic()
            rows = "".join(f"{number * 1000 + row}\n" for row in range(1000))
            owner.post("/", params={"query": "INSERT INTO muster.beats FORMAT TSV"}, content=rows).raise_for_status()
            slowest_s = max(slowest_s, time.monotonic() - began)
            time.sleep(0.1)
        stop.set()
        seen = set().union(*(bother.result() for bother in bothers))
    assert owner.post("/", content="SELECT count(), uniqExact(x) FROM muster.beats").text == "20000\t20000\n"
    assert slowest_s < 3
    assert seen <= {"241", "159", "202"}
    assert "202" in seen


def test_too_many_at_a_time_are_told_to_come_again(reader: httpx.Client) -> None:
    """503 with Retry-After, code 202."""
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: reader.post("/", content="SELECT sleep(0.5)"), range(6)))
    refused = [answer for answer in answers if answer.status_code == 503]
    assert refused
    assert all((code(answer), answer.headers["Retry-After"]) == ("202", "1") for answer in refused)
    assert any(answer.status_code == 200 for answer in answers)


def test_query_ends_when_its_client_leaves(reader: httpx.Client, owner: httpx.Client) -> None:
    """So that nobody's lane is held by nobody."""
    with pytest.raises(httpx.ReadTimeout):
        reader.post("/", content=f"{ENDLESS} WHERE 'left' != 'early'", timeout=0.5)
    _wait_until(lambda: owner.post("/", content=_running("early")).text == "0\n", within_s=1.2)


def test_stream_ends_when_its_client_leaves(reader: httpx.Client, owner: httpx.Client) -> None:
    """Not made for nobody until its time is over."""
    query = "SELECT number AS abandoned FROM numbers(1000000000000000)"
    with reader.stream("POST", "/", content=query) as answer:
        next(answer.iter_raw())
    _wait_until(lambda: owner.post("/", content=_running("abandoned")).text == "0\n", within_s=1.2)


def test_client_that_does_not_read_is_let_go(narrow_endpoint: ClickHouseEndpoint, reader: httpx.Client) -> None:
    """One thread serves analysts here, and a sleeper must not keep it."""
    with reader.stream("POST", "/", content="SELECT number FROM numbers(1000000000000000)"):
        time.sleep(0.5)
        with httpx.Client(base_url=narrow_endpoint.address, auth=("analyst", PASSWORDS["analyst"])) as other:
            assert other.post("/", content="SELECT 1", timeout=15).text == "1\n"


def _running(marked: str) -> str:
    return f"SELECT countIf(query LIKE '%{marked}%' AND query NOT LIKE '%LIKE%') FROM system.processes"


def _wait_until(condition: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
