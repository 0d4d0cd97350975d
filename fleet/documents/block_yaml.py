"""Writes YAML for people to read and compare: sorted keys, several lines in block style, nothing abbreviated."""

from typing import Any

import yaml


class _Dumper(yaml.CSafeDumper):
    """Without anchors, which people mistake for content."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class asks for each value
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def to_block_yaml(content: Any) -> str:
    """One document."""
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=True, allow_unicode=True, default_flow_style=False)
    return text
