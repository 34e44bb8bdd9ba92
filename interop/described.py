"""Plays schemathesis against a running muster: is what it does what its OpenAPI document says?

`described.py --binary target/debug/muster [argument of schemathesis …]`. A server of its own with an API key of an
administrator: with a name and a password the tool would lock itself out, because it also guesses passwords.
Ends with a line `N passed, N failed`, where a test is an operation in a phase of the tool.
"""

import argparse
import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import urllib.request

import harness

FOLDER = pathlib.Path(__file__).parent / "described"
CALLER = "described"
# As many requests as the tool can make.
CONFIGURATION = "[limits]\nwsi_requests_per_second = 1000000\n"


def post(server, path, body, token=None):
    """Makes something; what the server tells of it."""
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    request = urllib.request.Request(f"{server.north}/api/v1{path}", json.dumps(body).encode(), headers)
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
        return json.load(answer)


def new_key(server):
    """The API key of a new administrator, and its identifier."""
    session = post(server, "/sessions", {"userName": harness.ADMIN_NAME, "password": harness.ADMIN_PASSWORD})
    token = session["sessionId"]
    grant = {"role": "administrator", "tenant": "*"}
    post(server, "/principals", {"principal": {"name": CALLER, "grant": [grant]}}, token)
    made = post(server, "/keys", {"principal": CALLER, "right": ["*"]}, token)
    return made["key"], made["apiKey"]["keyId"]


def count(report):
    """Operations in phases that passed and that failed, from the events of the tool."""
    outcomes = collections.Counter()
    for line in report.read_text().splitlines():
        for kind, event in json.loads(line).items():
            if kind == "ScenarioFinished":
                outcomes[event["status"]] += 1
    return outcomes


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--binary", required=True, type=pathlib.Path, help="the muster binary")
    options, more = arguments.parse_known_args()
    harness.BINARY = options.binary.resolve()
    # A stop from outside must still end the server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    report = harness.new_folder("report") / "events.ndjson"
    try:
        server = harness.Server(configuration=CONFIGURATION)
        key, key_id = new_key(server)
        command = [
            pathlib.Path(sys.executable).parent / "schemathesis",
            "--config-file", FOLDER / "schemathesis.toml",
            "run", f"{server.north}/api/v1/openapi.json",
            "--report-ndjson-path", report, *more,
        ]
        environment = {
            **os.environ, "MUSTER_KEY": key, "MUSTER_KEY_ID": key_id, "MUSTER_CALLER": CALLER, "NO_PROXY": "*",
            "SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(FOLDER), "PYTHONDONTWRITEBYTECODE": "1",
        }
        status = subprocess.run(list(map(str, command)), cwd=FOLDER, env=environment).returncode
    finally:
        harness.end_all()
    outcomes = count(report)
    errors = harness.errors_logged()
    for line in errors:
        print(f"the server logged an error: {line}")
    failed = sum(number for name, number in outcomes.items() if name not in ("success", "skip")) + bool(errors)
    failed = failed or int(status != 0)
    harness.clean_up(keep=bool(os.environ.get("MUSTER_KEEP")))
    print(f"{outcomes['success']} passed, {failed} failed")
    return 0 if outcomes["success"] and not failed else 1


if __name__ == "__main__":
    sys.exit(main())
