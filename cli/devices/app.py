"""`muster device`: what a device was to run at a time, and what may be done about one."""

from cyclopts import App

from cli.devices.then import then

device = App(name="device", help="Show what a device was to run at a time; let it register another key; revoke it.")
device.default(then)
device.command("cli.devices.device:reset_key", help="Let a registered device register another key, once.")
device.command("cli.devices.device:revoke", help="Take a device out of service for good.")
