"""Starts and ends servers and fleets of simulated devices. Ends only what it started, always."""

import atexit
import dataclasses
import itertools
import json
import os
import pathlib
import queue
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.parse

BINARY: pathlib.Path = None

ADMIN_NAME = "admin"
ADMIN_PASSWORD = "correct horse battery staple"

START_S_MAX = 60
STOP_S_MAX = 15
POLL_MS = 200

# Callers of the shared server besides its administrator: role, management domain, whether digests are taken.
# They are let in before it starts, because the operator's command needs the data folder for itself.
PRINCIPALS = [
    ("reader", None, False),
    ("reader", None, True),
    ("care", None, False),
    ("campaign", None, False),
    ("administrator", "elsewhere", False),
]

_processes = []
_folder = pathlib.Path(tempfile.mkdtemp(prefix="muster-interop-"))
_numbers = itertools.count(1)
_shared = {}
_principals = {}


class Process:
    """A program we started: its lines, its log, its end."""

    def __init__(self, arguments, environment=None):
        number = next(_numbers)
        self.log = _folder / f"{number:03}-{arguments[0]}.log"
        self.lines = queue.Queue()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [str(BINARY), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
            )
        _processes.append(self)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        """Empties the pipe, so that the program never waits for us."""
        for line in self.process.stdout:
            self.lines.put(line.decode(errors="replace").rstrip())
        self.lines.put(None)

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self in _processes:
            _processes.remove(self)
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


