"""Where devices' calls go and as whom: to the device plane, with the Edge API's certificate where that asks for it.

The certificate is the one of the options or, without them, the one that `muster pki init` put beside Muster's own.
"""

import ssl
from pathlib import Path
from typing import Final, NamedTuple

from cli.errors import CommandError
from cli.server_address import USAGE_STATUS, address_of, checked_address, server_address
from settings import Settings

_MADE_BY_PKI: Final = ("host.crt", "host.key", "ca.crt")


class HostCertificate(NamedTuple):
    """Files by which the Edge API shows who it is, and the CA of the server; None where an option was not given."""

    certificate: Path | None
    key: Path | None
    ca: Path | None


class DevicePlane(NamedTuple):
    """An address without a path, and for https the TLS of the Edge API's side."""

    address: str
    tls: ssl.SSLContext | None


def device_plane(given: str | None, server: str | None, files: HostCertificate, settings: Settings) -> DevicePlane:
    """`given` is `--device-server`, `server` is `--server`. Raises CommandError (usage)."""
    address = _address(given, server, settings)
    if not address.startswith("https:"):
        if any(files):
            raise CommandError(
                f"--cert, --key and --ca are for https, and devices' calls go to {address}", USAGE_STATUS
            )
        return DevicePlane(address, None)
    return DevicePlane(address, _tls(address, _chosen(files, address, settings)))


def _address(given: str | None, server: str | None, settings: Settings) -> str:
    device = settings.device
    if given is not None:
        return checked_address("--device-server", given)
    if not device.port or server is not None:
        return server_address(server, settings)
    if device.proxy_header:
        raise CommandError(
            "devices' calls come through a proxy (MUSTER_DEVICE_PROXY_HEADER): say where it is with --device-server",
            USAGE_STATUS,
        )
    return address_of(device.host, device.port, is_https=device.certificate is not None)


def _chosen(files: HostCertificate, address: str, settings: Settings) -> HostCertificate:
    if bool(files.certificate) != bool(files.key):
        raise CommandError("--cert and --key belong together", USAGE_STATUS)
    if files.certificate:
        return files
    folder = settings.device.certificate.parent if settings.device.certificate else None
    if folder is None or not all((folder / name).exists() for name in _MADE_BY_PKI):
        raise CommandError(
            f"{address} asks for the Edge API's certificate: give --cert, --key and --ca"
            " (`muster pki init` makes host.crt, host.key and ca.crt)",
            USAGE_STATUS,
        )
    certificate, key, ca = (folder / name for name in _MADE_BY_PKI)
    return HostCertificate(certificate, key, files.ca or ca)


def _tls(address: str, files: HostCertificate) -> ssl.SSLContext:
    """As the Edge API's transport has it: TLS 1.3 alone."""
    try:
        context = ssl.create_default_context(cafile=files.ca)
        # A CA as Flotta's operator makes it has no key identifiers.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        if files.certificate and files.key:
            context.load_cert_chain(files.certificate, files.key)
    except (OSError, ValueError) as error:
        names = ", ".join(str(file) for file in files if file)
        raise CommandError(f"cannot call {address} with {names}: {error}", USAGE_STATUS) from error
    return context
