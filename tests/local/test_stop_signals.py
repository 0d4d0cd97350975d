"""A stop is asked for once, and waits for what must not be torn."""

import os
import signal

import pytest

from local.stop_signals import StopRequested, StopSignals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_asks_for_a_stop(number: signal.Signals) -> None:
    """Ctrl-C, a service manager, a terminal that was closed; also where the tests run with hangups ignored."""
    before = signal.signal(number, signal.default_int_handler)
    try:
        with pytest.raises(StopRequested), StopSignals():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)


def test_a_second_signal_does_not_disturb_the_stop() -> None:
    """Impatience must not leave processes behind."""
    with StopSignals():
        with pytest.raises(StopRequested):
            os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_a_held_signal_is_raised_after_the_block() -> None:
    """A child half started would be forgotten."""
    reached = []

    def start_child(signals: StopSignals) -> None:
        with signals.held(), signals.held():
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append("end of the block")

    with StopSignals() as signals, pytest.raises(StopRequested):
        start_child(signals)
    assert reached


def test_an_ignored_hangup_stays_ignored() -> None:
    """Someone started it with nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopSignals():
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)
