"""The Secrets and ConfigMaps that a configuration refers to, read by name within the device's namespace alone.

A missing one raises ConfigurationError with the resource and the key, and with who wants it.
"""

from base64 import b64decode
from collections.abc import Callable, Mapping

from fleet.configuration.errors import ConfigurationError
from fleet.decisions.commands import JSONObject, ResourceKey

Lookup = Callable[[str], JSONObject | None]
"""The body of a resource by its name: Secrets opened, their `data` in base64. None when there is none."""


class References:
    """Reads one namespace."""

    def __init__(self, namespace: str, secret: Lookup, config_map: Lookup) -> None:
        self.namespace = namespace
        self._lookups: Mapping[str, Lookup] = {"Secret": secret, "ConfigMap": config_map}

    def secret(self, name: str, wanted_by: str) -> Mapping[str, str]:
        """All of a Secret's data, in base64."""
        return self._data("Secret", name, wanted_by)

    def secret_value(self, name: str, key: str, wanted_by: str) -> str:
        """One value of a Secret, in base64; it may be empty."""
        return self._value("Secret", name, key, wanted_by)

    def secret_text(self, name: str, key: str, wanted_by: str) -> str:
        """One value of a Secret as the text it encodes."""
        try:
            return b64decode(self.secret_value(name, key, wanted_by)).decode()
        except UnicodeDecodeError:
            raise ConfigurationError(
                self.key("Secret", name), key, f"is not text in UTF-8; {wanted_by} wants it"
            ) from None

    def config_map(self, name: str, wanted_by: str) -> Mapping[str, str]:
        """All texts of a ConfigMap."""
        return self._data("ConfigMap", name, wanted_by)

    def config_map_value(self, name: str, key: str, wanted_by: str) -> str:
        """One text of a ConfigMap; it may be empty."""
        return self._value("ConfigMap", name, key, wanted_by)

    def optional(self, kind: str, name: str) -> JSONObject | None:
        """The body of a Secret or ConfigMap that may be missing."""
        return self._lookups[kind](name)

    def required(self, kind: str, name: str, wanted_by: str) -> JSONObject:
        """The body of a Secret or ConfigMap that may not."""
        body = self.optional(kind, name)
        if body is None:
            raise ConfigurationError(self.key(kind, name), "", f"is missing; {wanted_by} wants it")
        return body

    def missing_key(self, kind: str, name: str, key: str, wanted_by: str) -> ConfigurationError:
        """The error for a key that is not there."""
        return ConfigurationError(self.key(kind, name), key, f"is missing; {wanted_by} wants it")

    def key(self, kind: str, name: str) -> ResourceKey:
        """The identity of a resource here."""
        return ResourceKey(kind, self.namespace, name)

    def _data(self, kind: str, name: str, wanted_by: str) -> Mapping[str, str]:
        data: Mapping[str, str] = self.required(kind, name, wanted_by).get("data") or {}
        return data

    def _value(self, kind: str, name: str, key: str, wanted_by: str) -> str:
        value = self._data(kind, name, wanted_by).get(key)
        if value is None:
            raise self.missing_key(kind, name, key, wanted_by)
        return value
