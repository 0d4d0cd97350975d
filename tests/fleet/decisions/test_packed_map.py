"""A packed map is a dict of bytes, only smaller; a note lasts as long as the value it was made for."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from fleet.decisions.collected_entries import CollectedEntries
from fleet.decisions.packed_map import BUCKET_ENTRIES, PackedMap

NAMES = st.sampled_from([f"n{number}" for number in range(80)] + ["ü", "a", "a1", "aa"])
VALUES = st.binary(max_size=40)


class AsADict(RuleBasedStateMachine):
    """Compares with a dict of values and a dict of notes."""

    def __init__(self) -> None:
        super().__init__()
        self.packed = PackedMap()
        self.values: dict[str, bytes] = {}
        self.notes: dict[str, Any] = {}

    @rule(names=st.lists(NAMES, max_size=40), value=VALUES)
    def put(self, names: list[str], value: bytes) -> None:
        """Many, so that buckets are divided on the way."""
        for number, name in enumerate(names):
            self.packed.put(name, value + bytes(number))
            self.values[name] = value + bytes(number)
            self.notes.pop(name, None)

    @rule(names=st.lists(NAMES, max_size=80), values=st.lists(VALUES, min_size=1, max_size=9))
    def fill(self, names: list[str], values: list[bytes]) -> None:
        """A map made at once, in portions; of a name that comes again the first value counts."""
        entries = [(name, values[number % len(values)]) for number, name in enumerate(names)]
        collected = CollectedEntries()
        for portion in (entries[::2], entries[1::2]):
            collected.add([name for name, _ in portion], [value for _, value in portion])
        self.packed = PackedMap()
        self.packed.fill(collected)
        self.values = dict(reversed([*entries[::2], *entries[1::2]]))
        self.notes = {}

    @rule(name=NAMES)
    def remove(self, name: str) -> None:
        """Also one that is not there."""
        self.packed.remove(name)
        self.values.pop(name, None)
        self.notes.pop(name, None)

    @rule(name=NAMES, note=st.one_of(st.none(), st.integers()))
    def take_note(self, name: str, note: int | None) -> None:
        """Only of what is there."""
        self.packed.set_note(name, note)
        if name in self.values:
            self.notes[name] = note

    @rule(name=NAMES)
    def get(self, name: str) -> None:
        """Value, note and presence."""
        assert self.packed.get(name) == self.values.get(name)
        assert self.packed.note(name) == self.notes.get(name)
        assert (name in self.packed) is (name in self.values)

    @invariant()
    def same(self) -> None:
        """As a whole."""
        assert len(self.packed) == len(self.values)
        assert {name: self.packed.get(name) for name in self.packed} == self.values
        assert {name: self.packed.note(name) for name in self.packed} == {
            name: self.notes.get(name) for name in self.values
        }


TestAsADict = AsADict.TestCase
TestAsADict.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


def test_buckets_grow_with_the_entries() -> None:
    """None of them holds much more than the others, so that a put copies little."""
    packed = PackedMap()
    for number in range(10_000):
        packed.put(f"device-{number}", b"value")
    assert len(packed._names) == -(-10_000 // BUCKET_ENTRIES)
    assert max(names.count(b"\n") for names in packed._names) < 6 * BUCKET_ENTRIES
    assert sorted(packed) == sorted(f"device-{number}" for number in range(10_000))
