"""Who may ask, and what an analyst is refused."""

from collections.abc import Iterator

import httpx
import pytest

from local.clickhouse.process import ClickHouseEndpoint
from local.clickhouse.users import DOCUMENTED_TABLES
from tests.local.clickhouse.conftest import PASSWORDS

DENIED = {"497", "164", "358"}

SECRET = "planted-secret"


@pytest.fixture(scope="module", autouse=True)
def documented(endpoint: ClickHouseEndpoint) -> Iterator[None]:
    """A documented table, a documented view of an internal table, and the internal table with a secret."""
    with httpx.Client(base_url=endpoint.address, auth=("muster", PASSWORDS["muster"])) as owner:
        for statement in (
            "CREATE TABLE muster.heartbeats (device_id String) ENGINE = MergeTree ORDER BY device_id",
            "INSERT INTO muster.heartbeats VALUES ('d1')",
            "CREATE TABLE muster.decisions (device_id String, body String) ENGINE = MergeTree ORDER BY device_id",
            f"INSERT INTO muster.decisions VALUES ('d1', '{SECRET}')",
            "CREATE VIEW muster.enrolments AS SELECT device_id FROM muster.decisions",
            "CREATE VIEW muster.everything AS SELECT * FROM muster.decisions",
        ):
            owner.post("/", content=statement).raise_for_status()
        yield
        for name in ("heartbeats", "decisions", "enrolments", "everything"):
            owner.post("/", content=f"DROP TABLE muster.{name} SYNC").raise_for_status()


@pytest.mark.parametrize("user", ["muster", "analyst"])
def test_three_ways_to_say_who_asks(endpoint: ClickHouseEndpoint, user: str) -> None:
    """HTTP basic, ClickHouse's headers, the URL."""
    password = PASSWORDS[user]
    query = {"query": "SELECT 1"}
    headers = {"X-ClickHouse-User": user, "X-ClickHouse-Key": password}
    for answer in (
        httpx.get(endpoint.address, params=query, auth=(user, password)),
        httpx.get(endpoint.address, params=query, headers=headers),
        httpx.get(endpoint.address, params={**query, "user": user, "password": password}),
    ):
        assert (answer.status_code, answer.text) == (200, "1\n")


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("muster", "guess"),
        ("muster", ""),
        ("muster", PASSWORDS["analyst"]),
        ("analyst", PASSWORDS["muster"]),
        ("default", ""),
        ("", ""),
        ("installation.key", ""),
        ("../keys/muster", PASSWORDS["muster"]),
        ("muster", "\0"),
        ("default", "\0"),
    ],
)
def test_wrong_credentials_are_refused(endpoint: ClickHouseEndpoint, user: str, password: str) -> None:
    """403 with code 516, whichever of both is wrong."""
    url = {"query": "SELECT 1", "user": user, "password": password}
    answer = httpx.get(endpoint.address, params=url)
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (403, "516")


def test_nobody_is_asked_for_a_password(endpoint: ClickHouseEndpoint) -> None:
    """401, so that a browser asks its user."""
    answer = httpx.post(endpoint.address, content="SELECT 1")
    assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (401, "194")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8123", "evil.example@127.0.0.1", ""]
)
def test_other_host_names_are_refused(endpoint: ClickHouseEndpoint, host: str) -> None:
    """A page can be served from a name that resolves to this machine. Also for /ping."""
    for path in ("/ping", "/?query=SELECT+1"):
        answer = httpx.get(f"{endpoint.address}{path}", headers={"Host": host}, auth=("muster", PASSWORDS["muster"]))
        assert answer.status_code == 403


@pytest.mark.parametrize("host", ["localhost", "localhost:8123", "127.0.0.1", "127.0.0.1:1", "[::1]:8123", "LOCALHOST"])
def test_loopback_names_are_answered(endpoint: ClickHouseEndpoint, host: str) -> None:
    """With any port: a tunnel may change it."""
    assert httpx.get(f"{endpoint.address}/ping", headers={"Host": host}).status_code == 200


def test_pages_of_other_sites_are_refused(http: httpx.Client) -> None:
    """Even with a password that a browser remembers."""
    for origin in ("https://evil.example", "null", "http://localhost.evil.example"):
        assert http.post("/", content="SELECT 1", headers={"Origin": origin}).status_code == 403
    assert http.post("/", content="SELECT 1", headers={"Origin": "http://127.0.0.1:8080"}).status_code == 200


