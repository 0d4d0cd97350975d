"""Writes YAML that every reader reads as the same text: devices parse it in Go, whose idea of `1e3` or `y` differs.

Only text that no YAML dialect takes for something else stands without quotes. Keys are sorted and nothing is
abbreviated by anchors, so that equal values give equal bytes.
"""

import re
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z/][-A-Za-z0-9_./]*(?::[-A-Za-z0-9_./]+)*\Z")
_WORDS_WITH_MEANING = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


class _Dumper(yaml.CSafeDumper):
    """Quotes whatever is not plainly text."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class asks for each value
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    is_plain = _PLAIN.match(text) is not None and text.lower() not in _WORDS_WITH_MEANING
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if is_plain else '"')


_Dumper.add_representer(str, _text)


def to_yaml(value: Any) -> str:
    """One document in block style."""
    text: str = yaml.dump(
        value, Dumper=_Dumper, sort_keys=True, default_flow_style=False, allow_unicode=True, width=1_000_000
    )
    return text
