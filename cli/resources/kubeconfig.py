"""`muster kubeconfig`: the file that makes `kubectl` work against Muster."""

import os
import sys
from pathlib import Path
from typing import Annotated

import yaml
from cyclopts import Parameter

from cli.errors import CommandError
from cli.options import NamespaceOption, ServerOption
from cli.server_address import USAGE_STATUS, server_address
from fleet.decisions.commands import JSONObject
from settings import HttpSettings, load

_NAME = "muster"
_OWNER_ONLY = 0o600


def kubeconfig(
    *,
    write: Annotated[Path | None, Parameter(name=("--write", "-w"))] = None,
    namespace: NamespaceOption = None,
    server: ServerOption = None,
) -> int:
    """Print a configuration for kubectl, or write it to a file.

    Use it with `kubectl --kubeconfig FILE`, or set KUBECONFIG=FILE.

    Parameters
    ----------
    write
        File to write; one that is there already is kept, and refused.
    namespace
        Namespace that kubectl looks in unless told otherwise; the initial namespace unless given.
    server
        URL of the API; this machine's unless given.
    """
    settings = load(os.environ)
    where = namespace or settings.devices.initial_namespace
    content = configuration(server_address(server, settings), where, settings.http)
    text: str = yaml.dump(content, Dumper=yaml.CSafeDumper, sort_keys=False)
    if write is None:
        sys.stdout.write(text)
        return 0
    _write_new(write, text)
    sys.stdout.write(f"{write} written: export KUBECONFIG={write.absolute()}\n")
    return 0


def configuration(address: str, namespace: str, http: HttpSettings) -> JSONObject:
    """The configuration's content. It names files of CA and token; over plain HTTP kubectl would send no token."""
    cluster: JSONObject = {"server": address}
    user: JSONObject = {}
    if address.startswith("https:"):
        if http.ca:
            cluster["certificate-authority"] = str(http.ca.absolute())
        if http.token_file:
            user["tokenFile"] = str(http.token_file.absolute())
    context = {"cluster": _NAME, "user": _NAME, "namespace": namespace}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": _NAME, "cluster": cluster}],
        "users": [{"name": _NAME, "user": user}],
        "contexts": [{"name": _NAME, "context": context}],
        "current-context": _NAME,
    }


def _write_new(path: Path, text: str) -> None:
    """Never over a file that is there: it may be the configuration of all of somebody's clusters."""
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY), "w") as file:  # noqa: PTH123 - a mode at birth
            file.write(text)
    except FileExistsError:
        raise CommandError(f"{path} is there already: name a new file, and list both in KUBECONFIG") from None
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}", USAGE_STATUS) from None