def test_analyst_reads_documented_tables_and_views(analyst: httpx.Client) -> None:
    """Views read internal tables on their behalf."""
    assert analyst.post("/", content="SELECT * FROM muster.heartbeats").text == "d1\n"
    assert analyst.post("/", content="SELECT * FROM muster.enrolments").text == "d1\n"
    joined = "WITH e AS (SELECT * FROM enrolments) SELECT count() FROM heartbeats h JOIN e USING device_id"
    assert analyst.post("/", content=joined).text == "1\n"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT name FROM system.tables WHERE database = 'muster' ORDER BY name",
        "SHOW TABLES FROM muster",
        "SELECT DISTINCT table FROM system.columns WHERE database = 'muster' ORDER BY table",
        "SELECT word FROM system.completions WHERE belongs = 'muster' ORDER BY word",
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'muster' ORDER BY table_name",
    ],
)
def test_analyst_sees_only_what_may_be_read(analyst: httpx.Client, query: str) -> None:
    """Internal tables are not even listed."""
    assert analyst.post("/", content=query).text == "enrolments\nheartbeats\n"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT version(), timezone(), currentDatabase()",
        "SELECT name, value, readonly FROM system.settings WHERE name = 'max_threads'",
        "SELECT count() FROM system.functions",
        "SELECT number FROM numbers(3)",
        "SELECT * FROM generate_series(1, 3)",
        "SELECT * FROM values('a UInt8, b String', (1, 'x'))",
        "SELECT * FROM (SELECT 1 AS a) WHERE a IN (SELECT 1)",
        "SHOW DATABASES",
        "SHOW COLUMNS FROM muster.heartbeats",
        "SHOW CREATE TABLE muster.heartbeats",
        "DESCRIBE TABLE muster.enrolments",
        "EXISTS TABLE muster.heartbeats",
        "EXPLAIN SELECT * FROM muster.heartbeats",
        "SELECT 'INTO OUTFILE', 'file(', '; DROP TABLE x' -- SET ROLE owner",
        "SELECT 1 SETTINGS max_threads = 1",
        "SELECT 1 UNION ALL SELECT 2",
        "SELECT 1 INTERSECT SELECT 1",
        (
            "SELECT device_id, count() AS n FROM heartbeats WHERE device_id LIKE 'd%' GROUP BY ALL HAVING n > 0"
            " ORDER BY n DESC NULLS LAST LIMIT 1 BY device_id LIMIT 5 WITH TIES SETTINGS max_threads = 1"
        ),
        (
            "SELECT toStartOfHour(now() - INTERVAL 3 HOUR), quantiles(0.5, 0.99)(number), arrayMap(x -> x + 1, [1, 2]),"
            " CASE WHEN 1 THEN 'a' ELSE 'b' END, (1, 'x').1, map('a', 1)['a'], -1.5e-3, 0xFF, NULL IS NULL, {p:UInt8}"
            " FROM numbers(10)"
        ),
        "SELECT sum(number) OVER (PARTITION BY number % 2 ORDER BY number ROWS UNBOUNDED PRECEDING) FROM numbers(5)",
        "SELECT 1 FROM heartbeats AS a LEFT ANY JOIN enrolments AS b ON a.device_id = b.device_id AND b.device_id > ''",
        "SELECT `a b`, `c``d`, 'line\\nbreak \\\\ quote '' ' FROM (SELECT 1 AS `a b`, 2 AS `c``d`)",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT * FROM r",
    ],
)
def test_analyst_may_ask(analyst: httpx.Client, query: str) -> None:
    """What dashboards and curious people ask."""
    answer = analyst.post("/", params={"param_p": "1"}, content=query)
    assert answer.status_code == 200, answer.text


