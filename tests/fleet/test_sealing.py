"""Secrets are readable to whoever holds the key, in their own place, and to nobody else."""

from typing import Any

import msgspec
import pytest

from fleet.sealing import KeyRing, Keys, SealingError, sealing_key_of

NONCE = bytes(range(12))
SECRET: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {
        "name": "token",
        "namespace": "plant",
        "labels": {"app": "pump"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"data":{"password":"cGx1bQ=="}}'},
    },
    "type": "Opaque",
    "data": {"password": "cGx1bQ=="},
    "immutable": True,
}


def ring(**changes: Any) -> KeyRing:
    """Two keys, of which the first seals."""
    arguments: dict[str, Any] = {
        "keys": {"k1": b"1" * 32, "k2": b"2" * 32},
        "sealing_key_id": "k1",
        "installation_key": b"i" * 32,
    }
    return KeyRing(**(arguments | changes))


def test_a_sealed_secret_opens_to_what_it_was() -> None:
    """Annotations and all."""
    assert ring().open(ring().seal(SECRET, NONCE)) == SECRET


def test_nothing_but_name_type_and_labels_is_readable() -> None:
    """Client-side apply copies the cleartext into an annotation, so annotations are sealed too."""
    text = msgspec.json.encode(ring().seal(SECRET, NONCE)).decode()
    assert "cGx1bQ" not in text
    assert "password" not in text
    assert "annotations" not in text
    assert '"labels":{"app":"pump"}' in text
    assert '"type":"Opaque"' in text


def test_a_secret_moved_to_another_place_does_not_open() -> None:
    """Namespace and name are part of what is sealed."""
    moved = ring().seal(SECRET, NONCE)
    moved["metadata"] = moved["metadata"] | {"namespace": "office"}
    with pytest.raises(SealingError, match="office/token"):
        ring().open(moved)


def test_a_secret_that_was_tampered_with_does_not_open() -> None:
    """Whoever can write the database cannot choose a secret."""
    sealed = ring().seal(SECRET, NONCE)
    sealed["sealed"] = sealed["sealed"] | {"ciphertext": sealed["sealed"]["ciphertext"][:-8] + "AAAAAAA="}
    with pytest.raises(SealingError):
        ring().open(sealed)


def test_any_key_of_the_ring_opens_and_the_mac_does_not_depend_on_it() -> None:
    """Keys are rotated while old secrets stay."""
    old, new = ring().seal(SECRET, NONCE), ring(sealing_key_id="k2").seal(SECRET, NONCE)
    assert ring(sealing_key_id="k2").open(old) == ring().open(new) == SECRET
    assert old["sealed"]["mac"] == new["sealed"]["mac"]
    assert old["sealed"]["ciphertext"] != new["sealed"]["ciphertext"]


def test_a_key_that_is_missing_is_named() -> None:
    """So that an operator can bring it back."""
    with pytest.raises(SealingError, match="k1"):
        ring(keys={"k2": b"2" * 32}, sealing_key_id="k2").open(ring().seal(SECRET, NONCE))


def test_macs_cannot_be_compared_across_places_or_installations() -> None:
    """Equal values in two Secrets do not show."""
    here = ring().seal(SECRET, NONCE)["sealed"]["mac"]
    other_place = SECRET | {"metadata": SECRET["metadata"] | {"name": "other"}}
    assert ring().seal(other_place, NONCE)["sealed"]["mac"] != here
    assert ring(installation_key=b"j" * 32).seal(SECRET, NONCE)["sealed"]["mac"] != here


def test_keys_and_nonces_of_another_length_are_refused() -> None:
    """A truncated key file must not make weak secrets."""
    with pytest.raises(ValueError, match="32 bytes"):
        ring(keys={"k1": b"1" * 16})
    with pytest.raises(ValueError, match="nonce"):
        ring().seal(SECRET, b"short")
    with pytest.raises(ValueError, match="k9"):
        ring(sealing_key_id="k9")


def test_a_ring_takes_the_keys_that_were_put_beside_it() -> None:
    """A new key seals with the next Secret, and one that is met first in a body is looked for."""
    given = [Keys({"k1": b"1" * 32}, "k1")]
    old = ring(keys={"k1": b"1" * 32}, read_again=lambda: given[0])
    given[0] = Keys({"k1": b"1" * 32, "k2": b"2" * 32}, "k2")
    elsewhere = ring(keys={"k2": b"2" * 32}, sealing_key_id="k2").seal(SECRET, NONCE)
    assert old.open(elsewhere) == SECRET
    assert sealing_key_of(old.seal(SECRET, NONCE)) == "k2"


def test_what_was_erased_opens_without_data() -> None:
    """The key of a superseded revision may be gone, and with it what the revision held."""
    erased = ring().seal(SECRET, NONCE)
    erased["sealed"] |= {"key_id": "", "ciphertext": ""}
    assert ring().open(erased) == {field: SECRET[field] for field in ("apiVersion", "kind", "type")} | {
        "metadata": {field: SECRET["metadata"][field] for field in ("name", "namespace", "labels")}
    }
