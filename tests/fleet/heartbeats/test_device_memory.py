"""What an agent remembers of devices, and in how little room."""

import tracemalloc

from fleet.heartbeats.device_memory import DeviceMemory, KnownDevice, Learned, Said

UP = Said("up", "v1", "v1", has_events=False)
DOWN = Said("degraded", "v1", "v2", has_events=True)


def test_what_was_put_is_got_by_namespace_and_id() -> None:
    """The newest counts; other devices are unknown."""
    memory = DeviceMemory()
    memory.learn([Learned(("n", "d"), KnownDevice(1, 2, 3, UP))])
    memory.learn([Learned(("n", "d"), KnownDevice(2**63, -4, 2**64 - 1, DOWN))])
    assert memory.get("n", "d") == KnownDevice(2**63, -4, 2**64 - 1, DOWN)
    assert memory.get("d", "n") is None
    assert len(memory) == 1


def test_many_are_learned_at_once_and_none_of_them_is_numbered_twice() -> None:
    """Known devices keep their numbers; none are no devices."""
    memory = DeviceMemory()
    memory.learn([Learned(("n", "known"), KnownDevice(1, 1, 1, UP))])
    memory.learn([])
    devices = [Learned(("n", str(number)), KnownDevice(number, 0, 0, DOWN)) for number in range(3000)]
    memory.learn([*devices, Learned(("n", "known"), KnownDevice(2, 2, 2, UP))])
    assert len(memory) == 3001
    assert memory.get("n", "known") == KnownDevice(2, 2, 2, UP)
    assert memory.get("n", "2999") == KnownDevice(2999, 0, 0, DOWN)
    numbers = [memory.number("n", "known"), -1, memory.number("n", "7")]
    assert memory.known(numbers) == [memory.get("n", "known"), None, memory.get("n", "7")]
    assert DeviceMemory().known([-1]) == [None]


def test_texts_nobody_holds_any_more_are_let_go() -> None:
    """Versions come and go with every configuration; the memory does not grow with them."""
    memory = DeviceMemory()
    memory.learn([Learned(("n", "other"), KnownDevice(1, 1, 1, UP))])
    for number in range(1000):
        memory.learn([Learned(("n", "d"), KnownDevice(number, 0, 0, Said("up", f"v{number}", "", has_events=False)))])
    assert len(memory._said._values) <= 3
    assert memory.get("n", "other") == KnownDevice(1, 1, 1, UP)


def test_a_device_takes_about_two_hundred_bytes() -> None:
    """A million devices must fit a worker's memory beside everything else."""
    tracemalloc.start()
    memory = DeviceMemory()
    memory.learn(
        [
            Learned(("default", f"device-{number:06}"), KnownDevice(number, number, number, UP))
            for number in range(50_000)
        ]
    )
    size_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size_bytes / 50_000 < 220
