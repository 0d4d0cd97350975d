"""A kubectl that talks to the installation of the API's tests."""

import pytest

from tests.api.fleet import Operator
from tests.api.installation import Api
from tests.api.resources.kubectl import Kubectl, find_kubectl

_CONFIGURATION = """\
apiVersion: v1
kind: Config
clusters: [{{name: muster, cluster: {{server: "{url}"}}}}]
users: [{{name: muster, user: {{}}}}]
contexts: [{{name: muster, context: {{cluster: muster, user: muster, namespace: default}}}}]
current-context: muster
"""


@pytest.fixture(scope="session")
def kubectl(api: Api, operator: Operator, tmp_path_factory: pytest.TempPathFactory) -> Kubectl:  # noqa: ARG001
    """An unmodified kubectl."""
    home = tmp_path_factory.mktemp("kubectl")
    (home / "config").write_text(_CONFIGURATION.format(url=api.url))
    return Kubectl(find_kubectl(home), home)
