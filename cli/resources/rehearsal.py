"""How a resource is tried with a dry run when its namespace is only created by the same run.

The server refuses whatever belongs in a namespace that is not there. Nothing can be in the way in a new namespace, so
such a resource is tried in the initial namespace, which always exists: that shows every other reason to refuse it.
"""

from http import HTTPStatus

from cli.http_client import RefusedError
from cli.resources.manifests import Manifest

_UNIQUE_KINDS = frozenset({"EdgeDevice", "EdgeDeviceSignedRequest"})
"""Named after a device, of which there is one in the whole installation: one that exists is in the way anywhere."""


def rehearsed(manifest: Manifest, new_namespaces: frozenset[str], initial_namespace: str) -> Manifest:
    """The resource to try: the same one, with namespaces that this run creates replaced by the initial one."""
    body = manifest.body
    namespace = manifest.namespace
    if namespace in new_namespaces:
        namespace = initial_namespace
        body = body | {"metadata": body["metadata"] | {"namespace": namespace}}
    spec = body.get("spec")
    if isinstance(spec, dict) and spec.get("targetNamespace") in new_namespaces:
        body = body | {"spec": spec | {"targetNamespace": initial_namespace}}
    return manifest._replace(namespace=namespace, body=body)


def is_only_in_the_way_here(manifest: Manifest, tried: Manifest, error: RefusedError) -> bool:
    """Whether the refusal is about a resource of that name in the initial namespace, where this one will not be."""
    return (
        tried.namespace != manifest.namespace
        and error.status_code == HTTPStatus.CONFLICT
        and manifest.kind.kind not in _UNIQUE_KINDS
    )
