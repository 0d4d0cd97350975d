"""Every device's identity, packed: about a hundred bytes a device, most of them the key's fingerprint and its labels.

Read as a mapping; what is read is a value of its own. A note (see `PackedMap`) lasts as long as the identity it was
made for, or until `forget_note`.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import msgspec

from fleet.decisions.collected_entries import CollectedEntries
from fleet.decisions.packed_map import PackedMap
from fleet.devices.states import DeviceIdentity, DeviceState

VALUES_LIMIT_A_LABEL: Final = 256
"""As for bodies: a hardware label with more values is taken for unique."""

LABELS_LIMIT: Final = 256
"""Hardware labels that have shared values at all; there are six."""

_FINGERPRINT_DIGITS: Final = 64
_STATES: Final = tuple(DeviceState)
_NUMBER_OF: Final = {id(state): number for number, state in enumerate(_STATES)}
_PROVEN: Final = 1
_MAY_CHANGE_KEY: Final = 2


class _Row(msgspec.Struct, array_like=True, frozen=True, gc=False, omit_defaults=True):
    """An identity without its id. Times `after` are as `_after` writes them."""

    state: int
    namespace: str | int
    revision: int
    flags: int
    fingerprint: Any  # bytes or, where it is no fingerprint, text
    labels: list[Any]  # their names together, then the value of each
    sequence: int = 0
    requested_at_ms: int = 0
    approved_after: int = 0
    registered_after: int = 0
    deleting_after: int = 0
    former: Any = b""
    problem: str = ""


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Row).decode


class PackedIdentities(Mapping[str, DeviceIdentity]):
    """Identities by device id."""

    def __init__(self) -> None:
        self._rows = PackedMap()
        self._collected = CollectedEntries()
        self._first_revision = -1  # what others are counted from, since revisions are large and near each other
        self._numbers: dict[Any, int] = {}
        self._texts: list[Any] = []
        self._shared_of: dict[str, int] = {}
        self.note = self._rows.note
        self.set_note = self._rows.set_note

    def __getitem__(self, device_id: str) -> DeviceIdentity:
        identity = self.get(device_id)
        if identity is None:
            raise KeyError(device_id)
        return identity

    def __contains__(self, device_id: object) -> bool:
        return isinstance(device_id, str) and device_id in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, device_id: str, _: None = None) -> DeviceIdentity | None:  # type: ignore[override]
        """A device's identity, if it has one."""
        packed = self._rows.get(device_id)
        return None if packed is None else self._unpacked(device_id, _decode(packed))

    def put(self, identity: DeviceIdentity, revision: int) -> None:
        """Hold an identity as of a revision, in place of the one before."""
        if self._first_revision < 0:
            self._first_revision = revision
        self._rows.put(identity.device_id, _encode(self._row(identity, revision)))

    def collect(self, identities: Sequence[DeviceIdentity], revisions: Sequence[int]) -> None:
        """Take many for the first time; none of them is there before `settle`."""
        if self._first_revision < 0:
            self._first_revision = revisions[0]
        first = self._first_revision
        # In columns, as `_row` has them; only what has nothing behind them, which is nearly all.
        columns = zip(
            [_number_of(each.state) for each in identities],
            [self._number("", each.namespace) for each in identities],
            [revision - first for revision in revisions],
            [_PROVEN * each.is_key_proven | _MAY_CHANGE_KEY * each.may_change_key for each in identities],
            _short_many([each.key_fingerprint for each in identities]),
            [self._labels(each.hardware_labels) for each in identities],
            [each.labels_sequence for each in identities],
            [each.requested_at_ms for each in identities],
            [_after(each.approved_at_ms, each.requested_at_ms) for each in identities],
            [_after(each.registered_at_ms, each.requested_at_ms) for each in identities],
            strict=True,
        )
        packed = list(map(_encode, columns))
        for at, each in enumerate(identities):
            if each.deleting_since_ms or each.former_key_fingerprint or each.configuration_problem:
                packed[at] = _encode(self._row(each, revisions[at]))
        self._collected.add([each.device_id for each in identities], packed)

    def settle(self) -> None:
        """Hold all that were collected, and nothing else."""
        self._rows.fill(self._collected)

    def _row(self, identity: DeviceIdentity, revision: int) -> _Row:
        began_ms = identity.requested_at_ms
        return _Row(
            _number_of(identity.state),
            self._number("", identity.namespace),
            revision - self._first_revision,
            _PROVEN * identity.is_key_proven | _MAY_CHANGE_KEY * identity.may_change_key,
            _short(identity.key_fingerprint),
            self._labels(identity.hardware_labels),
            identity.labels_sequence,
            began_ms,
            _after(identity.approved_at_ms, began_ms),
            _after(identity.registered_at_ms, began_ms),
            _after(identity.deleting_since_ms, began_ms),
            _short(identity.former_key_fingerprint),
            identity.configuration_problem,
        )

    def remove(self, device_id: str) -> None:
        """Forget a device."""
        self._rows.remove(device_id)

    def _unpacked(self, device_id: str, row: _Row) -> DeviceIdentity:
        texts, began_ms = self._texts, row.requested_at_ms
        names, *values = [texts[part] if isinstance(part, int) else part for part in row.labels] or [()]
        return DeviceIdentity(
            device_id,
            _STATES[row.state],
            texts[row.namespace] if isinstance(row.namespace, int) else row.namespace,
            _long(row.fingerprint),
            bool(row.flags & _PROVEN),
            bool(row.flags & _MAY_CHANGE_KEY),
            _long(row.former),
            dict(zip(names, values, strict=True)),
            row.sequence,
            began_ms,
            _at(row.approved_after, began_ms),
            _at(row.registered_after, began_ms),
            _at(row.deleting_after, began_ms),
            row.problem,
            row.revision + self._first_revision,
        )

    def _labels(self, labels: dict[str, str]) -> list[Any]:
        if not labels:
            return []
        get, number = self._numbers.get, self._number
        return [
            number("", tuple(labels)),
            *[shared if (shared := get(text)) is not None else number(label, text) for label, text in labels.items()],
        ]

    def _number(self, label: str, text: Any) -> Any:
        """The number of a shared text (or of names), or the text."""
        number = self._numbers.get(text)
        if number is not None:
            return number
        shared = self._shared_of.get(label, 0)
        if shared >= VALUES_LIMIT_A_LABEL or (not shared and len(self._shared_of) >= LABELS_LIMIT):
            return text
        self._shared_of[label] = shared + 1
        number = self._numbers[text] = len(self._texts)
        self._texts.append(text)
        return number


