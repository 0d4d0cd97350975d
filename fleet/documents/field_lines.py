"""Finds the line of a field in the text of a document, when there is something to say about it.

Paths are those of messages: `spec.heartbeat.periodSeconds`, `data[a.key]`, `spec.pod.spec.containers[0].name`. Nothing
is kept for this while a text is read: the one document is parsed again.
"""

import yaml

from fleet.documents.yaml_loader import KubernetesLoader


def field_line(text: str, path: str) -> int:
    """The line of a field in a document's text, counted from 0; of the nearest field around it where it is missing."""
    loader = KubernetesLoader(text)
    try:
        node = loader.get_single_node()
    except yaml.YAMLError:
        return 0
    finally:
        loader.dispose()
    line: int = node.start_mark.line if node else 0
    rest = path
    while node is not None and rest:
        found = _enter(node, rest)
        if found is None:
            break
        line, node, rest = found
    return line


def _enter(node: yaml.Node, path: str) -> tuple[int, yaml.Node, str] | None:
    """The line of the part that a path names first, the part, and the rest of the path."""
    if isinstance(node, yaml.SequenceNode):
        number, bracket, rest = path.removeprefix("[").partition("]")
        if not bracket or not number.isdigit() or int(number) >= len(node.value):
            return None
        item = node.value[int(number)]
        return item.start_mark.line, item, rest.removeprefix(".")
    if not isinstance(node, yaml.MappingNode):
        return None
    best: tuple[int, yaml.Node, str] | None = None
    longest = -1
    for key, value in node.value:
        left = _after(str(key.value), path)
        if left is not None and len(key.value) > longest:
            best, longest = (key.start_mark.line, value, left), len(key.value)
    return best


def _after(key: str, path: str) -> str | None:
    """What is left of a path after a key, if it begins with that: keys may hold dots, so they are compared whole."""
    if path.startswith(f"[{key}]"):
        return path[len(key) + 2 :].removeprefix(".")
    if path.startswith(key) and path[len(key) : len(key) + 1] in ("", ".", "["):
        return path[len(key) :].removeprefix(".")
    return None
