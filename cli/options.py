"""Options that several commands share, spelled as `kubectl` spells them."""

from typing import Annotated

from cyclopts import Parameter

FilesOption = Annotated[list[str], Parameter(name=("--file", "-f"), negative=(), allow_leading_hyphen=True)]
NamespaceOption = Annotated[str | None, Parameter(name=("--namespace", "-n"))]
MessageOption = Annotated[str, Parameter(name=("--message", "-m"))]
ServerOption = Annotated[str | None, Parameter(name="--server")]
