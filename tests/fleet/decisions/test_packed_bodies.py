"""What was packed comes back to the byte, whatever it says, and what is alike is held once."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.fleet_content import devices
from fleet.decisions import packed_bodies
from fleet.decisions.packed_bodies import PackedBodies
from fleet.decisions.packed_identities import PackedIdentities
from fleet.devices.states import DeviceIdentity, DeviceState

TEXTS = st.one_of(
    st.sampled_from(
        ["dev", "uid", "labels", '"dev"', '{"labels":{"a":"b"}}', "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z"]
    ),
    st.sampled_from(["2026-11-22T20:30:00Z", "9999-12-31T23:59:59Z", "25f2fbd5-1a6f-4f9e-8a3f-6c1cf9d3a111"]),
    st.text(max_size=12),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 5), TEXTS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(["labels", "uid", "hostname"]), TEXTS), inner, max_size=4),
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(st.lists(VALUES, max_size=8), st.sampled_from(["dev", "labels", "ü", "d-1"]))
def test_any_body_comes_back_to_the_byte(values: list[Any], name: str) -> None:
    """Also with texts in it that look like what is taken out."""
    bodies = PackedBodies()
    texts = [msgspec.json.encode({"metadata": {"name": name, "labels": value}, "spec": value}) for value in values]
    assert [bodies.unpack(name, packed) for packed in [bodies.pack(name, text) for text in texts]] == texts
    together = PackedBodies()
    names = [(name, "other")[number % 3 == 1] for number in range(2 * len(texts))]
    packed = together.pack_many(names, texts * 2)
    assert [together.unpack(*each) for each in zip(names, packed, strict=True)] == texts * 2


@settings(deadline=None)
@given(st.dictionaries(st.text("ab/", min_size=1, max_size=4), st.text("abc", max_size=3), max_size=4))
def test_labels_come_back_from_a_quoted_copy_too(labels: dict[str, str]) -> None:
    """Such as kubectl's annotation of what was applied last."""
    last = msgspec.json.encode({"metadata": {"name": "dev", "labels": labels}}).decode()
    text = msgspec.json.encode({"metadata": {"labels": labels, "annotations": {"last": last}}})
    bodies = PackedBodies()
    assert bodies.unpack("dev", bodies.pack("dev", text)) == text
    assert len(bodies._texts) == 1


def test_a_fleet_has_few_texts_of_its_own() -> None:
    """What is a device's own is some ten bytes beside its uid."""
    packed_bytes = []
    for kind in ("EdgeDevice", "EdgeDeviceSignedRequest"):
        bodies = PackedBodies()
        texts = [
            (device.device_id, msgspec.json.encode(change.body))
            for device in devices(200)
            for change in device.changes
            if change.key.kind == kind
        ]
        packed = [bodies.pack(name, text) for name, text in texts]
        assert [bodies.unpack(name, each) for (name, _), each in zip(texts, packed, strict=True)] == [
            text for _, text in texts
        ]
        assert len(bodies._texts) <= 3
        assert bodies.pack_many(*zip(*texts, strict=True)) == packed
        packed_bytes.append(sum(map(len, packed)) / len(packed))
    assert max(packed_bytes) < 40


def test_beyond_the_limits_everything_is_kept_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only not shared."""
    monkeypatch.setattr(packed_bodies, "TEXTS_LIMIT", 2)
    monkeypatch.setattr(packed_bodies, "VALUES_LIMIT_A_KEY", 2)
    monkeypatch.setattr(packed_bodies, "KEYS_LIMIT", 2)
    bodies = PackedBodies()
    texts = [
        msgspec.json.encode({"metadata": {"labels": {f"k{number % 5}": f"v{number}"}}, "spec": {"own": number}})
        for number in range(20)
    ]
    packed = [bodies.pack("dev", text) for text in texts]
    assert [bodies.unpack("dev", each) for each in packed] == texts
    assert (len(bodies._texts), len(bodies._value_at)) == (2, 4)


TIMES = st.sampled_from([0, 1, 1_767_225_600_000, 1_767_225_600_001, 1_767_225_599_999])
KEYS = st.sampled_from(["", "aa" * 32, "AA" * 32, "g" * 64, "k1"])


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            DeviceIdentity,
            device_id=st.sampled_from(["a", "b", "ü"]),
            state=st.sampled_from([state for state in DeviceState if state is not DeviceState.UNKNOWN]),
            namespace=st.text(max_size=3),
            key_fingerprint=KEYS,
            is_key_proven=st.booleans(),
            may_change_key=st.booleans(),
            former_key_fingerprint=KEYS,
            hardware_labels=st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
            labels_sequence=st.integers(0, 2**63 - 1),
            requested_at_ms=TIMES,
            approved_at_ms=TIMES,
            registered_at_ms=TIMES,
            deleting_since_ms=TIMES,
            configuration_problem=st.text(max_size=3),
            revision=st.integers(0, 2**63 - 1),
        ),
        max_size=8,
    )
)
def test_any_identity_comes_back(identities: list[DeviceIdentity]) -> None:
    """The last of each device."""
    packed = PackedIdentities()
    for identity in identities:
        packed.put(identity, identity.revision)
    last = {identity.device_id: identity for identity in identities}
    assert packed == last
    if last:
        together = PackedIdentities()
        together.collect(list(last.values()), [identity.revision for identity in last.values()])
        assert together == {}
        together.settle()
        assert together == last
    for device_id in list(packed):
        packed.remove(device_id)
    assert packed == {}
