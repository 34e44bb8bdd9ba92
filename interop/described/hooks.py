"""What no schema can say, and what would end the tool's own access."""

import os
import re

import schemathesis
from schemathesis.checks import CHECKS

OWN = {os.environ["MUSTER_CALLER"], os.environ["MUSTER_KEY_ID"]}

ENOUGH = 1_000_000

# Parameters of a list that ask for one record: with anything beside them the answer is ConflictingArguments, and no
# schema of single parameters can say so.
ALONE = {
    "/devices": ["phoneNumber", "oid"],
    "/subscribers": ["phoneNumber"],
}



# Refusals with 400 of requests that fit the document, by fault and parameter, where that is right. Everything else that is
# well-formed must be accepted.
REFUSED = [
    # One parameter rules another out, or two places say different things of one: no schema of single parameters can tell.
    ("ConflictingArguments", ".*"),
    # One parameter calls for another, or one of several is needed.
    ("MissingArgument", r"manufacturer|model|jobId|eventId|subscriberId|createdBefore|createdSince|objectKind|parameter"),
    ("MissingArgument", r"schedule\.dailyWindow(Start|End)|grant\[\d+\]\.role|password"),
    # Compared with the clock or with another member.
    ("InvalidArgument", r"schedule\.endTime|expiresAt"),
    # Names that stand in a list of others: time zones, nodes of the management tree, networks, names in certificates.
    ("InvalidArgument", r"schedule\.timeZone|.*path|callbackNetwork|nameValue"),
    # What the server gave out and only it can read.
    ("InvalidArgument", r"anchor|after|afterEventId|correlationId|taskId|jobId"),
    # An expression of the filter language, which has a grammar and no schema.
    ("InvalidArgument", r"filter"),
    # To be described in the document: the bounds of an approval policy.
    ("InvalidArgument", r"windowHours|lifeHours|rule.*|dangerousNode.*"),
    # Each name may stand once, whatever its value.
    ("InvalidArgument", r"attribute|group"),
    # The tool puts numbers that it saw in answers into this header, though they are no entity tags.
    ("InvalidArgument", r"If-Match"),
    # Neither too short nor the name of the principal, which another place says.
    ("InvalidArgument", r"password"),
    # Characters of the values of a device line, which the document does not tell yet.
    ("InvalidArgument", r"dmVersion|managementObject|bootstrapMethod"),
    # Lengths and characters of the fields of an identity provider, which the document does not tell yet.
    ("InvalidArgument", r"groupsClaim|tokenAudience|scope|roleOfGroup.*|clientId|issuer|trustedCertificates|clientSecret"),
]
_accepted = CHECKS.get_one("positive_data_acceptance")


def positive_data_acceptance(context, response, case):
    """The check of the tool, but for what is in REFUSED."""
    if response.status_code == 400:
        problem = response.json()
        about = (problem.get("variables") or [""])[0]
        if any(problem.get("name") == name and re.fullmatch(pattern, about) for name, pattern in REFUSED):
            return None
        if case.operation.path.startswith("/identity-providers") and about in ("name", "displayName"):
            return None
    return _accepted(context, response, case)


CHECKS.register(positive_data_acceptance)


@schemathesis.hook
def before_call(context, case, kwargs):
    """Keeps the tool from ending its own access with what it learned from lists: the last moment before a request leaves."""
    if case.operation.method.lower() == "get":
        return
    if isinstance(case.path_parameters, dict):
        for name, value in case.path_parameters.items():
            if str(value) in OWN:
                case.path_parameters[name] = "nobody"
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
