"""A list of a fleet comes in order and in pages, whatever is added or removed between two of them."""

import pytest

from api.resources import reads
from api.resources.reads import _names_after
from fleet.decisions.commands import Change, ResourceKey
from fleet.decisions.state import FleetState


def fleet(names: list[str]) -> FleetState:
    """Devices of these names."""
    state = FleetState("default")
    for revision, name in enumerate(names, start=1):
        state.apply(Change(ResourceKey("EdgeDevice", "default", name), {"metadata": {"name": name}}), revision)
    return state


@pytest.mark.parametrize("limit", [None, 7])
async def test_names_come_in_order_from_a_place_on(limit: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also when they are put in order in many portions."""
    monkeypatch.setattr(reads, "_ORDERED_AT_ONCE", 10)
    names = [f"d{number:03}" for number in range(100)]
    devices = fleet(names[::-1]).resources("EdgeDevice", "default")
    for after, first in (("", 0), ("d041", 42), ("d0415", 42), ("z", 100)):
        found = list(await _names_after(devices, after, limit))
        assert found == (names[first:] if limit is None else names[first : first + limit])


async def test_a_fleet_may_change_between_two_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The others get their turn, and may well put a device or a workload."""
    monkeypatch.setattr(reads, "_ORDERED_AT_ONCE", 10)
    names = [f"d{number:03}" for number in range(40)]
    state = fleet(names)

    async def change(_: float) -> None:
        for kind in ("EdgeDevice", "EdgeWorkload"):
            state.apply(Change(ResourceKey(kind, "default", f"x{state.revision}"), {"metadata": {"name": "x"}}), 1000)
        state.revision += 1

    monkeypatch.setattr(reads.asyncio, "sleep", change)
    assert list(await _names_after(state.resources("EdgeDevice", "default"), "", None)) == names
    await _names_after(state.resources("EdgeWorkload", "default"), "", None)
