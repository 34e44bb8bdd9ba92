"""The External System: zeep clients, raw requests, and what answers and faults must look like.

Every answer, of zeep or raw, is checked against the schema that the server itself serves.
"""

import contextlib
import dataclasses
import functools
import unittest
import urllib.error
import urllib.request

import requests
import zeep
from lxml import etree
from zeep.transports import Transport
from zeep.wsse.username import UsernameToken

import harness

NS = "urn:muster:dmwsi:v1"
ENVELOPE = {"1.1": "http://schemas.xmlsoap.org/soap/envelope/", "1.2": "http://www.w3.org/2003/05/soap-envelope"}
WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"

PORT_TYPES = [
    "ISessionServices",
    "IDeploymentBrokerServices",
    "IBulkOperationsManagerServices",
    "IDeviceManagerServices",
    "IEventServices",
    "IContentServices",
    "ISubscriberServices",
    "ITunnelServices",
    "IAdministrationServices",
]

MESSAGE_IDS = {
    "InvalidArgument": "DMS0001",
    "MissingArgument": "DMS0002",
    "ConflictingArguments": "DMS0003",
    "UnknownOperation": "DMS0004",
    "UnsupportedOperation": "DMS0005",
    "UnsupportedPolicy": "DMS0006",
    "InvalidPageToken": "DMS0007",
    "TooManyEntries": "DMS0008",
    "MalformedMessage": "DMS0009",
    "UnknownMessage": "DMS0010",
    "UnknownTask": "DMS0101",
    "UnknownJob": "DMS0102",
    "UnknownDevice": "DMS0103",
    "UnknownCapability": "DMS0104",
    "UnknownSubscriber": "DMS0105",
    "UnknownPackage": "DMS0106",
    "UnknownTenant": "DMS0112",
    "UnknownPrincipal": "DMS0113",
    "UnknownRole": "DMS0114",
    "UnknownApproval": "DMS0115",
    "UnknownCredential": "DMS0119",
    "AlreadyExists": "DMS0201",
    "OutdatedVersion": "DMS0202",
    "WrongState": "DMS0203",
    "InUse": "DMS0204",
    "RequestIdReused": "DMS0205",
    "DeviceMismatch": "DMS0206",
    "AmbiguousDevice": "DMS0210",
    "UnknownCallbackAddress": "DMS0118",
    "CallbackRefused": "DMS0301",
    "NotImplemented": "DMS0903",
    "NotAuthenticated": "DMP0001",
    "SessionExpired": "DMP0002",
    "NotAuthorized": "DMP0003",
    "QuotaExceeded": "DMP0005",
    "DeviceSuspended": "DMP0007",
    "RequestTooLarge": "DMP0008",
    "LockedOut": "DMP0009",
}

FINAL = {"SUCCEEDED", "FAILED", "REJECTED", "CANCELLED", "EXPIRED"}
FINAL_JOB = {"COMPLETED", "CANCELLED", "STOPPED"}


@dataclasses.dataclass
class SeenFault:
    """The one child of a fault's detail, and what is around it."""

    code: str
    subcode: str | None
    reason: str
    element: str | None = None
    messageId: str | None = None
    name: str | None = None
    text: str | None = None
    variables: list = dataclasses.field(default_factory=list)
    retryAfterSeconds: int | None = None
    correlationId: str | None = None


@functools.cache
def schema(north):
    """The schema as served. lxml has its own idea of XML Schema, which is a test of the schema too."""
    with urllib.request.urlopen(f"{north}/wsi?xsd=dmwsi.xsd", timeout=10) as answer:
        return etree.XMLSchema(etree.fromstring(answer.read()))


def children_of_body(root, version):
    return list(root.find(f"{{{ENVELOPE[version]}}}Body"))


def assert_valid(north, octets, version):
    """The child of the body, or the fault's detail, is as the schema says."""
    root = etree.fromstring(octets)
    (child,) = children_of_body(root, version)
    if etree.QName(child).localname == "Fault":
        children = detail_of(child, version)
    else:
        children = [child]
    for one in children:
        schema(north).assertValid(etree.fromstring(etree.tostring(one)))


def detail_of(fault, version):
    detail = fault.find("detail" if version == "1.1" else f"{{{ENVELOPE['1.2']}}}Detail")
    return [] if detail is None else [child for child in detail if isinstance(child.tag, str)]


