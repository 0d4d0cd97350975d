"""The reason of a death is found among what was said last."""

import pytest

from local.last_words import last_words


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], ""),
        (["", "cannot bind", ""], "cannot bind"),
        (["Traceback (most recent call last):", '  File "x"', "ValueError: no"], "ValueError: no"),
        (
            [
                '{"level": "error", "event": "worker ends", "reason": "the topic m was deleted"}',
                '{"level": "info", "event": "stopped"}',
            ],
            "worker ends: the topic m was deleted",
        ),
        (
            ['{"level": "error", "event": "failed", "exception": "Traceback\\n  File\\nKeyError: 1"}'],
            "failed: KeyError: 1",
        ),
        (
            [
                '{"level": "error", "event": "worker ends", "reason": "no brokers"}',
                '{"level": "error", "event": "Unclosed consumer\\nconsumer: <object>"}',
            ],
            "worker ends: no brokers",
        ),
        (['{"level": "error", "event": "Unclosed consumer\\nconsumer: <object>"}'], "Unclosed consumer"),
        (["plain", '{"level": "error", "event": "broken"}'], "broken"),
        (
            ["Exception in thread", "\tat kafka.Kafka.main(Kafka.scala)", "Caused by: No space left", "\t... 3 more"],
            "Caused by: No space left",
        ),
        (['{"level": "info", "event": "stopped"}'], '{"level": "info", "event": "stopped"}'),
    ],
)
def test_the_likeliest_reason_is_told(lines: list[str], words: str) -> None:
    """A line about an orderly end after an error does not hide it."""
    assert last_words(lines) == words