ATTACKS = [
    # internal tables, however they are reached
    "SELECT * FROM muster.decisions",
    "SELECT * FROM decisions",
    "SELECT * FROM `muster`.`decisions`",
    "SELECT * FROM muster.everything",
    "SELECT (SELECT any(body) FROM muster.decisions)",
    "WITH d AS (SELECT * FROM muster.decisions) SELECT * FROM d",
    "SELECT * FROM muster.heartbeats JOIN muster.decisions USING device_id",
    "SELECT device_id IN muster.decisions FROM muster.heartbeats",
    "SELECT 1 UNION ALL SELECT length(body) FROM muster.decisions",
    "SELECT * FROM view(SELECT * FROM muster.decisions)",
    "SELECT * FROM merge('muster', '.*')",
    "SELECT * FROM merge(REGEXP('.*'), 'decisions')",
    "SELECT * FROM loop('muster', 'decisions')",
    "SELECT * FROM remote('127.0.0.1', muster.decisions)",
    "SELECT * FROM cluster('default', muster.decisions)",
    "SELECT * FROM clusterAllReplicas('default', muster.decisions)",
    "SELECT * FROM mergeTreeIndex('muster', 'decisions')",
    "SELECT * FROM viewIfPermitted(SELECT * FROM muster.decisions ELSE null('x UInt8'))",
    "SHOW CREATE TABLE muster.decisions",
    "DESCRIBE TABLE muster.decisions",
    "DESCRIBE TABLE (SELECT * FROM muster.decisions)",
    "EXPLAIN SELECT * FROM muster.decisions",
    "EXPLAIN ESTIMATE SELECT * FROM muster.decisions",
    "SELECT hasColumnInTable('muster', 'decisions', 'body')",
    "SELECT joinGet('muster.decisions', 'body', 'd1')",
    "SELECT dictGet('muster.decisions', 'body', 'd1')",
    # other people's queries, and what the installation is made of
    "SELECT query FROM system.processes",
    'SELECT * FROM "system"."processes"',
    "SELECT 1 WHERE (SELECT count() FROM system.processes) > 0",
    "SELECT 'x' IN system.processes",
    "SELECT * FROM system.errors",
    "SELECT * FROM system.server_settings",
    "SELECT * FROM system.users",
    "SELECT * FROM system.grants",
    "SELECT * FROM system.parts",
    "SELECT * FROM system.disks",
    "SELECT * FROM merge('system', 'processes')",
    "SHOW PROCESSLIST",
    "SHOW GRANTS",
    "SHOW USERS",
    "SELECT getServerSetting('path')",
    "KILL QUERY WHERE 1",
    # files, addresses, programs
    "SELECT file('/etc/passwd')",
    "SELECT * FROM file('/etc/passwd', 'LineAsString')",
    "SELECT * FROM default.`/etc/passwd`",
    "DESCRIBE TABLE file('/etc/passwd')",
    "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
    "SELECT * FROM s3('http://127.0.0.1:1/x.csv')",
    "SELECT * FROM executable('id', 'TSV', 'x String')",
    "SELECT * FROM python('sys')",
    "SELECT * FROM Python(os)",
    "SELECT * FROM mysql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM postgresql('127.0.0.1:1', 'd', 't', 'u', 'p')",
    "SELECT * FROM sqlite('/etc/passwd', 't')",
    "SELECT * FROM jdbc('jdbc:x', 's', 't')",
    "SELECT * FROM odbc('x', 's', 't')",
    "SELECT * FROM hdfs('hdfs://127.0.0.1:1/x', 'TSV')",
    "SELECT * FROM fileCluster('default', '/etc/passwd')",
    "SELECT * FROM dictionary('muster.x')",
    "SELECT * FROM input('x String')",
    "SELECT hasColumnInTable('127.0.0.1:1', 'u', 'p', 'd', 't', 'c')",
    "SELECT aiGenerate('x')",
    "SELECT 1 INTO OUTFILE '/tmp/stolen'",
    "EXPLAIN SELECT 1 INTO OUTFILE '/tmp/stolen'",
    "INSERT INTO FUNCTION null('x String') FROM INFILE '/etc/passwd' FORMAT LineAsString",
    # writing, making, unmaking
    "INSERT INTO muster.heartbeats VALUES ('d2')",
    "INSERT INTO muster.heartbeats SELECT 'd2'",
    "INSERT INTO FUNCTION file('/tmp/stolen', 'TSV', 'x String') VALUES ('x')",
    "CREATE TABLE muster.mine (x UInt8) ENGINE = Memory",
    "CREATE TEMPORARY TABLE mine (x UInt8)",
    "CREATE VIEW muster.mine AS SELECT * FROM muster.decisions",
    "CREATE FUNCTION mine AS x -> x",
    "CREATE DATABASE mine",
    "CREATE USER mine",
    "ALTER TABLE muster.heartbeats DELETE WHERE 1",
    "DELETE FROM muster.heartbeats WHERE 1",
    "TRUNCATE TABLE muster.heartbeats",
    "DROP TABLE muster.heartbeats",
    "RENAME TABLE muster.heartbeats TO muster.mine",
    "ATTACH TABLE muster.mine (x UInt8) ENGINE = MergeTree ORDER BY x",
    "DETACH TABLE muster.heartbeats",
    "OPTIMIZE TABLE muster.heartbeats",
    "BACKUP TABLE muster.heartbeats TO File('/tmp/stolen')",
    "SYSTEM SHUTDOWN",
    "SYSTEM STOP MERGES",
    # other rights and wider limits
    "SET ROLE owner",
    "SET ROLE ALL",
    "SET DEFAULT ROLE owner TO default",
    "EXECUTE AS default SELECT 1",
    "GRANT owner TO default",
    "SET readonly = 0",
    "SET max_memory_usage = 0",
    "USE system",
    "SELECT 1 SETTINGS readonly = 0",
    "BEGIN TRANSACTION",
    "SELECT 1 PARALLEL WITH DROP TABLE muster.heartbeats",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_analyst_is_refused(analyst: httpx.Client, attack: str) -> None:
    """By POST and GET, and the secret is nowhere in the answer."""
    for answer in (analyst.post("/", content=attack), analyst.get("/", params={"query": attack})):
        assert answer.headers.get("X-ClickHouse-Exception-Code") in DENIED, answer.text
        assert SECRET not in answer.text
        assert "root:" not in answer.text


@pytest.mark.parametrize(
    "attack",
    [
        "SELECT 1; SET ROLE owner; SELECT * FROM muster.decisions",
        "SELECT 1;\nDROP TABLE muster.heartbeats",
        "SELECT 1 FORMAT TSV; SELECT * FROM muster.decisions",
        "exit",
        "?? show me all secrets",
        "SELECT 1 /* ; */ ; -- \nSET ROLE owner",
        "EXPLAIN AST SELECT 1; SET ROLE owner",
        ") ; SET ROLE owner --",
    ],
)
def test_second_statement_is_a_syntax_error(analyst: httpx.Client, attack: str) -> None:
    """One request, one statement: code 62, or none that reads anything."""
    answer = analyst.post("/", content=attack)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in {"62", "47"}, answer.text
    assert SECRET not in answer.text


@pytest.mark.parametrize(
    ("url", "query"),
    [
        ({"database": "system"}, "SELECT query FROM processes"),
        ({"role": "owner"}, "SELECT * FROM muster.decisions"),
        ({"profile": "default"}, "SELECT 1"),
        ({"readonly": "0"}, "SELECT 1"),
        ({"max_memory_usage": "0"}, "SELECT 1"),
        ({"max_memory_usage": "1000000000000"}, "SELECT 1"),
        ({"max_execution_time": "0"}, "SELECT 1"),
        ({"max_threads": "100000"}, "SELECT 1"),
        ({"dialect": "kusto"}, "SELECT 1"),
        ({"implicit_select": "1"}, "SELECT 1"),
        ({"param_t": "decisions"}, "SELECT * FROM muster.{t:Identifier}"),
        ({"param_t": "processes"}, "SELECT * FROM system.{t:Identifier}"),
        ({"param_d": "system", "param_t": "processes"}, "SELECT * FROM {d:Identifier}.{t:Identifier}"),
        ({"query": "SELECT * FROM"}, "muster.decisions"),
        ({"max_threads": "1, readonly = 0, max_block_size = 1"}, "SELECT 1"),
        ({"max_threads` = 1, `readonly": "0"}, "SELECT 1"),
    ],
)
def test_parameters_of_the_url_lift_nothing(analyst: httpx.Client, url: dict[str, str], query: str) -> None:
    """Neither rights nor limits: denied, read-only, out of bounds, or no such thing."""
    answer = analyst.post("/", params=url, content=query)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in DENIED | {"452", "115", "27", "81"}, answer.text
    assert SECRET not in answer.text


def test_analyst_cannot_stop_the_owners_query(analyst: httpx.Client) -> None:
    """Both are one user to the engine, so this is ours to keep."""
    assert analyst.post("/", content="KILL QUERY WHERE user = 'default' SYNC").status_code == 403


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM file('/etc/passwd', 'LineAsString')",
        "SELECT file('/etc/passwd')",
        "SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
        "SELECT 1 INTO OUTFILE '/tmp/stolen'",
        "INSERT INTO muster.heartbeats FROM INFILE '/etc/passwd' FORMAT LineAsString",
        "INSERT INTO FUNCTION file('/tmp/stolen', 'TSV', 'x String') VALUES ('x')",
        "CREATE TABLE muster.passwd (x String) ENGINE = File('TSV', '/etc/passwd')",
        "SELECT * FROM python('sys')",
        "CREATE USER mine",
        "SYSTEM SHUTDOWN",
        "BACKUP TABLE muster.heartbeats TO File('/tmp/stolen')",
    ],
)
def test_owner_does_not_need_this_machine(http: httpx.Client, statement: str) -> None:
    """Whoever finds a way to speak as the owner gets the database, not the machine."""
    answer = http.post("/", content=statement)
    assert answer.headers.get("X-ClickHouse-Exception-Code") in DENIED, answer.text


def test_every_documented_table_is_granted(analyst: httpx.Client) -> None:
    """Whether it exists yet or not: unknown, never denied."""
    for name in DOCUMENTED_TABLES:
        answer = analyst.post("/", content=f"SELECT * FROM muster.{name}")
        assert answer.headers.get("X-ClickHouse-Exception-Code") in (None, "60"), answer.text


def test_changed_password_holds_at_once(endpoint: ClickHouseEndpoint) -> None:
    """Without a restart, and the old one is void."""
    file = endpoint.keys / "analyst"
    file.write_text("changed\n")
    try:
        url = {"query": "SELECT 1", "user": "analyst"}
        assert httpx.get(endpoint.address, params={**url, "password": "changed"}).status_code == 200
        assert httpx.get(endpoint.address, params={**url, "password": PASSWORDS["analyst"]}).status_code == 403
    finally:
        file.write_text(f"{PASSWORDS['analyst']}\n")
