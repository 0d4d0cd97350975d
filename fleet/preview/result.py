"""What a preview tells: counts for all devices, and examples of a bounded number."""

from typing import Final

import msgspec

REFUSALS_SHOWN: Final = 20
"""Documents told of that would be refused; all are counted."""

GROUPS_SHOWN: Final = 20
"""Groups of equal devices shown with an example; those of most devices."""

MISSING_SHOWN: Final = 50


class Refusal(msgspec.Struct, frozen=True, rename="camel"):
    """A document or deletion that would be refused. `number` counts from 1, deletions behind the documents."""

    number: int
    resource: str
    field: str
    message: str


class Resources(msgspec.Struct, rename="camel"):
    """What becomes of the resources, in numbers."""

    created: int = 0
    configured: int = 0
    unchanged: int = 0
    deleted: int = 0


class Devices(msgspec.Struct, rename="camel"):
    """Registered devices by what becomes of them; `looked_at` are all of the namespaces concerned.

    `changed` get another configuration; `failing` have one that cannot be assembled, and keep what they run; `removed`
    get none any more. `not_registered` ones are concerned too, once they register. `playbooks` are told to run one.
    """

    looked_at: int = 0
    changed: int = 0
    failing: int = 0
    removed: int = 0
    not_registered: int = 0
    playbooks: int = 0


class Reads(msgspec.Struct, rename="camel"):
    """What the change costs: every changed device reads its new configuration once.

    `bytes` is what they read then, `bytes_before` what as many reads brought before; so later polls differ by the
    difference. `contents` are the different new configurations, each assembled once by each API process. `reselected`
    are the devices whose selection every process evaluates anew at their next poll.
    """

    reads: int = 0
    bytes: int = 0
    bytes_before: int = 0
    contents: int = 0
    reselected: int = 0


class Missing(msgspec.Struct, frozen=True, rename="camel"):
    """What must be supplied. With `is_fatal` its devices get no configuration, otherwise a part is left out."""

    resource: str
    keys: list[str]
    message: str
    devices: int
    is_fatal: bool


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """Devices with equal configurations before and equal ones after. `problem` is why there is none after."""

    devices: int
    example: str
    sets: dict[str, int]
    version_before: str
    version: str
    problem: str
    diff: str


class LabelCount(msgspec.Struct, frozen=True, rename="camel"):
    """Changed devices by the values of a label, the most frequent; `values` counts all that were met."""

    label: str
    devices: dict[str, int]
    values: int


class Preview(msgspec.Struct, rename="camel"):
    """All of it. With refusals nothing else is told, since nothing would be applied."""

    revision: str
    resources: Resources
    devices: Devices
    reads: Reads
    sets: dict[str, int] = {}
    labels: list[LabelCount] = []
    missing: list[Missing] = []
    groups: list[Group] = []
    further_groups: int = 0
    refusals: list[Refusal] = []
    refused: int = 0
    warnings: list[str] = []
