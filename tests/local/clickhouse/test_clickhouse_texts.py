"""The parts that only look at text and bytes."""

import gzip
import zlib
from typing import Any

import lz4.frame
import pytest
import zstandard

from local.clickhouse.compression import choose_encoding, packer, unpack
from local.clickhouse.errors import ClickHouseError, from_engine
from local.clickhouse.insert_text import split_insert
from local.clickhouse.loopback import refusal
from local.clickhouse.native_block import empty_native_block
from local.clickhouse.request import read_request


@pytest.mark.parametrize(
    ("text", "statement", "name", "data"),
    [
        (b"INSERT INTO t FORMAT TSV\n1\t2\n", b"INSERT INTO t ", "TSV", b"1\t2\n"),
        (b"insert into t (a, b) format CSV \r\n1,2", b"insert into t (a, b) ", "CSV", b"1,2"),
        (b"INSERT INTO t FORMAT JSONEachRow {}", b"INSERT INTO t ", "JSONEachRow", b"{}"),
        (b"INSERT INTO t FORMAT Native\n\x00\n\xff", b"INSERT INTO t ", "Native", b"\x00\n\xff"),
        (b"INSERT INTO t FORMAT TSV\n\n\n", b"INSERT INTO t ", "TSV", b"\n\n"),
        (b"INSERT INTO `FORMAT x` (`values`) FORMAT TSV\n", b"INSERT INTO `FORMAT x` (`values`) ", "TSV", b""),
        (b"INSERT INTO t (format, x) VALUES (1, 2)", b"INSERT INTO t (format, x) ", "Values", b" (1, 2)"),
        (
            b"/* FORMAT x */ INSERT INTO t -- VALUES\nVALUES (1)",
            b"/* FORMAT x */ INSERT INTO t -- VALUES\n",
            "Values",
            b" (1)",
        ),
        (
            b"INSERT INTO t SETTINGS a = 'FORMAT b' FORMAT TSV\n1",
            b"INSERT INTO t SETTINGS a = 'FORMAT b' ",
            "TSV",
            b"1",
        ),
        (
            b"INSERT INTO FUNCTION f('x', 'FORMAT') FORMAT TSV\n1",
            b"INSERT INTO FUNCTION f('x', 'FORMAT') ",
            "TSV",
            b"1",
        ),
    ],
)
def test_insert_is_cut_before_its_data(text: bytes, statement: bytes, name: str, data: bytes) -> None:
    """At FORMAT or VALUES outside names, quotes, brackets and comments."""
    found = split_insert(text)
    assert found is not None
    assert (found.statement, found.format, text[found.data_at :]) == (statement, name, data)


@pytest.mark.parametrize(
    "text",
    [
        b"SELECT 1 FORMAT TSV",
        b"INSERT INTO t SELECT 1 FORMAT TSV",
        b"INSERT INTO t WITH x AS (SELECT 1) SELECT * FROM x",
        b"INSERT INTO t FROM INFILE 'x' FORMAT TSV",
        b"INSERT INTO t",
        b"(INSERT INTO t FORMAT TSV",
        b"",
        b"-- INSERT INTO t FORMAT TSV",
        b"INSERT INTO t " + b"(" * 300_000 + b"VALUES",
    ],
)
def test_what_brings_no_data_is_not_cut(text: bytes) -> None:
    """It is a statement like any other."""
    assert split_insert(text) is None


@pytest.mark.parametrize(
    ("told", "code", "name", "reason"),
    [
        ("Code: 60. DB::Exception: Table x. (UNKNOWN_TABLE)", 60, "UNKNOWN_TABLE", "Table x"),
        (
            "Code: 73. DB::Exception: Code: 73. DB::Exception: What. (UNKNOWN_FORMAT) (version 1). (UNKNOWN_FORMAT)",
            73,
            "UNKNOWN_FORMAT",
            "What",
        ),
        (
            "Oh: Code: 6. DB::ParsingException: (at row 1)\n: While X. (CANNOT_PARSE_TEXT) (version 1 (official))",
            6,
            "CANNOT_PARSE_TEXT",
            "(at row 1)\n: While X",
        ),
        ("something else", 1002, "UNKNOWN_EXCEPTION", "something else"),
        ("", 1002, "UNKNOWN_EXCEPTION", "RuntimeError"),
    ],
)
def test_errors_of_the_engine_are_read(told: str, code: int, name: str, reason: str) -> None:
    """Told once, whatever the engine wrapped around them."""
    error = from_engine(RuntimeError(told))
    assert (error.code, error.name, error.reason) == (code, name, reason)


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(b"x" * 10_000_000)),
        ("deflate", zlib.compress(b"x" * 10_000_000)),
        ("lz4", lz4.frame.compress(b"x" * 10_000_000)),
        ("zstd", zstandard.ZstdCompressor().compress(b"x" * 10_000_000)),
    ],
)
def test_small_body_that_unpacks_large_is_stopped(encoding: str, packed: bytes) -> None:
    """At the limit, not after."""
    assert len(unpack(packed, encoding, 10_000_000)) == 10_000_000
    with pytest.raises(ClickHouseError, match="larger than"):
        unpack(packed, encoding, 9_000_000)
    with pytest.raises(ClickHouseError, match="ends early"):
        unpack(packed[: len(packed) // 2], encoding, 10_000_000)
    assert len(unpack(packed + packed, encoding, 20_000_000)) == 20_000_000


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "lz4", "zstd"])
def test_packed_piece_by_piece_is_unpacked_whole(encoding: str) -> None:
    """Also when there is nothing to pack."""
    for pieces in ([b"one", b"", b"two" * 100_000], []):
        pack = packer(encoding)
        packed = b"".join([*(pack.compress(piece) for piece in pieces), pack.flush()])
        assert unpack(packed, encoding, 1_000_000) == b"".join(pieces)


def test_encoding_is_chosen_from_what_is_accepted() -> None:
    """None of ours means none."""
    assert choose_encoding("br, gzip;q=0.9, zstd") == "zstd"
    assert choose_encoding("br, identity") is None
    assert choose_encoding("") is None


def test_block_without_rows_has_names_and_types() -> None:
    """As the Native format spells them; lengths above 127 take two bytes."""
    assert empty_native_block([("a", "UInt8")]) == b"\x01\x00\x01a\x05UInt8"
    assert empty_native_block([("x" * 200, "UInt8")]).startswith(b"\x01\x00\xc8\x01xxx")


@pytest.mark.parametrize(
    "host", [None, "", "example", "[::1", "127.0.0.1:x", "user@127.0.0.1", "127.0.0.1/x", "192.168.0.1"]
)
def test_host_that_is_not_the_loopback_is_refused(host: str | None) -> None:
    """Nor anything that cannot be read."""
    assert refusal(host, None) is not None


def test_what_the_endpoint_cannot_do_is_said() -> None:
    """Rather than done otherwise than asked."""
    for parameters in ({"compress": "1"}, {"decompress": "1"}):
        with pytest.raises(ClickHouseError, match="not supported"):
            read_request("POST", {}, parameters, b"SELECT 1", "")
    form = b'--b\r\nContent-Disposition: form-data; name="t"; filename="t"\r\n\r\n1\r\n--b--\r\n'
    headers: dict[str, Any] = {"content-type": "multipart/form-data; boundary=b"}
    with pytest.raises(ClickHouseError, match="External data"):
        read_request("POST", headers, {"query": "SELECT 1"}, form, "")
