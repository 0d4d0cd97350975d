"""Which listeners the settings describe, and that none of them is open to a network without asking who calls."""

import ipaddress
from pathlib import Path

from api.listeners.peer import spelled_alike
from settings import Settings, SettingsError
from settings.listeners import DeviceListenerSettings

_IN_EVERY_HOST_CERTIFICATE = spelled_alike(["127.0.0.1", "::1"])
"""What Flotta's operator writes into every host certificate's SANs."""


def check_listeners(settings: Settings) -> None:
    """Raises SettingsError, naming the variable to set, for a plane that would stand open or half of a TLS set-up."""
    _check_management(settings)
    _check_device(settings)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches that address."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _check_management(settings: Settings) -> None:
    http = settings.http
    _together({"MUSTER_HTTP_CERTIFICATE": http.certificate, "MUSTER_HTTP_KEY": http.key})
    if is_loopback(http.host):
        return
    _required(
        f"the management plane listens on {http.host}, which is not loopback (MUSTER_HTTP_HOST)",
        {
            "MUSTER_HTTP_CERTIFICATE": http.certificate,
            "MUSTER_HTTP_KEY": http.key,
            "MUSTER_HTTP_TOKEN_FILE": http.token_file,
        },
    )
    if not settings.device.port:
        raise SettingsError(
            f"the management plane listens on {http.host}, which is not loopback, so devices' calls need an address"
            " of their own, where the Edge API shows its certificate: set MUSTER_DEVICE_PORT"
        )


def _check_device(settings: Settings) -> None:
    device = settings.device
    files = {
        "MUSTER_DEVICE_CERTIFICATE": device.certificate,
        "MUSTER_DEVICE_KEY": device.key,
        "MUSTER_DEVICE_CLIENT_CA": device.client_ca,
    }
    if not device.port:
        given = [name for name, file in files.items() if file] + ["MUSTER_DEVICE_CLIENT_CRL"] * bool(device.client_crl)
        given += ["MUSTER_DEVICE_PROXY_HEADER"] * bool(device.proxy_header)
        if given:
            raise SettingsError(f"{given[0]} is for devices' calls at an address of their own: set MUSTER_DEVICE_PORT")
        return
    if (device.host, device.port) == (settings.http.host, settings.http.port):
        raise SettingsError("MUSTER_DEVICE_PORT and MUSTER_HTTP_PORT are the same: leave the former out, or change one")
    _together(files)
    if not is_loopback(device.host):
        _required(f"the device plane listens on {device.host}, which is not loopback (MUSTER_DEVICE_HOST)", files)
    if device.client_crl:
        _required("MUSTER_DEVICE_CLIENT_CRL is given", files)
    if (device.client_ca or device.proxy_header) and not spelled_alike(device.client_names.split(",")):
        raise SettingsError("MUSTER_DEVICE_CLIENT_NAMES is empty: list a name of the Edge API's host certificate")
    _check_proxy(device)


def _check_proxy(device: DeviceListenerSettings) -> None:
    """A header about who calls may be believed from nobody but the proxy."""
    names = spelled_alike(device.proxy_names.split(","))
    if not device.proxy_header:
        if names:
            raise SettingsError("MUSTER_DEVICE_PROXY_NAMES is given: set MUSTER_DEVICE_PROXY_HEADER as well")
        return
    addresses = spelled_alike(device.proxy_addresses.split(","))
    if not addresses or not all(map(_is_address, addresses)):
        raise SettingsError(
            f"MUSTER_DEVICE_PROXY_ADDRESSES={device.proxy_addresses!r}: list the IP addresses of the proxy, which is"
            " believed about who calls"
        )
    if bool(device.client_ca) != bool(names):
        raise SettingsError(
            "MUSTER_DEVICE_PROXY_NAMES is for a proxy that speaks TLS with Muster: MUSTER_DEVICE_CLIENT_CA verifies it"
            " and MUSTER_DEVICE_PROXY_NAMES tells it from others; set both or neither"
        )
    shared = names & (spelled_alike(device.client_names.split(",")) | _IN_EVERY_HOST_CERTIFICATE)
    if shared:
        raise SettingsError(
            f"MUSTER_DEVICE_PROXY_NAMES: {min(shared)} stands in the Edge API's certificates too, and who shows it"
            " could name anyone as the caller; give the proxy a name of its own"
        )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _together(files: dict[str, Path | None]) -> None:
    if any(files.values()):
        given = next(name for name, file in files.items() if file)
        _required(f"{given} is given", files)


def _required(why: str, files: dict[str, Path | None]) -> None:
    missing = [name for name, file in files.items() if file is None]
    if missing:
        raise SettingsError(f"{why}: set {' and '.join(missing)} as well")
