"""Counts what becomes of devices: by set, by label, and in groups whose configurations are equal before and after."""

from collections import Counter
from typing import Final

from fleet.decisions.commands import ResourceKey
from fleet.devices.labels import MEMBER_OF
from fleet.preview.missing import MissingPart
from fleet.preview.result import GROUPS_SHOWN, MISSING_SHOWN, Devices, LabelCount, Missing, Reads
from fleet.preview.side import Assembled, Labels, Recipe

GROUPS_KEPT: Final = 2_000
"""Groups told apart while counting; the devices of further ones are only counted."""

_LABELS_SHOWN: Final = 20
_VALUES_SHOWN: Final = 10
_HARDWARE: Final = "device."
_VALUES_COUNTED: Final = 1_000
"""Values of one label told apart; a label with more, such as a serial number, groups nothing."""

_PAIRS_CHECKED_AT: Final = 5_000
"""Pairs of label and value after which labels with too many values are looked for, and left out from then on."""

PartKey = tuple[ResourceKey | None, str]
"""What is missing, or for what cannot be named so, the message."""

NO_SET: Final = "<none>"


class Kept:
    """One group while it is counted. `namespace` is that of its devices."""

    def __init__(self, namespace: str, example: str, before: Recipe | None, after: Recipe | None) -> None:
        self.namespace = namespace
        self.example = example
        self.before = before
        self.after = after
        self.devices = 0
        self.sets: Counter[str] = Counter()


class Tally:
    """Of all devices looked at."""

    def __init__(self) -> None:
        self.devices = Devices()
        self.reads = Reads()
        self.sets: Counter[str] = Counter()
        self.uncounted_groups = 0
        self._contents: set[str] = set()
        self._groups: dict[tuple[str, ...], Kept] = {}
        self._labels: Counter[tuple[str, str]] = Counter()
        self._too_many: set[str] = set()
        self._checked_at = _PAIRS_CHECKED_AT
        self._missing: dict[PartKey, tuple[MissingPart, int]] = {}

    def note_change(self, before: Assembled | None, after: Assembled, labels: Labels, id_bytes: int) -> None:
        """A device gets another configuration, or would if it could be assembled."""
        self.sets[labels.get(MEMBER_OF) or NO_SET] += 1
        self._labels.update([pair for pair in labels.items() if pair[0] not in self._too_many])
        if len(self._labels) > self._checked_at:
            self._drop_labels()
            self._checked_at = len(self._labels) + _PAIRS_CHECKED_AT
        if not after.version:
            self.devices.failing += 1
            return
        self.devices.changed += 1
        self.reads.reads += 1
        self.reads.bytes += after.size_bytes + id_bytes
        self.reads.bytes_before += before.size_bytes + id_bytes if before and before.version else 0
        self._contents.add(after.version)
        self.reads.contents = len(self._contents)

    def group(self, key: tuple[str, ...], kept: Kept, labels: Labels) -> None:
        """Count a device into its group; `kept` begins it."""
        group = self._groups.get(key)
        if group is None:
            if len(self._groups) >= GROUPS_KEPT:
                self.uncounted_groups += 1
                return
            group = self._groups[key] = kept
        group.devices += 1
        group.sets[labels.get(MEMBER_OF) or NO_SET] += 1

    def note_missing(self, parts: list[MissingPart], devices: int = 1) -> None:
        """What a configuration lacks, and how many devices that concerns."""
        for part in parts:
            key = (part.resource, "" if part.is_fatal and part.resource else part.message)
            known, count = self._missing.get(key, (part, 0))
            known.keys.extend(name for name in part.keys if name not in known.keys)
            if key in self._missing or len(self._missing) < MISSING_SHOWN:
                self._missing[key] = (known, count + devices)

    def largest_groups(self) -> list[Kept]:
        """Those to be shown, of most devices first."""
        return sorted(self._groups.values(), key=lambda each: (-each.devices, each.example))[:GROUPS_SHOWN]

    @property
    def further_groups(self) -> int:
        """Groups that are not shown; beyond a bound the devices that would begin one."""
        return max(0, len(self._groups) - GROUPS_SHOWN) + self.uncounted_groups

    def label_counts(self) -> list[LabelCount]:
        """The labels that changed devices share, but for the one that names their set; an operator's own come first.

        A label that tells every device from every other groups nothing, and is left out.
        """
        self._drop_labels()
        by_label: dict[str, Counter[str]] = {}
        for (label, value), devices in self._labels.items():
            by_label.setdefault(label, Counter())[value] = devices
        by_label.pop(MEMBER_OF, None)
        found = [
            LabelCount(label, dict(values.most_common(_VALUES_SHOWN)), len(values))
            for label, values in by_label.items()
            if max(values.values()) > 1 or len(values) == 1
        ]
        return sorted(found, key=lambda each: (each.label.startswith(_HARDWARE), each.values, each.label))[
            :_LABELS_SHOWN
        ]

    def missing(self) -> list[Missing]:
        """What must be supplied: what concerns most devices first."""
        told = [
            Missing(str(part.resource or ""), sorted(part.keys), part.message, devices, part.is_fatal)
            for part, devices in self._missing.values()
        ]
        return sorted(told, key=lambda each: (not each.is_fatal, -each.devices, each.resource))

    def _drop_labels(self) -> None:
        values = Counter(label for label, _ in self._labels)
        self._too_many |= {label for label, count in values.items() if count > _VALUES_COUNTED}
        for pair in [pair for pair in self._labels if pair[0] in self._too_many]:
            del self._labels[pair]
