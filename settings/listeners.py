"""The two listeners and what their TLS has in common."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from settings.ports import Port


class HttpSettings(Struct, frozen=True):
    """The listener of the management plane. Loopback, unless it has TLS and a token of its own."""

    host: Annotated[str, Meta(description="address the API listens on")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="port of the API")] = 8080
    processes: Annotated[int, Meta(ge=1, le=64, description="API processes sharing the port")] = 1
    body_limit_bytes: Annotated[
        int, Meta(ge=1024, description="largest accepted body of a device's call; hardware is 10 to 20 kB")
    ] = 1_000_000
    resource_limit_bytes: Annotated[
        int, Meta(ge=1024, description="largest accepted resource; Kubernetes allows about 1.5 MB")
    ] = 1_500_000
    names: Annotated[
        str, Meta(description="further host names, comma-separated, by which people reach the management plane")
    ] = ""
    show_secrets: Annotated[
        bool, Meta(description="show values of Secrets to whoever may read resources; otherwise they are replaced")
    ] = False
    certificate: Annotated[
        Path | None, Meta(description="certificate chain (PEM) of the management plane; with it, https only")
    ] = None
    key: Annotated[Path | None, Meta(description="private key (PEM) of that certificate")] = None
    ca: Annotated[
        Path | None, Meta(description="CA (PEM) by which commands verify that certificate; default: the system's")
    ] = None
    token_file: Annotated[
        Path | None, Meta(description="file with the token that callers of the management plane must send as Bearer")
    ] = None


class DeviceListenerSettings(Struct, frozen=True):
    """The device plane at an address of its own: `MUSTER_DEVICE_*`. Elsewhere than on loopback only with all of TLS."""

    host: Annotated[str, Meta(description="address the device plane listens on, if it has a port of its own")] = (
        "127.0.0.1"
    )
    port: Annotated[
        int, Meta(ge=0, le=65535, description="port of the device plane; 0: it shares the management plane's")
    ] = 0
    certificate: Annotated[
        Path | None, Meta(description="certificate chain (PEM) shown to the Edge API; with it, https only")
    ] = None
    key: Annotated[Path | None, Meta(description="private key (PEM) of that certificate")] = None
    client_ca: Annotated[
        Path | None, Meta(description="the Flotta CA (PEM), which signs the Edge API's certificate")
    ] = None
    client_crl: Annotated[
        Path | None, Meta(description="that CA's revoked certificates (PEM); none when there is no such list")
    ] = None
    client_names: Annotated[
        str,
        Meta(description="names and addresses, comma-separated, one of which must stand in the client's SAN"),
    ] = "127.0.0.1,::1"
    proxy_header: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9-]*$",
            description="header in which a proxy in front passes the client's certificate (Client-Cert); empty: none",
        ),
    ] = ""
    proxy_addresses: Annotated[
        str, Meta(description="addresses, comma-separated, of that proxy: from anywhere else the header is refused")
    ] = "127.0.0.1,::1"
    proxy_names: Annotated[
        str, Meta(description="which SAN that proxy's own certificate has, where it speaks TLS with Muster")
    ] = ""


class TlsSettings(Struct, frozen=True):
    """What both listeners' TLS has in common."""

    minimum: Annotated[Literal["1.2", "1.3"], Meta(description="lowest TLS version spoken")] = "1.3"
    reload_s: Annotated[
        int, Meta(ge=1, description="seconds between looks at whether certificates, keys, CAs or lists changed")
    ] = 10
    warning_days: Annotated[
        int, Meta(ge=1, description="days before the end of a certificate at which warnings begin")
    ] = 30
