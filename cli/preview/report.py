"""What a preview tells, as text for people: the counts first, then what is missing, then an example of each group."""

from fleet.decisions.commands import JSONObject

_POLL_S = 5
"""How often a device asks for its configuration (CONTRACT.md “How often”)."""


def report(told: JSONObject) -> str:
    """The whole text."""
    lines = [
        *_resources(told["resources"]),
        *_devices(told["devices"]),
        *_reads(told["reads"]),
        *_counts("by set", told["sets"]),
        *(line for each in told["labels"] for line in _label(each)),
        *(_missing(each) for each in told["missing"]),
    ]
    groups = told["groups"]
    shown = [text for number, each in enumerate(groups, 1) for text in _group(each, number, len(groups))]
    further = told["furtherGroups"]
    rest = [f"and {further:,} further groups of fewer devices"] if further else []
    return "\n".join([*lines, *shown, *rest]) + "\n"


def _line(heading: str, text: str) -> str:
    return f"{heading + ':':<12}{text}"


def _more(text: str) -> str:
    return f"{'':<12}{text}"


def _resources(counts: JSONObject) -> list[str]:
    told = [f"{counts[each]:,} {each}" for each in ("created", "configured", "deleted", "unchanged") if counts[each]]
    return [_line("resources", ", ".join(told) or "none")]


def _devices(counts: JSONObject) -> list[str]:
    lines = [_line("devices", f"{counts['changed']:,} of {counts['lookedAt']:,} registered ones change")]
    if counts["failing"]:
        lines.append(_more(f"{counts['failing']:,} cannot be configured and keep what they run"))
    if counts["removed"]:
        lines.append(_more(f"{counts['removed']:,} are told nothing any more"))
    if counts["playbooks"]:
        lines.append(_more(f"{counts['playbooks']:,} are told to run a playbook"))
    if counts["notRegistered"]:
        lines.append(_more(f"{counts['notRegistered']:,} not registered yet are concerned once they are"))
    return lines


def _reads(reads: JSONObject) -> list[str]:
    if not reads["reads"]:
        return []
    more = reads["bytes"] - reads["bytesBefore"]
    sign = "more" if more >= 0 else "fewer"
    contents = f"{reads['contents']:,} different configuration{'s' * (reads['contents'] != 1)}"
    first = f"{reads['reads']:,} reads bring {size(reads['bytes'])} within {_POLL_S} s, {contents}"
    later = f"later polls bring {size(abs(more) / _POLL_S)}/s {sign} than now" if more else "later polls as now"
    again = [f"{reads['reselected']:,} devices are selected for anew at their next poll"] if reads["reselected"] else []
    return [_line("reads", first), *(_more(each) for each in (later, *again))]


def _counts(heading: str, counts: dict[str, int]) -> list[str]:
    return [_line(heading, ", ".join(f"{name} {count:,}" for name, count in counts.items()))] if counts else []


def _label(each: JSONObject) -> list[str]:
    shown = each["devices"]
    rest = each["values"] - len(shown)
    text = ", ".join(f"{value or '(empty)'} {count:,}" for value, count in shown.items())
    return [_line("by label", f"{each['label']}: {text}" + (f" and {rest:,} other values" if rest else ""))]


def _missing(each: JSONObject) -> str:
    keys = f" (keys: {', '.join(each['keys'])})" if each["keys"] else ""
    effect = "cannot be configured" if each["isFatal"] else "without that part"
    return _line("missing", f"{each['message']}{keys}; {_devices_of(each['devices'])} {effect}")


def _devices_of(count: int) -> str:
    return f"{count:,} device{'s' * (count != 1)}"


def _group(group: JSONObject, number: int, count: int) -> list[str]:
    sets = ", ".join(f"{name} {devices:,}" for name, devices in group["sets"].items())
    heading = f"group {number} of {count}: {_devices_of(group['devices'])}, such as {group['example']} (sets: {sets})"
    if group["problem"]:
        return ["", heading, f"cannot be configured: {group['problem']}"]
    return ["", heading, group["diff"]]


def size(bytes_: float) -> str:
    """Bytes in a unit that reads well."""
    for unit in ("B", "kB", "MB"):
        if bytes_ < 1000:  # noqa: PLR2004 - the next unit
            return f"{bytes_:.0f} {unit}" if unit == "B" else f"{bytes_:.1f} {unit}"
        bytes_ /= 1000
    return f"{bytes_:.1f} GB"
