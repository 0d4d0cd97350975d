"""`muster`: one command line; each command lives in a module of its own, imported when it is called.

A command ends with a status: 0 done, 1 failed, 2 wrong settings or arguments. What a person can put right is said in
one line on standard error, without a stack trace.
"""

import sys
from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError

from cli.errors import CommandError
from fleet.errors import MusterError
from settings import SettingsError

app = App(
    name="muster",
    help="The remote backend of Flotta fleets: enrols devices, tells each what to run, keeps their heartbeats for SQL.",
    version=version("muster"),
)

# Where each command lives. The modules are imported lazily: `muster get` need not wait for what `muster up` imports.
app.command(
    "cli.service.up:up", help="Start Muster on this machine, with Kafka and ClickHouse unless settings name others."
)
app.command(
    "cli.service.setup:setup", help="Make what Muster needs in Kafka and ClickHouse: keys, tables, topics, epoch."
)
app.command("cli.service.settings:settings", help="List every setting: name, value, default and meaning.")
app.command("cli.resources.apply:apply", help="Create and change resources as files say; all of them or none.")
app.command("cli.resources.get:get", help="Show resources.")
app.command("cli.resources.delete:delete", help="Delete resources.")
app.command("cli.resources.approve:approve", help="Approve devices that asked to join.")
app.command("cli.resources.approve:decline", help="Decline devices, or withdraw their approval.")
app.command("cli.resources.kubeconfig:kubeconfig", help="Print or write the configuration that makes kubectl work.")
pki = App(name="pki", help="Certificates to try mutual TLS with.")
pki.command("cli.pki.init:init", help="Make a CA, Muster's and the Edge API's certificates, and devices'.")
app.command(pki)
app.command("cli.preview.command:preview", help="Show what files would change on which devices, without changing it.")
app.command("cli.history.commands:history", help="Show who changed a resource and when.")
app.command("cli.history.commands:diff", help="Show what changed in a resource between two revisions.")
app.command("cli.history.commands:rollback", help="Make a resource what it was at a revision.")
app.command("cli.devices.explain:explain", help="Show why a device's configuration is what it is.")
app.command("cli.devices.app:device", help="Show what a device was to run at a time; reset its key; revoke it.")
secrets = App(name="secrets", help="Tend the keys that Secrets are encrypted with.")
secrets.command("cli.secrets.commands:rotate", help="Encrypt every Secret with a new key; no version changes by it.")
secrets.command("cli.secrets.commands:keys", help="List the encryption keys and what still uses each.")
app.command(secrets)
app.command("cli.simulate.command:simulate", help="Play a fleet of devices; check that nothing acknowledged was lost.")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit status."""
    try:
        return (
            app(
                arguments,
                result_action="print_non_int_return_int_as_exit_code",
                print_error=False,
                exit_on_error=False,
            )
            or 0
        )
    except CycloptsError as error:
        return _refuse(_usage(error), 2)
    except SettingsError as error:
        return _refuse(error, 2)
    except CommandError as error:
        return _refuse(error, error.status)
    except MusterError as error:
        return _refuse(error, 1)


def _usage(error: CycloptsError) -> str:
    """What is wrong with the arguments, in one line, and where to read which there are."""
    chain = " ".join(("muster", *(error.command_chain or ())))
    text = " ".join(str(error).split())
    return f"{text if text.endswith('...') else text.removesuffix('.')} (see `{chain} --help`)"


def _refuse(error: object, status: int) -> int:
    sys.stderr.write(f"muster: {error}\n")
    return status


if __name__ == "__main__":
    sys.exit(main())
