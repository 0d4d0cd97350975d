"""What plain HTTP asks of the endpoint, as `curl` and dashboards do."""

import gzip
import json
import zlib
from typing import Any

import httpx
import lz4.frame
import pytest
import zstandard

from local.clickhouse.process import ClickHouseEndpoint
from tests.local.clickhouse.conftest import PASSWORDS


def test_ping_needs_no_password(endpoint: ClickHouseEndpoint) -> None:
    """A supervisor asks it before there are any."""
    answer = httpx.get(f"{endpoint.address}/ping")
    assert (answer.status_code, answer.text) == (200, "Ok.\n")


def test_query_in_the_url_is_answered(http: httpx.Client) -> None:
    """GET reads."""
    assert http.get("/", params={"query": "SELECT 1 + 1"}).text == "2\n"


def test_query_in_the_body_is_answered(http: httpx.Client) -> None:
    """As `curl --data-binary` sends it."""
    assert http.post("/", content="SELECT 'two', 2").text == "two\t2\n"


def test_url_and_body_make_one_statement(http: httpx.Client) -> None:
    """A server puts the body behind the query of the URL."""
    assert http.post("/", params={"query": "SELECT 1 +"}, content="2").text == "3\n"


def test_get_does_not_write(http: httpx.Client) -> None:
    """A link must change nothing: code 164."""
    answer = http.get("/", params={"query": "CREATE TABLE muster.by_link (x UInt8) ENGINE = Memory"})
    assert answer.headers["X-ClickHouse-Exception-Code"] == "164"


@pytest.mark.parametrize(
    ("query", "parameters", "expected"),
    [
        ("SELECT {x:UInt8} + 1", {"x": "41"}, "42\n"),
        ("SELECT {x:String}", {"x": "it's \\\\ here"}, "it\\'s \\\\ here\n"),
        ("SELECT {x:String}", {"x": "'; DROP TABLE muster.readings; --"}, "\\'; DROP TABLE muster.readings; --\n"),
        ("SELECT length({x:Array(String)})", {"x": "['a','b']"}, "2\n"),
        ("SELECT {x:Nullable(String)}", {"x": "\\N"}, "\\N\n"),
        ("SELECT {x:DateTime64(3, 'UTC')}", {"x": "2024-02-03 04:05:06.789"}, "2024-02-03 04:05:06.789\n"),
        ("SELECT {x:Map(String, UInt8)}['a']", {"x": "{'a':7}"}, "7\n"),
        ("SELECT count() > 0 FROM {db:Identifier}.{t:Identifier}", {"db": "system", "t": "tables"}, "1\n"),
    ],
)
def test_typed_parameters_are_filled_in(
    http: httpx.Client, query: str, parameters: dict[str, str], expected: str
) -> None:
    """As values of their type, never as text of the statement."""
    url = {f"param_{name}": value for name, value in parameters.items()}
    assert http.post("/", params=url, content=query).text == expected


def test_missing_parameter_is_named(http: httpx.Client) -> None:
    """Code 456."""
    answer = http.post("/", content="SELECT {device:String}")
    assert answer.headers["X-ClickHouse-Exception-Code"] == "456"
    assert "`device`" in answer.text


def test_settings_in_the_url_hold_for_one_query(http: httpx.Client) -> None:
    """The next query does not inherit them."""
    query = "SELECT getSetting('max_block_size')"
    default = http.post("/", content=query).text
    assert http.post("/", params={"max_block_size": "123"}, content=query).text == "123\n"
    assert http.post("/", content=query).text == default


def test_unknown_setting_is_refused(http: httpx.Client) -> None:
    """Code 115, as a server says."""
    answer = http.post("/", params={"max_blok_size": "123"}, content="SELECT 1")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (404, "115")
    assert "'max_blok_size'" in answer.text


def test_parameters_about_the_connection_are_taken(http: httpx.Client) -> None:
    """Clients send them as a matter of course."""
    url = {
        "session_id": "s1",
        "session_timeout": "60",
        "client_protocol_version": "54405",
        "send_progress_in_http_headers": "1",
        "http_headers_progress_interval_ms": "1000",
        "buffer_size": "1000",
        "wait_end_of_query": "1",
        "quota_key": "k",
    }
    assert http.post("/", params=url, content="SELECT 1").text == "1\n"


