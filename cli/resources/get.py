"""`muster get`: resources as a table, or whole as YAML or JSON."""

import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Literal

import orjson
import yaml
from cyclopts import Parameter

from cli.errors import CommandError
from cli.options import NamespaceOption, ServerOption
from cli.resources.kind_argument import kind_argument
from cli.resources.resource_paths import collection_path, resource_path
from cli.server_address import USAGE_STATUS, open_server
from cli.table import table
from fleet.decisions.commands import JSONObject
from fleet.errors import BadInputError
from fleet.label_selectors import read_selector
from fleet.resources import Kind
from fleet.resources.columns import NAMESPACE, columns
from settings import load

Output = Literal["table", "yaml", "json", "name"]


def get(
    kind: str,
    name: str | None = None,
    /,
    *,
    namespace: NamespaceOption = None,
    all_namespaces: Annotated[bool, Parameter(name=("--all-namespaces", "-A"), negative=())] = False,
    output: Annotated[Output, Parameter(name=("--output", "-o"))] = "table",
    selector: Annotated[str, Parameter(name=("--selector", "-l"))] = "",
    server: ServerOption = None,
) -> int:
    """Show resources.

    Parameters
    ----------
    kind
        Kind, singular, plural or short name: edgedevices, edsr, ns …
    name
        Name of one resource; all of the namespace without it.
    namespace
        Where to look; the initial namespace unless given.
    all_namespaces
        Look in all namespaces.
    output
        A table, everything as yaml or json, or names alone.
    selector
        Only resources with these labels: key=value, key!=value, key in (a,b), key, !key, joined by commas.
    server
        URL of the API; this machine's unless given.
    """
    wanted = kind_argument(kind)
    if name is not None and (all_namespaces or selector):
        raise CommandError("leave out either the name, or -A and -l", USAGE_STATUS)
    _check_selector(selector)
    settings = load(os.environ)
    where = namespace or settings.devices.initial_namespace
    with open_server(server, settings) as connection:
        if name is not None:
            found = connection.get(resource_path(wanted, where, name))
            sys.stdout.write(render([found], wanted, output, is_single=True))
            return 0
        path = collection_path(wanted, None if all_namespaces else where)
        resources = list(connection.list(path, {"labelSelector": selector} if selector else {}))
    if not resources and output == "table":
        place = f" in namespace {where}" if wanted.is_namespaced and not all_namespaces else ""
        sys.stderr.write(f"no {wanted.plural}{place}\n")
        return 0
    sys.stdout.write(render(resources, wanted, output, with_namespace=all_namespaces and wanted.is_namespaced))
    return 0


def render(
    resources: Sequence[JSONObject],
    kind: Kind,
    output: Output,
    *,
    is_single: bool = False,
    with_namespace: bool = False,
    now: datetime | None = None,
) -> str:
    """What is printed, ending in a newline. Several resources make a List in YAML and JSON."""
    if output == "table":
        shown = [NAMESPACE] * with_namespace + [each for each in columns(kind.kind) if not each.is_wide]
        at = now or datetime.now(UTC)
        return table([each.heading for each in shown], [[each.text(body, at) for each in shown] for body in resources])
    if output == "name":
        return "".join(f"{kind.singular}/{body['metadata']['name']}\n" for body in resources)
    document = resources[0] if is_single else _list(resources)
    if output == "json":
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return text


def _check_selector(selector: str) -> None:
    """The server selects; a mistake in what was typed is said without asking it."""
    try:
        read_selector(selector)
    except BadInputError as error:
        raise CommandError(str(error), USAGE_STATUS) from None


def _list(resources: Iterable[JSONObject]) -> JSONObject:
    return {"apiVersion": "v1", "kind": "List", "metadata": {}, "items": list(resources)}


class _Dumper(yaml.CSafeDumper):
    """Without anchors, which people mistake for content."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the base class's signature
        return True
