"""A YAML text is read whole or refused with the place and what to write."""

import time
from pathlib import Path

import pytest

from fleet.documents.yaml_documents import read_documents
from fleet.documents.yaml_loader import YamlLimits
from fleet.errors import BadInputError, InvalidResourceError, TooLargeError

CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\n"


def config_map(name: str, rest: str = "") -> str:
    """A ConfigMap of that name, three lines long."""
    return CONFIG_MAP.replace("NAME", name) + rest


def test_documents_come_in_order_with_number_and_line() -> None:
    """Empty documents count, as a reader counts `---`, but give nothing."""
    text = config_map("a") + "---\n# nothing\n---\n" + config_map("b")
    documents = read_documents(text)
    assert [(each.number, each.line, each.body["metadata"]["name"]) for each in documents] == [(1, 1, "a"), (3, 7, "b")]
    assert documents[1].place == "document 3 (line 7)"
    assert documents[1].kind.kind == "ConfigMap"


def test_list_stands_for_its_items() -> None:
    """`kind: List`, as `kubectl get -o yaml` writes it, unfolds; each item knows its line."""
    text = "apiVersion: v1\nkind: List\nitems:\n"
    text += "".join(
        f"- apiVersion: v1\n  kind: Secret\n  metadata: {{name: {name}, namespace: {namespace}}}\n"
        for name, namespace in (("a", "x"), ("a", "y"))
    )
    documents = read_documents(text)
    assert [(each.number, each.item, each.line) for each in documents] == [(1, 1, 4), (1, 2, 7)]


def test_bytes_with_a_byte_order_mark_are_text() -> None:
    """Editors on Windows write one."""
    assert len(read_documents(b"\xef\xbb\xbf" + config_map("a").encode())) == 1


def test_nothing_is_no_document() -> None:
    """An empty text is no error here; who expected resources says so."""
    assert read_documents("") == []
    assert read_documents("---\n---\n# only a comment\n") == []


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: ConfigMap\nmetadata: {name: a}", r"document 1 \(line 1\): apiVersion is missing: write it"),
        ("apiVersion: v1\nmetadata: {name: a}", "kind is missing"),
        ("apiVersion: v1\nkind: ConfigMap", r"metadata\.name is missing"),
        ("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 5}", r"metadata\.name is not text: quote it"),
        ("apiVersion: v1\nkind: Pod\nmetadata: {name: a}", "unknown kind 'Pod': write one of Namespace"),
        ("apiVersion: v1\nkind: EdgeDevise\nmetadata: {name: a}", "did you mean EdgeDevice"),
        ("apiVersion: v1\nkind: EdgeDevice\nmetadata: {name: a}", "write apiVersion: management.project-flotta.io"),
        ("just text", "not a resource: write apiVersion"),
        ("- a\n- b", "not a resource"),
        ("apiVersion: v1\nkind: List\nitems: {a: 1}", "items: write a list"),
        (
            "apiVersion: v1\nkind: List\nitems: [{kind: Secret}]",
            r"document 1, item 1 \(line 3\): apiVersion is missing",
        ),
    ],
)
def test_incomplete_document_is_named(text: str, told: str) -> None:
    """What is missing, where, and what to write."""
    with pytest.raises(BadInputError, match=told):
        read_documents(text)


def test_one_wrong_document_refuses_the_file() -> None:
    """Nothing of a file is taken when its last document is wrong."""
    with pytest.raises(BadInputError, match=r"document 2 \(line 5\)"):
        read_documents(config_map("a") + "---\nkind: ConfigMap\n")