def read_fault(fault, version):
    """Reads a Fault element of either version."""
    if version == "1.1":
        seen = SeenFault(local(fault.findtext("faultcode")), None, fault.findtext("faultstring"))
    else:
        soap = {"s": ENVELOPE["1.2"]}
        seen = SeenFault(
            local(fault.findtext("s:Code/s:Value", namespaces=soap)),
            local(fault.findtext("s:Code/s:Subcode/s:Value", namespaces=soap)),
            fault.findtext("s:Reason/s:Text", namespaces=soap),
        )
    children = detail_of(fault, version)
    if children:
        (child,) = children
        seen.element = etree.QName(child).localname
        field = {"q": NS}
        for name in ["messageId", "name", "text", "correlationId"]:
            setattr(seen, name, child.findtext(f"q:{name}", namespaces=field))
        seen.variables = [variable.text or "" for variable in child.findall("q:variable", namespaces=field)]
        retry = child.findtext("q:retryAfterSeconds", namespaces=field)
        seen.retryAfterSeconds = None if retry is None else int(retry)
    return seen


def local(qname):
    return None if qname is None else qname.strip().rpartition(":")[2]


class ExternalSystem:
    """One caller: zeep on the served WSDL, a session, and the last HTTP answer."""

    def __init__(self, server, version="1.1", wsse=None, basic=None):
        self.server = server
        self.version = version
        self.user_session = None
        self.last = None
        session = requests.Session()
        session.trust_env = False
        session.hooks["response"].append(self._seen)
        transport = Transport(session=session, timeout=30, operation_timeout=60)
        wsdl = f"{server.north}/wsi?{'wsdl' if version == '1.1' else 'wsdl12'}"
        self.client = zeep.Client(wsdl, transport=transport, wsse=wsse, settings=zeep.Settings(strict=True))
        # Only now, so that the WSDL is read as by anyone.
        session.auth = basic
        self.ports = {
            operation: self.client.bind("DeviceManagementWebServices", f"{port_type}Port")
            for port_type in PORT_TYPES
            for operation in self.operations_of(port_type)
        }

    def operations_of(self, port_type):
        """Names of the operations of a port type, as the WSDL has them."""
        return self.client.wsdl.services["DeviceManagementWebServices"].ports[f"{port_type}Port"].binding._operations

    def _seen(self, response, **_):
        if response.request.method == "POST":
            self.last = response
            assert_valid(self.server.north, response.content, self.version)

    def login(self, name=harness.ADMIN_NAME, password=harness.ADMIN_PASSWORD):
        self.user_session = self.ports["login"].login(userName=name, password=password)
        return self

    def __getattr__(self, operation):
        """Each operation of the contract is a method; userSession is given once there is one."""
        ports = self.__dict__.get("ports", {})
        if operation not in ports:
            raise AttributeError(operation)
        call = getattr(ports[operation], operation)

        def with_session(**parameters):
            if self.user_session is not None and operation != "login":
                parameters.setdefault("userSession", {"sessionId": self.user_session.sessionId})
            return call(**parameters)

        return with_session

    def operate(self, device, operation, paths=(), *, options=(), policy=20, **more):
        """doOperation on a simulated device. `paths`: path, or (path, value) or (path, value, format)."""
        arguments = {}
        if paths:
            arguments["parameter"] = [parameter(path) for path in paths]
        if options:
            arguments["option"] = [{"name": name, "value": value} for name, value in dict(options).items()]
        if arguments:
            more["arguments"] = arguments
        more.setdefault("deviceID", device.device_id)
        more.setdefault("bOptin", False)
        more.setdefault("testCycle", False)
        return self.doOperation(operation=operation, acceptDevicePolicy=policy, **more)

    def final_task(self, task_id, seconds_max=60):
        """The task once it is final."""
        def ended():
            task = self.getTaskById(taskId=task_id)
            return task if task.status in FINAL else None
        return harness.wait_until(f"task {task_id} is final", ended, seconds_max)

    def final_job(self, job_id, seconds_max=60):
        """The job once it is final."""
        def ended():
            job = self.getJobById(jobId=job_id)
            return job if job.status in FINAL_JOB else None
        return harness.wait_until(f"job {job_id} is final", ended, seconds_max)

    def pages(self, operation, entries, page_size, **filters):
        """Every page of a list, by the token of the page before."""
        token = None
        for _ in range(1000):
            page = {"pageSize": page_size}
            if token is not None:
                page["pageToken"] = token
            answer = getattr(self, operation)(page=page, **filters)
            yield getattr(answer, entries), answer.totalCount
            token = answer.nextPageToken
            if token is None:
                return
        raise AssertionError(f"{operation} does not come to an end")


def parameter(path):
    if isinstance(path, str):
        return {"path": path}
    return dict(zip(["path", "value", "format"], path))


def results(task):
    """The values a task brought back, by path."""
    return {node.path: node.value for node in task.result}


