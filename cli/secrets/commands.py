"""`muster secrets …`: tend the keys that Secrets are encrypted with, beside the files, Kafka and ClickHouse."""

import asyncio
import os
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, TypeVar

from clickhouse_connect.driver import Client
from clickhouse_connect.driver.exceptions import ClickHouseError
from cyclopts import Parameter

from cli.errors import CommandError
from cli.secrets.key_table import key_states, key_table
from cli.secrets.rotation import rotate as rotate_keys
from settings import Settings, load
from settings.keys import read_password, remove_encryption_key
from storage.client import connect
from streams.topics import Topics, topics_of

Result = TypeVar("Result")


def rotate() -> int:
    """Encrypt every Secret with a new key; or finish that, where an earlier run was ended.

    Runs where the keys' folder can be written, with the settings of `muster setup`, while the deciding worker runs.
    """
    done = _with_parts(rotate_keys)
    out = sys.stdout.write
    out(f"made encryption key {done.new_key_id}, which seals from now on\n" if done.new_key_id else "")
    out(f"resealed {done.resealed} Secrets: no resourceVersion and no device's configuration changes by it\n")
    out(f"erased what {done.erased_rows} superseded revisions of Secrets held\n")
    out(key_table(done.keys))
    return 0


def keys(*, remove: Annotated[bool, Parameter(negative=())] = False) -> int:
    """List the encryption keys and what still uses them.

    Parameters
    ----------
    remove
        Remove the files of keys that nothing uses any more.
    """

    async def list_and_remove(settings: Settings, client: Client, names: Topics) -> int:
        states = await key_states(settings, client, names)
        sys.stdout.write(key_table(states))
        for state in states:
            if remove and state.may_go:
                remove_encryption_key(settings.keys_folder, state.key_id)
                sys.stdout.write(f"removed key {state.key_id}\n")
        return 0

    return _with_parts(list_and_remove)


def _with_parts(run: Callable[[Settings, Client, Topics], Coroutine[Any, Any, Result]]) -> Result:
    """Run with a connection to ClickHouse and the topics' names."""
    settings = load(os.environ)
    names = topics_of(settings)
    try:
        client = connect(settings.clickhouse, read_password(settings.clickhouse_password_file))
        try:
            return asyncio.run(run(settings, client, names))
        finally:
            client.close()
    except ClickHouseError as error:
        reason = str(error).partition("\n")[0]
        raise CommandError(f"ClickHouse at {settings.clickhouse.address}: {reason}: see MUSTER_CLICKHOUSE") from error