def test_two_resources_of_one_name_are_refused() -> None:
    """The same kind, namespace and name twice: one would overwrite the other silently."""
    twice = config_map("a") + "---\n" + config_map("a").replace("{name: a}", "{name: a, namespace: default}")
    with pytest.raises(
        BadInputError, match=r"document 2 \(line 5\): ConfigMap 'a' is already in document 1 \(line 1\)"
    ):
        read_documents(twice)
    assert len(read_documents(twice, default_namespace="other")) == 2


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[" * 100_000, "nested deeper"),
        ("{a: " * 100_000, "nested deeper"),
        ("- " * 100_000, "nested deeper"),
        ("a: &a [*a]", "not inside it"),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' is there twice"),
        ("? [a]\n: b", "key must be plain text"),
        ("a: b: c", r"line 1, column 5: not YAML"),
        ("a: !!python/object/apply:os.system [x]", "line 1: no tags"),
        ("a: !<tag:yaml.org,2002:python/name:os.system> x", "line 1: no tags"),
        ("a: *nowhere", "an alias must stand after|undefined"),
        ("a: 0x_", "quote it to keep it as text"),
        ("a: " + "9" * 5000, "quote it to keep it as text"),
        ('a: "\\ud800"', "not YAML"),
        ("a: \x00", "not YAML"),
        (b"a: \xff", "not UTF-8 at byte 3"),
        (config_map("a", "data: {x: .inf}\n"), r"document 1 .*data\.x: JSON has no infinite numbers"),
        (config_map("a", "data: {1: x}\n"), "key 1 is not text"),
        (config_map("a", "data: !!set {x}\n"), "no tags"),
        (config_map("a", "data: {x: !!timestamp 2021-01-01}\n"), "no tags"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_hostile_yaml_is_refused_quickly_with_a_reason(text: str | bytes, told: str) -> None:
    """Deep, recursive, doubled, tagged, broken: a message, at once, and no other exception."""
    before = time.monotonic()
    with pytest.raises(BadInputError, match=told):
        read_documents(text)
    assert time.monotonic() - before < 5


def test_billion_laughs_are_refused_before_they_are_built() -> None:
    """Ten lines of aliases that stand for ten thousand million values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 10)]
    with pytest.raises(BadInputError, match="aliases stand for more than"):
        read_documents("\n".join(lines))


def test_merge_keys_cannot_grow_without_bound() -> None:
    """`<<` copies what its alias stands for, so it counts like any alias."""
    fields = ", ".join(f"k{index}: x" for index in range(1000))
    text = f"base: &base {{{fields}}}\nall:\n" + "- {<<: *base}\n" * 1000
    with pytest.raises(BadInputError, match="aliases stand for more than"):
        read_documents(text)


def test_ordinary_aliases_and_merges_work() -> None:
    """Anchors are how people write a file once."""
    text = config_map("a", "x: &base {k: v, l: w}\ndata: {<<: *base, k: own}\n")
    assert read_documents(text)[0].body["data"] == {"k": "own", "l": "w"}


def test_scalars_are_read_as_kubernetes_reads_them() -> None:
    """Timestamps and clock times stay text; octal, hexadecimal and exponents are numbers."""
    text = config_map("a", "data: {a: 2021-01-01T00:00:00Z, b: 22:22, c: 0644, d: 1e3, e: 1.2.3, f: yes, g: ~, h: '1'}")
    assert read_documents(text)[0].body["data"] == {
        "a": "2021-01-01T00:00:00Z",
        "b": "22:22",
        "c": 0o644,
        "d": 1000.0,
        "e": "1.2.3",
        "f": True,
        "g": None,
        "h": "1",
    }


def test_size_and_number_of_documents_are_bounded() -> None:
    """Limits are arguments; beyond them the file must be split."""
    with pytest.raises(TooLargeError, match="split the file"):
        read_documents("a: 1", limits=YamlLimits(size_bytes=3))
    with pytest.raises(TooLargeError, match="more than 2 documents"):
        read_documents("---\n" * 3, limits=YamlLimits(documents=2))


def test_message_never_quotes_a_value() -> None:
    """A refused Secret must not end in a terminal's history or a log."""
    unquoted = [
        config_map("a", f"data: {{x: {sign}hunter2}}") for sign in ("!", "*", "%", "@", "!!", "!!bool ", "!!x ")
    ]
    for text in (config_map("a", "data: {x: hunter2: y}"), config_map("a", 'data: "hunter2\n  : ['), *unquoted):
        with pytest.raises(BadInputError) as refusal:
            read_documents(text)
        assert "hunter2" not in str(refusal.value)


def test_field_of_an_invalid_value_is_kept() -> None:
    """The error's field says where in the resource, the message where in the file."""
    with pytest.raises(InvalidResourceError, match="document 1") as refusal:
        read_documents(config_map("a", "data: {x: .nan}"))
    assert refusal.value.field == "data.x"


def test_samples_are_read(samples: Path) -> None:
    """Every resource file of the contract's samples is one document of a known kind."""
    kinds = {
        path.name: [each.kind.kind for each in read_documents(path.read_bytes())] for path in samples.glob("*.yaml")
    }
    assert sorted(kind for (kind,) in kinds.values()) == [
        "EdgeConfig",
        "EdgeDevice",
        "EdgeDeviceSet",
        "EdgeWorkload",
        "PlaybookExecution",
    ]
