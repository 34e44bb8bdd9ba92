"""What there is before the tool starts: identifiers that are made up name nothing, and nothing is learned from 404."""

import collections
import datetime

# So many of each kind stay while the tool runs; as many more are there for it to take away.
KEPT = 4
# That of the examples in the document.
DEVICE = "IMEI:490154203237518"
PASSWORD = "correct horse battery staple"


def make(ask, another, ask_of_another):
    """Makes records of every kind. `ask(path, body)` is the caller's, the other one that of somebody else by the name
    `another`.

    Gives the identifiers by collection, as `{"roles": {"name": [...]}}`; those that only some action can be done with, by
    that action.
    """
    made = collections.defaultdict(lambda: collections.defaultdict(list))

    def keep(collection, parameter, identifier):
        made[collection][parameter].append(identifier)

    for number in range(2 * KEPT):
        capability = ask("/capabilities", {"manufacturer": "Acme", "model": f"M{number}"})
        keep("capabilities", "oid", capability["oid"])
        keep("subscribers", "subscriberId", ask("/subscribers", {"subscriberId": f"subscriber-{number}"})["subscriberId"])
        device = ask("/devices", {"deviceID": f"device-{number}" if number else DEVICE})
        keep("devices", "deviceID", device["deviceID"])
        # Devices named by their record are others than those named by their identifier: both may be taken away.
        keep("device-records", "oid", ask("/devices", {"deviceID": f"record-{number}"})["oid"])

        issuer = f"https://partner.example/{number}"
        for collection, body in [
            ("tenants", {"name": f"tenant-{number}"}),
            ("roles", {"name": f"role-{number}", "right": ["device.read"]}),
            ("principals", {"principal": {"name": f"principal-{number}"}, "password": PASSWORD}),
            ("identity-providers", {"name": f"provider-{number}", "issuer": issuer, "clientId": "muster"}),
        ]:
            keep(collection, "name", ask(f"/{collection}", body)["name"])
        keep("keys", "keyId", ask("/keys", {"right": ["device.read"]})["apiKey"]["keyId"])
        address = ask("/callback-addresses", {"address": f"https://partner.example/{number}", "kind": "WEBHOOK"})
        keep("callback-addresses", "callbackAddressId", address["callbackAddressId"])

        keep("tasks", "taskId", ask("/tasks", operation("QUERY", "./DevInfo/Man"))["taskId"])
        keep("jobs", "jobId", ask("/jobs", deployment(f"job {number}"))["jobId"][0])
        # A wipe waits for a second person: who asked takes it back, and somebody else decides.
        asks = ask if number % 2 else ask_of_another
        asks("/tasks", operation("EXECUTE", "./LAWMO/Operations/FullyWipe"))
    for approval in ask("/approvals")["items"]:
        is_of_another = approval["requester"] == another
        keep("approvals" if is_of_another else "withdraw", "approvalId", approval["approvalId"])
    ask("/certificate-bindings", {"principal": "principal-0", "nameKind": "URI", "nameValue": "urn:example:shop"})
    return made


def operation(name, path):
    """An operation on the device of the examples."""
    return {
        "operation": name, "deviceID": DEVICE, "arguments": {"parameter": [{"path": path}]},
        "bOptin": True, "acceptDevicePolicy": 30, "testCycle": False,
    }


def deployment(name):
    """A job that begins tomorrow, and finds no devices."""
    return {
        "deployments": [{
            "name": name, "operation": "SESSION", "devices": {"filter": {"group": "nobody"}},
            "bOptin": True, "acceptDevicePolicy": 30, "testCycle": False,
            "schedule": {"startTime": (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).isoformat()},
        }],
    }