def _number_of(state: DeviceState) -> int:
    """There is one object of each state; the hash of a member of an enumeration takes longer."""
    return _NUMBER_OF[id(state)]


def _short_many(fingerprints: Sequence[str]) -> Sequence[bytes | str]:
    """As `_short`, of many, which mostly are what they should be."""
    together = "".join(fingerprints)
    if all(len(each) == _FINGERPRINT_DIGITS for each in fingerprints):
        digests = _short_digits(together)
        if isinstance(digests, bytes):
            size = _FINGERPRINT_DIGITS // 2
            return [digests[start : start + size] for start in range(0, len(digests), size)]
    return list(map(_short, fingerprints))


def _short(fingerprint: str) -> bytes | str:
    """Half as long, where it is what it should be: hex digits, in lower case."""
    return _short_digits(fingerprint) if len(fingerprint) == _FINGERPRINT_DIGITS else fingerprint


def _short_digits(digits: str) -> bytes | str:
    try:
        short = bytes.fromhex(digits)
    except ValueError:
        return digits
    return short if short.hex() == digits else digits


def _long(fingerprint: bytes | str) -> str:
    return fingerprint if isinstance(fingerprint, str) else fingerprint.hex()


def _after(at_ms: int, began_ms: int) -> int:
    """A time as what has passed since another, doubled and made odd, so that never (0) stays 0."""
    return 2 * (at_ms - began_ms) + 1 if at_ms else 0


def _at(after: int, began_ms: int) -> int:
    return began_ms + (after - 1) // 2 if after else 0