def test_database_resolves_unqualified_names(http: httpx.Client, table: str) -> None:
    """In the URL or as a header; one that is not there is code 81."""
    query = f"SELECT count() FROM {table.split('.')[1]}"
    assert http.post("/", params={"database": "muster"}, content=query).text == "0\n"
    assert http.post("/", headers={"X-ClickHouse-Database": "muster"}, content=query).text == "0\n"
    missing = http.post("/", params={"database": "nowhere"}, content=query)
    assert (missing.status_code, missing.headers["X-ClickHouse-Exception-Code"]) == (404, "81")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("TabSeparated", "1\tx\n"),
        ("TabSeparatedWithNamesAndTypes", "a\tb\nUInt8\tString\n1\tx\n"),
        ("CSV", '1,"x"\n'),
        ("CSVWithNames", '"a","b"\n1,"x"\n'),
        ("JSONEachRow", '{"a":1,"b":"x"}\n'),
        ("JSONCompactEachRow", '[1, "x"]\n'),
        ("Values", "(1,'x')"),
        ("Null", ""),
    ],
)
def test_formats(http: httpx.Client, name: str, expected: str) -> None:
    """By FORMAT clause, parameter or header, and named in the answer."""
    query = "SELECT 1 AS a, 'x' AS b"
    by_clause = http.post("/", content=f"{query} FORMAT {name}")
    assert by_clause.text == expected
    assert by_clause.headers["X-ClickHouse-Format"] == name
    assert http.post("/", params={"default_format": name}, content=query).text == expected
    assert http.post("/", headers={"X-ClickHouse-Format": name}, content=query).text == expected


def test_json_carries_names_types_and_rows(http: httpx.Client) -> None:
    """What dashboards read."""
    answer = http.post("/", content="SELECT toUInt8(number) AS n FROM numbers(2) FORMAT JSON")
    assert answer.headers["Content-Type"].startswith("application/json")
    body: dict[str, Any] = answer.json()
    assert body["meta"] == [{"name": "n", "type": "UInt8"}]
    assert body["data"] == [{"n": 0}, {"n": 1}]


def test_answers_carry_a_servers_headers(http: httpx.Client) -> None:
    """Query id, timezone, format, display name and a summary with counts."""
    answer = http.post("/", params={"query_id": "my-query", "wait_end_of_query": "1"}, content="SELECT 1")
    assert answer.headers["X-ClickHouse-Query-Id"] == "my-query"
    assert answer.headers["X-ClickHouse-Format"] == "TabSeparated"
    assert answer.headers["X-ClickHouse-Timezone"]
    assert answer.headers["X-ClickHouse-Server-Display-Name"]
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["read_rows"] == "1"
    assert http.post("/", content="SELECT 1").headers["X-ClickHouse-Query-Id"] not in ("", "my-query")


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("lz4", lz4.frame.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
    ],
)
def test_compressed_requests_are_unpacked(http: httpx.Client, table: str, encoding: str, pack: Any) -> None:
    """Statement and data alike."""
    body = pack(f"INSERT INTO {table} FORMAT TSV\n".encode() + b"a\t1\n" * 5000)
    headers = {"Content-Encoding": encoding}
    assert http.post("/", content=body, headers=headers).status_code == 200
    assert http.post("/", content=pack(f"SELECT count() FROM {table}".encode()), headers=headers).text == "5000\n"


def test_broken_or_unknown_compression_is_refused(http: httpx.Client) -> None:
    """400 with ClickHouse's codes, never a 500."""
    broken = http.post("/", content=b"not packed", headers={"Content-Encoding": "zstd"})
    unknown = http.post("/", content=b"SELECT 1", headers={"Content-Encoding": "rot13"})
    assert (broken.status_code, broken.headers["X-ClickHouse-Exception-Code"]) == (400, "271")
    assert (unknown.status_code, unknown.headers["X-ClickHouse-Exception-Code"]) == (400, "89")


@pytest.mark.parametrize(
    ("encoding", "unpack"),
    [
        ("gzip", gzip.decompress),
        ("deflate", zlib.decompress),
        ("lz4", lz4.frame.decompress),
        ("zstd", lambda body: zstandard.ZstdDecompressor().decompressobj().decompress(body)),
    ],
)
@pytest.mark.parametrize(
    "query", ["SELECT number FROM numbers(200000)", "SELECT number FROM numbers(1000) FORMAT CSVWithNames"]
)
def test_answers_are_compressed_when_asked(http: httpx.Client, encoding: str, unpack: Any, query: str) -> None:
    """Streamed and whole ones, only with enable_http_compression."""
    headers = {"Accept-Encoding": encoding}
    plain = http.post("/", content=query, headers=headers)
    assert "Content-Encoding" not in plain.headers
    with http.stream("POST", "/", params={"enable_http_compression": "1"}, content=query, headers=headers) as packed:
        assert packed.headers["Content-Encoding"] == encoding
        assert unpack(b"".join(packed.iter_raw())) == plain.content