class Server(Process):
    """`muster serve` on the loopback, on free ports unless addresses are given; ready when the constructor returns."""

    def __init__(self, data=None, north="http://127.0.0.1:0", south="http://127.0.0.1:0", configuration=None):
        self.data = data or new_folder("data")
        north, south = [urllib.parse.urlsplit(address).netloc for address in [north, south]]
        more = []
        if configuration is not None:
            file = new_folder("configuration") / "muster.toml"
            file.write_text(configuration)
            more = ["--config", file]
        super().__init__(
            ["serve", *more, "--data", self.data, "--north", north, "--south", south, "--admin", "127.0.0.1:0",
             "--ready-json"],
            {"MUSTER_ADMIN_PASSWORD": ADMIN_PASSWORD},
        )
        addresses = self._listening()
        self.north = addresses["north"]
        self.south = addresses["south"]
        self.admin = addresses["admin"]

    def _listening(self):
        """The line that says where it listens."""
        until = time.monotonic() + START_S_MAX
        while (left := until - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                raise AssertionError(f"the server ended at once with {self.end()}:\n{self.log.read_text()}")
            if line.startswith("{") and (event := json.loads(line)).get("event") == "listening":
                return event
        self.end()
        raise AssertionError(f"the server did not say where it listens within {START_S_MAX} s:\n{self.log.read_text()}")


def put_principal(data, role, tenant, digest):
    """Name and password of a caller whom the operator lets in; no server may be running on the folder."""
    name, password = new_name(role), new_name("password")
    arguments = ["principal", "--data", data, "put", name, "--role", role]
    arguments += ["--tenant", tenant] if tenant else []
    arguments += ["--digest"] if digest else []
    command = [str(BINARY), *map(str, arguments)]
    done = subprocess.run(command, input=f"{password}\n", capture_output=True, text=True, timeout=START_S_MAX)
    if done.returncode:
        raise AssertionError(f"muster {' '.join(map(str, arguments))} failed: {done.stderr}")
    return name, password


def principal(role, tenant=None, digest=False):
    """Name and password of the caller of this kind on the shared server."""
    shared_server()
    return _principals[role, tenant, digest]


class Fleet(Process):
    """`muster sim` with these devices; each connects every POLL_MS until the fleet ends."""

    def __init__(self, server, devices):
        file = new_folder("fleet") / "fleet.json"
        file.write_text(json.dumps(fleet_document(devices), indent=1))
        super().__init__(["sim", "--server", f"{server.south}/dm", "--fleet", file])


@dataclasses.dataclass
class Device:
    """A device and the account by which it and the server know each other."""

    device_id: str
    phone_number: str
    client_name: str
    client_secret: str = "device secret"
    server_name: str = "muster"
    server_secret: str = "server secret"
    auth: str = "MD5"
    encoding: str = "xml"
    behaviour: list = dataclasses.field(default_factory=list)

    def record(self, **more):
        """The device record an External System makes for it."""
        account = {
            "authType": {"MD5": "DIGEST", "BASIC": "BASIC"}[self.auth],
            "clientName": self.client_name,
            "clientSecret": self.client_secret,
            "serverName": self.server_name,
            "serverSecret": self.server_secret,
        }
        return {"deviceID": self.device_id, "phoneNumber": self.phone_number, "dmAccount": account, **more}


def fleet_document(devices):
    """The fleet file, as `muster sim --fleet` reads it."""
    fields = ["device_id", "client_name", "client_secret", "server_name", "server_secret", "auth", "encoding"]
    entries = []
    for device in devices:
        entry = {field: getattr(device, field) for field in fields}
        entry["behaviour"] = device.behaviour or "well_behaved"
        entries.append(entry)
    return {"devices": entries, "poll_ms": POLL_MS}


def new_device(**more):
    """A device nobody has used before: its own IMEI, MSISDN and account."""
    number = next(_numbers)
    return Device(
        device_id=new_imei(number=number),
        phone_number=f"+1555{number:07}",
        client_name=f"client-{number}",
        **more,
    )


def new_imei(tac="49015420", number=None):
    """A valid IMEI of this type allocation code, as the server returns it."""
    number = next(_numbers) if number is None else number
    digits = f"{tac}{number:06}"
    return f"IMEI:{digits}{check_digit(digits)}"


def check_digit(digits):
    """The Luhn digit that makes 14 digits an IMEI."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (2 if place % 2 == 0 else 1)
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


def new_name(word):
    """A name nobody has used before."""
    return f"{word}-{next(_numbers)}"


def new_folder(word):
    folder = _folder / f"{next(_numbers):03}-{word}"
    folder.mkdir()
    return folder


def shared_server():
    """One server for all suites that do not need an empty one; a start that failed is not tried again."""
    if "error" in _shared:
        raise AssertionError(_shared["error"])
    if "server" not in _shared:
        try:
            data = new_folder("data")
            _principals.update({kind: put_principal(data, *kind) for kind in PRINCIPALS})
            _shared["server"] = Server(data)
        except Exception as error:
            print(error)
            _shared["error"] = "no server: the one all suites share did not start"
            raise AssertionError(_shared["error"]) from error
    return _shared["server"]


def wait_until(what, check, seconds_max=60):
    """Asks again and again until `check` gives something true; returns that."""
    until = time.monotonic() + seconds_max
    while not (seen := check()):
        if time.monotonic() > until:
            raise AssertionError(f"not within {seconds_max} s: {what}")
        time.sleep(0.05)
    return seen


def end_all():
    for process in reversed(list(_processes)):
        process.end()


def errors_logged():
    """What servers logged as errors. Nothing a caller or a device does may be one."""
    logs = sorted(_folder.glob("*-serve.log"))
    return [f"{log.name}: {line}" for log in logs
            for line in log.read_text(errors="replace").splitlines() if " ERROR " in line or "panicked" in line]


def log_tail(lines=40):
    """The last lines of each log that has any."""
    parts = []
    for log in sorted(_folder.glob("*.log")):
        text = log.read_text(errors="replace").splitlines()
        if text:
            parts.append(f"\n{'-' * 30} end of {log.name}\n" + "\n".join(text[-lines:]))
    return "".join(parts)


def clean_up(keep):
    if keep:
        print(f"\nlogs and data are kept in {_folder}")
    else:
        shutil.rmtree(_folder, ignore_errors=True)


atexit.register(end_all)
