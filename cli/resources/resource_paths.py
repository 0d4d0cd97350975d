"""Where a resource stands in the HTTP interface: paths as Kubernetes spells them."""

from urllib.parse import quote

from fleet.resources import Kind


def collection_path(kind: Kind, namespace: str | None) -> str:
    """The path of all resources of a kind in a namespace; None for all namespaces or a kind without."""
    start = f"/apis/{kind.group}/{kind.version}" if kind.group else f"/api/{kind.version}"
    middle = f"/namespaces/{quote(namespace, safe='')}" if namespace is not None and kind.is_namespaced else ""
    return f"{start}{middle}/{kind.plural}"


def resource_path(kind: Kind, namespace: str | None, name: str, subresource: str = "") -> str:
    """The path of one resource, or of its subresource such as `status`."""
    path = f"{collection_path(kind, namespace)}/{quote(name, safe='')}"
    return f"{path}/{subresource}" if subresource else path
