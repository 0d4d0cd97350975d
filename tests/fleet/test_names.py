"""Names are Kubernetes' names, and a stranger cannot take one that means something else."""

import pytest

from fleet.errors import BadInputError
from fleet.names import check_device_id, check_label_key, check_label_value, check_name, check_namespace

STRANGE = ["", "UPPER", "a b", "a/b", "..", ".", "-a", "a-", "a..b", "ü", "a\n", "a\x00", "a;b", "*", "%2A", "a" * 300]


@pytest.mark.parametrize("text", ["d", "07b68c4e-41b0-4cb9-87ef-171766c01147", "a.b-c.d0", "a" * 253])
def test_lower_case_names_are_device_ids(text: str) -> None:
    """Machine ids and dotted names pass."""
    check_device_id(text)
    check_name(text)


@pytest.mark.parametrize("text", STRANGE)
def test_strange_names_are_refused_everywhere(text: str) -> None:
    """Slashes, dots alone, spaces, Unicode, control characters and great length are no names."""
    for check in (check_device_id, check_name, check_namespace):
        with pytest.raises(BadInputError, match=r"use at most|reserved"):
            check(text)


@pytest.mark.parametrize("text", ["*", "register"])
def test_ids_of_the_edge_api_are_refused(text: str) -> None:
    """A device called as a certificate of the Edge API would pass for it."""
    with pytest.raises(BadInputError, match="reserved"):
        check_device_id(text)


def test_namespace_is_one_dns_label() -> None:
    """Namespaces have no dots and at most 63 characters."""
    check_namespace("a" * 63)
    for text in ("a.b", "a" * 64):
        with pytest.raises(BadInputError, match="63"):
            check_namespace(text)


def test_message_neither_repeats_a_long_name_nor_its_control_characters() -> None:
    """A refused id is cut and escaped before it can reach a log or a terminal."""
    with pytest.raises(BadInputError) as refusal:
        check_device_id("\x1b[31m" + "a" * 10_000)
    assert len(str(refusal.value)) < 300
    assert "\x1b" not in str(refusal.value)


@pytest.mark.parametrize("key", ["a", "flotta/member-of", "config/x", "device.cpu-model", "a.b/C_d.e"])
def test_label_keys_follow_kubernetes(key: str) -> None:
    """A name, or a domain and a name."""
    check_label_key(key)


@pytest.mark.parametrize("key", ["", "/a", "a/", "a/b/c", "A.b/c", "a" * 64, "-a", "a b", "a\n"])
def test_other_label_keys_are_refused(key: str) -> None:
    """Empty parts, two slashes, upper-case domains and long names are no label keys."""
    with pytest.raises(BadInputError, match="label key"):
        check_label_key(key)


def test_label_values_follow_kubernetes() -> None:
    """Empty is a value; spaces, slashes and 64 characters are not."""
    for value in ("", "a", "A_b.c-9", "a" * 63):
        check_label_value(value)
    for value in ("a b", "a/b", "-a", "a.", "a" * 64, "a\n"):
        with pytest.raises(BadInputError, match="label value"):
            check_label_value(value)
