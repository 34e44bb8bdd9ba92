"""What no schema can say, and what would end the tool's own access."""

import json
import os
import re
import zlib

import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.generation.meta import TestPhase

from records import KEPT

TENANT = "default"
OWN = {TENANT, os.environ["MUSTER_CALLER"], os.environ["MUSTER_KEY_ID"]}
# Identifiers of what is there, by collection and parameter.
RECORDS = json.loads(os.environ["MUSTER_RECORDS"])

ENOUGH = 1_000_000

# Parameters of a list that ask for one record: with anything beside them the answer is ConflictingArguments, and no
# schema of single parameters can say so.
ALONE = {
    "/devices": ["phoneNumber", "oid"],
    "/subscribers": ["phoneNumber"],
}

# Refusals with 400 of requests that fit the document, by fault and parameter, where that is right: what no schema can say.
# Everything else that is well-formed must be accepted.
REFUSED = [
    # One parameter rules another out, or two places say different things of one: no schema of single parameters can tell.
    ("ConflictingArguments", ".*"),
    # One parameter calls for another, or one of several is needed, and may stand in the address or in the record that is
    # there.
    ("MissingArgument", r"manufacturer|model|jobId|createdBefore|createdSince|objectKind|groupsClaim|roleOfGroup"),
    ("MissingArgument", r"deviceID|dmAccount\.clientSecret|password"),
    # The document says so, but the tool does not read it everywhere.
    ("MissingArgument", r"schedule\.(dailyWindow(Start|End)|wave\[\d+\]\.count)"),
    # Which arguments an operation takes, another member says; getOperationDefinitions lists them.
    ("MissingArgument", r"parameter(\[\d+\]\.value)?"),
    ("InvalidArgument", r"parameter(\[\d+\]\.(path|value))?|option|componentId|packageId"),
    # Compared with the clock.
    ("InvalidArgument", r"schedule\.(startTime|endTime)|expiresAt"),
    # A range that goes down, a day that never comes, and shares that are more than the whole together.
    ("InvalidArgument", r"schedule\.(maintenanceWindow\[\d+\]\.(cron|timeZone)|wave\[\d+\]\.percent)"),
    # What stands in a list of others: time zones, numbers that are nobody's; or has a grammar of its own: addresses of
    # IPv6, names in certificates by their kind, the filter language.
    ("InvalidArgument", r"schedule\.timeZone|callbackNetwork|address|nameValue|filter"),
    # Each name or class may stand once, whatever stands beside it.
    ("InvalidArgument", r"attribute|operationClass"),
    # Not the name of who has it, nor one character again and again.
    ("InvalidArgument", r"password"),
    # No colon where it travels in HTTP Basic.
    ("InvalidArgument", r"userName"),
    # The tool puts numbers that it saw in answers into this header, though they are no entity tags.
    ("InvalidArgument", r"If-Match"),
]
_accepted = CHECKS.get_one("positive_data_acceptance")


def positive_data_acceptance(context, response, case):
    """The check of the tool, but for what is in REFUSED."""
    if response.status_code == 400:
        problem = response.json()
        about = (problem.get("variables") or [""])[0]
        if any(problem.get("name") == name and re.fullmatch(pattern, about) for name, pattern in REFUSED):
            return None
    return _accepted(context, response, case)


CHECKS.register(positive_data_acceptance)


_rejected = CHECKS.get_one("negative_data_rejection")


def negative_data_rejection(context, response, case):
    """The check of the tool, but for a body without the name that the address has: the record is the same in a list, where it
    has its name, and both are taken."""
    of_path = case.path_parameters if isinstance(case.path_parameters, dict) else {}
    if isinstance(case.body, dict) and "name" in of_path and "name" not in case.body:
        return None
    return _rejected(context, response, case)


CHECKS.register(negative_data_rejection)


# Members and parameters that name a record of a collection.
REFERENCES = {
    "deviceID": ("devices", "deviceID"),
    "subscriberId": ("subscribers", "subscriberId"),
    "deviceCapabilityOid": ("capabilities", "oid"),
    "principal": ("principals", "name"),
    "owner": ("principals", "name"),
    "taskId": ("tasks", "taskId"),
    "jobId": ("jobs", "jobId"),
    "callbackAddressId": ("callback-addresses", "callbackAddressId"),
}


def known(collection, parameter, value, chance, is_end=False):
    """A record that is there in place of one that was made up, in most cases; to take away, one that need not stay."""
    there = RECORDS.get(collection, {}).get(parameter, [])
    if not there or chance % 4 == 0:
        return value
    if is_end:
        return there.pop() if len(there) > KEPT else value
    return there[chance // 4 % KEPT]


def stay_in_own_tenant(case):
    """What is made in another tenant is not found in one's own, and one that is made up has nothing."""
    of_body = case.body if isinstance(case.body, dict) else {}
    for members in [case.query, of_body, of_body.get("principal")]:
        if isinstance(members, dict) and "tenant" in members:
            members["tenant"] = TENANT


def name_what_is_there(case):
    """Puts identifiers of records into a request that fits the document."""
    segments = case.operation.path.strip("/").split("/")
    collection = segments[-1] if segments[-1] in RECORDS else segments[0]
    is_end = case.operation.method.lower() == "delete" and len(segments) == 2
    # What was made up decides, so that a seed means the same requests again.
    chance = zlib.crc32(repr([case.path_parameters, case.query, case.body]).encode(errors="replace"))
    of_path = case.path_parameters if isinstance(case.path_parameters, dict) else {}
    for name, value in of_path.items():
        place = (collection, name) if name == segments[1].strip("{}") else REFERENCES.get(name, (collection, name))
        of_path[name] = known(*place, value, chance, is_end)
    for members in [case.query, case.body]:
        if not isinstance(members, dict):
            continue
        for name, value in members.items():
            if name in of_path:
                members[name] = of_path[name]
            elif isinstance(value, str) and name in REFERENCES and REFERENCES[name][0] != collection:
                members[name] = known(*REFERENCES[name], value, chance)
        # A version that was made up is never that of the record.
        members.pop("version", None)
    if isinstance(case.body, dict) and "deviceID" in case.body and collection == "tasks":
        # Of another record.
        case.body.pop("phoneNumber", None)
    if case.headers and chance % 3:
        case.headers.pop("If-Match", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    """The last moment before a request leaves: names what is there, and keeps the tool from ending its own access with what
    it learned from lists."""
    if case.meta and case.meta.generation.mode.is_positive:
        stay_in_own_tenant(case)
        if case.meta.phase.name != TestPhase.STATEFUL:
            name_what_is_there(case)
    if case.operation.method.lower() == "get":
        return
    if isinstance(case.path_parameters, dict):
        for name, value in case.path_parameters.items():
            if str(value) in OWN:
                case.path_parameters[name] = "nobody"
                if isinstance(case.body, dict) and name in case.body:
                    case.body[name] = "nobody"
    # A rate of nothing would have everything that follows refused with 429.
    if case.operation.path == "/quotas" and isinstance(case.body, dict):
        limit = case.body.get("limit")
        if isinstance(limit, int) and not isinstance(limit, bool) and 0 <= limit < ENOUGH:
            case.body["limit"] = ENOUGH


@schemathesis.hook
def map_query(context, query):
    """Leaves out cursors, which only a list can give, and what stands beside a parameter that stands alone."""
    if not isinstance(query, dict):
        return query
    query.pop("cursor", None)
    for name in ALONE.get(context.operation.path, []):
        if name in query:
            return {name: query[name]}
    return query
