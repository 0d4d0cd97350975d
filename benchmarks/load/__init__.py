"""The load: wrk with our Lua scripts, and the requests of devices that are made for it."""
