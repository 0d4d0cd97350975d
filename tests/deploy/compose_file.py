"""docker-compose.yml as the client would read it: variables replaced by what the environment or their default says."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[2]

_VARIABLE = re.compile(r"\$\{(\w+):-([^}]*)\}")


def services(environ: Mapping[str, str]) -> dict[str, Any]:
    """The services by name, those of profiles included."""
    text = (PROJECT / "docker-compose.yml").read_text()
    found: dict[str, Any] = yaml.safe_load(_VARIABLE.sub(lambda match: environ.get(match[1]) or match[2], text))
    return dict(found["services"])


def cluster_environment() -> dict[str, str]:
    """What `deploy/cluster.env` sets."""
    lines = (PROJECT / "deploy" / "cluster.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def muster_services(environ: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """The `MUSTER_*` variables of each service that runs our image."""
    ours = {name: each for name, each in services(environ).items() if each["image"].startswith("muster:")}
    return {name: each["environment"] for name, each in ours.items()}