@pytest.mark.parametrize(
    ("statement", "code", "status"),
    [
        ("SELECT", 62, 400),
        ("SELECT * FROM muster.missing", 60, 404),
        ("SELECT missing", 47, 404),
        ("SELECT missing()", 46, 404),
        ("SELECT 1 FORMAT Missing", 73, 404),
        ("SELECT * FROM missing.t", 81, 404),
        ("SELECT 'x' + 1", 43, 500),
        ("SELECT toUInt8('x')", 6, 400),
        ("SELECT throwIf(1, 'as told')", 395, 500),
        ("SELECT 1; SELECT 2", 62, 400),
        ("", 62, 400),
        ("INSERT INTO muster.missing FORMAT TSV\n1\n", 60, 404),
        ("INSERT INTO muster.missing VALUES (1)", 60, 404),
    ],
)
def test_errors_have_a_servers_codes_and_statuses(http: httpx.Client, statement: str, code: int, status: int) -> None:
    """Code in a header, `Code: …` with the name in the body."""
    answer = http.post("/", content=statement)
    assert (answer.headers["X-ClickHouse-Exception-Code"], answer.status_code) == (str(code), status)
    assert answer.text.startswith(f"Code: {code}. DB::")
    assert "(version 26." in answer.text


def test_one_bad_row_fails_the_insert_whole(http: httpx.Client, table: str) -> None:
    """No row of it is kept."""
    answer = http.post("/", content=f"INSERT INTO {table} FORMAT TSV\na\t1\nb\tnot-a-number\n")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (400, "27")
    assert http.post("/", content=f"SELECT count() FROM {table}").text == "0\n"


@pytest.mark.parametrize(
    ("url_query", "body"),
    [
        ("", "INSERT INTO {t} FORMAT TSV\na\t1\nb\t2\n"),
        ("", "INSERT INTO {t} (device, value) FORMAT CSV\na,1\nb,2\n"),
        ("", 'INSERT INTO {t} FORMAT JSONEachRow {{"device":"a","value":1}} {{"device":"b","value":2}}'),
        ("", "insert into {t} values ('a', 1), ('b', 1 + 1);"),
        ("", "INSERT /* FORMAT x */ INTO {t} -- VALUES\n VALUES ('a', 1), ('b', 2)"),
        ("INSERT INTO {t} FORMAT TSV", "a\t1\nb\t2\n"),
        ("INSERT INTO {t} VALUES", "('a', 1), ('b', 2)"),
        ("", "INSERT INTO {t} SELECT 'a', 1 UNION ALL SELECT 'b', 2"),
        ("INSERT INTO {t} SETTINGS max_insert_threads = 1 FORMAT TSV", "a\t1\nb\t2\n"),
    ],
)
def test_inserts_as_people_write_them(http: httpx.Client, table: str, url_query: str, body: str) -> None:
    """Data in the body, after the statement or alone."""
    url = {"query": url_query.format(t=table)} if url_query else {}
    answer = http.post("/", params=url, content=body.format(t=table))
    assert (answer.status_code, answer.text) == (200, "")
    assert http.post("/", content=f"SELECT * FROM {table} ORDER BY device").text == "a\t1\nb\t2\n"


def test_inserts_say_how_many_rows_they_wrote(http: httpx.Client, table: str) -> None:
    """In the summary."""
    answer = http.post("/", content=f"INSERT INTO {table} FORMAT TSV\na\t1\nb\t2\n")
    assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"


def test_parameters_work_in_values(http: httpx.Client, table: str) -> None:
    """As on a server."""
    http.post("/", params={"param_v": "7"}, content=f"INSERT INTO {table} VALUES ('a', {{v:UInt64}})")
    assert http.post("/", content=f"SELECT value FROM {table}").text == "7\n"