def username_token(name=harness.ADMIN_NAME, password=harness.ADMIN_PASSWORD, use_digest=False):
    return UsernameToken(name, password, use_digest=use_digest)


@dataclasses.dataclass
class Reply:
    """The answer to a raw request."""

    status: int
    headers: dict
    octets: bytes
    version: str

    @property
    def child(self):
        (child,) = children_of_body(etree.fromstring(self.octets), self.version)
        return child

    @property
    def fault(self):
        child = self.child
        assert etree.QName(child).localname == "Fault", f"no fault but {self.octets.decode()}"
        return read_fault(child, self.version)


def post(server, octets, version="1.1", path="/wsi", headers=None, in_schema=True):
    """Sends octets as they are. With `in_schema` false the answer is one that the schema does not name."""
    content_type = "text/xml" if version == "1.1" else "application/soap+xml"
    all_headers = {"Content-Type": f"{content_type}; charset=utf-8", **(headers or {})}
    if version == "1.1":
        all_headers.setdefault("SOAPAction", '""')
    request = urllib.request.Request(f"{server.north}{path}", octets, all_headers, method="POST")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            reply = Reply(answer.status, answer.headers, answer.read(), version)
    except urllib.error.HTTPError as answer:
        with answer:
            reply = Reply(answer.code, answer.headers, answer.read(), version)
    if in_schema and reply.status != 202:
        assert_valid(server.north, reply.octets, version)
    return reply


def envelope(body, version="1.1", header="", before=""):
    """An envelope around XML text; `m` is the contract's prefix."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}'
        f'<s:Envelope xmlns:s="{ENVELOPE[version]}" xmlns:m="{NS}">{header}<s:Body>{body}</s:Body></s:Envelope>'
    ).encode()


class Case(unittest.TestCase):
    """A test of one caller who has logged in to the server that all share."""

    version = "1.1"

    @classmethod
    def setUpClass(cls):
        cls.server = harness.shared_server()
        cls.system = ExternalSystem(cls.server, cls.version).login()

    @contextlib.contextmanager
    def fault(self, name):
        """What happens inside ends in this fault; the caller gets what was seen of it."""
        seen = SeenFault("", None, "")
        try:
            yield seen
        except zeep.exceptions.Fault as error:
            (child,) = children_of_body(etree.fromstring(self.system.last.content), self.version)
            vars(seen).update(vars(read_fault(child, self.version)))
            self.assert_fault(seen, self.system.last.status_code, name, self.version, context=error.message)
        else:
            self.fail(f"no fault, where {name} was expected")

    def assert_fault(self, seen, status, name, version, context=""):
        """Code, name, kind of exception, SOAP code and HTTP status belong together."""
        self.assertEqual(seen.name, name, f"{seen} {context}")
        self.assertEqual(seen.messageId, MESSAGE_IDS[name])
        is_policy = seen.messageId.startswith("DMP")
        is_servers = seen.messageId.startswith("DMS09")
        self.assertEqual(seen.element, "PolicyException" if is_policy else "ServiceException")
        self.assertEqual(seen.reason, seen.text)
        self.assertTrue(seen.text)
        self.assertTrue(seen.correlationId)
        if version == "1.1":
            self.assertEqual(seen.code, "Server" if is_servers else "Client")
            self.assertEqual(status, 500)
        else:
            self.assertEqual(seen.code, "Receiver" if is_servers else "Sender")
            self.assertEqual(seen.subcode, name)
            self.assertEqual(status, 500 if is_servers else 400)

    def assert_raw_fault(self, reply, name):
        self.assert_fault(reply.fault, reply.status, name, reply.version)

    def caller(self, role, **more):
        """Another External System, logged in."""
        return ExternalSystem(self.server, self.version).login(*harness.principal(role, **more))

    def refused_to(self, system, call, name):
        """`call` of another caller ends in this fault."""
        with self.assertRaises(zeep.exceptions.Fault):
            call()
        seen = read_fault(Reply(0, {}, system.last.content, self.version).child, self.version)
        self.assert_fault(seen, system.last.status_code, name, self.version)
        return seen

    def enrol(self, *devices, **more):
        """Makes the records of these devices."""
        for device in devices:
            self.system.createDeviceInstance(deviceInstance=device.record(**more))

    def fleet(self, *devices):
        """Enrols these devices and switches them on until the test ends."""
        self.enrol(*devices)
        fleet = harness.Fleet(self.server, devices)
        self.addCleanup(fleet.end)
        return devices

    def session_element(self):
        """userSession for raw requests."""
        return f"<m:userSession><m:sessionId>{self.system.user_session.sessionId}</m:sessionId></m:userSession>"
