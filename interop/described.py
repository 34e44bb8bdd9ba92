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
sys.path.append(str(FOLDER))
import records  # noqa: E402
CALLER = "described"
# As many requests as the tool can make.
CONFIGURATION = "[limits]\nwsi_requests_per_second = 1000000\n"


class Caller:
    """Somebody with a credential, who asks a server over REST."""

    def __init__(self, server, token=None):
        self.base = f"{server.north}/api/v1"
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def ask(self, path, body=None):
        """The answer; a request with a body makes something."""
        headers = {**self.headers, **({"Content-Type": "application/json"} if body else {})}
        request = urllib.request.Request(self.base + path, json.dumps(body).encode() if body else None, headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return json.load(answer)


def log_in(server):
    """The first administrator."""
    login = {"userName": harness.ADMIN_NAME, "password": harness.ADMIN_PASSWORD}
    return Caller(server, Caller(server).ask("/sessions", login)["sessionId"])


def new_key(administrator):
    """The API key of another administrator, and its identifier."""
    grant = {"role": "administrator", "tenant": "*"}
    administrator.ask("/principals", {"principal": {"name": CALLER, "grant": [grant]}})
    made = administrator.ask("/keys", {"principal": CALLER, "right": ["*"]})
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
        administrator = log_in(server)
        key, key_id = new_key(administrator)
        known = records.make(Caller(server, key).ask, harness.ADMIN_NAME, administrator.ask)
        command = [
            pathlib.Path(sys.executable).parent / "schemathesis",
            "--config-file", FOLDER / "schemathesis.toml",
            "run", f"{server.north}/api/v1/openapi.json",
            "--report-ndjson-path", report, *more,
        ]
        environment = {
            **os.environ, "MUSTER_KEY": key, "MUSTER_KEY_ID": key_id, "MUSTER_CALLER": CALLER,
            "MUSTER_RECORDS": json.dumps(known), "NO_PROXY": "*",
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