def test_token_keeps_a_repeated_insert_from_being_stored_twice(http: httpx.Client) -> None:
    """Settings of the URL reach inserts."""
    http.post(
        "/",
        content="CREATE TABLE muster.once (x UInt8) ENGINE = MergeTree ORDER BY x"
        " SETTINGS non_replicated_deduplication_window = 100",
    )
    for _ in range(2):
        url = {"query": "INSERT INTO muster.once FORMAT TSV", "insert_deduplication_token": "t1"}
        assert http.post("/", params=url, content="1\n2\n").status_code == 200
    assert http.post("/", content="SELECT count() FROM muster.once").text == "2\n"
    http.post("/", content="DROP TABLE muster.once SYNC")


def test_error_in_the_middle_of_a_stream_is_told(http: httpx.Client) -> None:
    """Between tags in the body, and the response ends unfinished."""
    query = "SELECT throwIf(number = 900000, 'as told') FROM numbers(1000000) SETTINGS max_block_size = 10000"
    with http.stream("POST", "/", content=query) as answer:
        assert answer.status_code == 200
        tag = answer.headers["X-ClickHouse-Exception-Tag"]
        received: list[bytes] = []
        with pytest.raises(httpx.RemoteProtocolError):
            received.extend(answer.iter_raw())
    assert f"__exception__\r\n{tag}\r\nCode: 395.".encode() in b"".join(received)


def test_waiting_for_the_end_turns_a_late_error_into_a_status(http: httpx.Client) -> None:
    """wait_end_of_query=1."""
    query = "SELECT throwIf(number = 900000, 'as told') FROM numbers(1000000) SETTINGS max_block_size = 10000"
    assert http.post("/", params={"wait_end_of_query": "1"}, content=query).status_code == 500


def test_connections_are_kept(http: httpx.Client, table: str) -> None:
    """Answers, errors and inserts leave the connection fit for the next request."""
    with httpx.Client(base_url=http.base_url, auth=http.auth, limits=httpx.Limits(max_connections=1)) as one:
        for statement in ("SELECT 1", "SELECT missing", f"INSERT INTO {table} FORMAT TSV\na\t1\n", "SELECT 1") * 3:
            answer = one.post("/", content=statement)
            assert "connection" not in answer.headers
            assert answer.num_bytes_downloaded == len(answer.content)
        pool = one._transport._pool  # type: ignore[attr-defined]
        assert [connection.info().split(", ")[-1] for connection in pool.connections] == ["Request Count: 12"]


def test_form_fields_are_read(http: httpx.Client) -> None:
    """Clients send long parameters in a form."""
    fields = {"query": (None, "SELECT {x:String}"), "param_x": (None, "from a form")}
    assert http.post("/", files=fields).text == "from a form\n"


def test_unknown_paths_and_methods_are_refused(http: httpx.Client) -> None:
    """Never with a stack trace."""
    assert http.get("/play").status_code == 404
    assert http.request("DELETE", "/").status_code == 501
    assert "Traceback" not in http.get("/play").text


def test_files_of_the_endpoint_are_not_named(http: httpx.Client, endpoint: ClickHouseEndpoint, table: str) -> None:
    """Errors speak of what was sent, not of where it lies."""
    answers = [
        http.post("/", content=f"INSERT INTO {table} FORMAT TSV\nbroken"),
        http.post("/", content=f"INSERT INTO {table} FORMAT Native\n\x00\xff\xff"),
        http.post("/", content=f"INSERT INTO {table} FORMAT Parquet\nnot parquet"),
    ]
    assert [answer.is_error for answer in answers] == [True] * 3
    assert not any("/tmp" in answer.text or str(endpoint.port) in answer.text for answer in answers)  # noqa: S108


def test_large_answers_stream(http: httpx.Client) -> None:
    """The first row is there long before the last is made."""
    query = "SELECT number, repeat('x', 100) FROM numbers(5000000) FORMAT JSONEachRow"
    size_bytes = 0
    with http.stream("POST", "/", content=query) as answer:
        assert "Content-Length" not in answer.headers
        for chunk in answer.iter_raw():
            size_bytes += len(chunk)
    assert size_bytes > 500_000_000


def test_password_of_a_url(endpoint: ClickHouseEndpoint) -> None:
    """The third way to say who asks."""
    url = {"user": "muster", "password": PASSWORDS["muster"], "query": "SELECT 1"}
    assert httpx.get(endpoint.address, params=url).text == "1\n"
