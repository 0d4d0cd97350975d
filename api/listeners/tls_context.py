"""TLS as a listener speaks it, from the files that the settings name."""

import ssl
from typing import Final, NamedTuple

from settings import Settings, SettingsError
from settings.named_files import NamedFile
from settings.pem_files import load_pair, read_certificates, read_revoked, words_of

_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


class TlsPaths(NamedTuple):
    """What a listener needs; with `client_ca` it asks who connects."""

    certificate: NamedFile
    key: NamedFile
    client_ca: NamedFile | None = None
    client_crl: NamedFile | None = None

    def files(self) -> list[NamedFile]:
        """Those that are given."""
        return [file for file in self if file is not None]


def management_paths(settings: Settings) -> TlsPaths | None:
    """Of the management plane; None where it speaks no TLS."""
    http = settings.http
    if not http.certificate or not http.key:
        return None
    return TlsPaths(NamedFile("MUSTER_HTTP_CERTIFICATE", http.certificate), NamedFile("MUSTER_HTTP_KEY", http.key))


def device_paths(settings: Settings) -> TlsPaths | None:
    """Of the device plane at its own address; None where that speaks no TLS."""
    device = settings.device
    if not device.certificate or not device.key or not device.client_ca:
        return None
    return TlsPaths(
        NamedFile("MUSTER_DEVICE_CERTIFICATE", device.certificate),
        NamedFile("MUSTER_DEVICE_KEY", device.key),
        NamedFile("MUSTER_DEVICE_CLIENT_CA", device.client_ca),
        NamedFile("MUSTER_DEVICE_CLIENT_CRL", device.client_crl) if device.client_crl else None,
    )


def tls_context(paths: TlsPaths, minimum: str) -> ssl.SSLContext:
    """`minimum` is a version as `MUSTER_TLS_MINIMUM` has it. Raises SettingsError for a file that cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[minimum]
    # The Edge API announces h2 by accident and cannot speak it.
    context.set_alpn_protocols(["http/1.1"])
    # It resumes no session either; a ticket would cost, and would outlive a revocation.
    context.num_tickets = 0
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    load_pair(context, paths.certificate, paths.key)
    if paths.client_ca:
        read_certificates(paths.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
        _trust(context, paths.client_ca)
    if paths.client_crl:
        read_revoked(paths.client_crl)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF
        _trust(context, paths.client_crl)
    return context


def _trust(context: ssl.SSLContext, file: NamedFile) -> None:
    try:
        context.load_verify_locations(cafile=file.path)
    except OSError as error:
        raise SettingsError(f"OpenSSL does not take {file}: {words_of(error)}") from error
