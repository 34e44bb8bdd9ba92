"""Callbacks to a receiver that another program serves; every message is checked against schema and description."""

import datetime
import hashlib
import hmac
import http.server
import json
import pathlib
import queue
import threading

from lxml import etree

import harness
import wsi

DESCRIPTION = pathlib.Path(__file__).parents[2] / "docs" / "api" / "dmwsi-notification.wsdl"
WSA = "http://www.w3.org/2005/08/addressing"
WSDL = {"wsdl": "http://schemas.xmlsoap.org/wsdl/", "soap": "http://schemas.xmlsoap.org/wsdl/soap/",
        "wsam": "http://www.w3.org/2007/05/addressing/metadata"}
PATIENCE_S = 30


class Receiver:
    """Serves INotificationConsumer, or takes webhooks, on the loopback."""

    def __init__(self):
        self.messages = queue.Queue()
        # How many events of the next messages to take; all where nothing is said.
        self.takes = queue.Queue()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.messages.put((self.path, dict(self.headers.items()), body))
                answer, content_type = receiver.answer(self.headers["Content-Type"], body)
                self.send_response(200)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, content_type, body):
        is_json = content_type.startswith("application/json")
        count = len(json.loads(body)) if is_json else len(events(etree.fromstring(body)))
        try:
            count = self.takes.get_nowait()
        except queue.Empty:
            pass
        if is_json:
            return json.dumps({"acceptedCount": count}).encode(), "application/json"
        version = "1.1" if content_type.startswith("text/xml") else "1.2"
        text = (f'<e:Envelope xmlns:e="{wsi.ENVELOPE[version]}"><e:Body><n:notifyEventsResponse xmlns:n="{wsi.NS}">'
                f"<n:ack><n:acceptedCount>{count}</n:acceptedCount></n:ack></n:notifyEventsResponse></e:Body></e:Envelope>")
        return text.encode(), content_type.split(";")[0] + "; charset=utf-8"

    def next(self):
        return self.messages.get(timeout=PATIENCE_S)

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def events(root):
    return root.findall(f".//{{{wsi.NS}}}event")


def text(element, name):
    return element.findtext(f"{{{wsi.NS}}}{name}")


class Callbacks(wsi.Case):
    @classmethod
    def setUpClass(cls):
        # Of its own, since the shared one takes no receiver without TLS.
        cls.server = harness.Server(configuration="[callbacks]\nplain_http = true\n")
        cls.addClassCleanup(cls.server.end)
        cls.system = wsi.ExternalSystem(cls.server, cls.version).login()

    def setUp(self):
        super().setUp()
        self.receiver = Receiver()
        self.addCleanup(self.receiver.end)

    def allow(self, path, **more):
        address = {"address": self.receiver.url + path, "allowPrivate": True, **more}
        return self.system.createCallbackAddress(callbackAddress=address)

    def known_device(self):
        device = harness.new_device()
        self.system.createDeviceInstance(deviceInstance=device.record())
        return device

    def happen(self, device, path, **more):
        return self.system.doOperation(
            operation="QUERY", deviceID=device.device_id, bOptin=False, acceptDevicePolicy=30, testCycle=True,
            callback={"address": self.receiver.url + path, **more})

    def test_a_message_is_what_schema_and_description_say_in_either_soap(self):
        binding = etree.parse(DESCRIPTION)
        action = binding.xpath("//soap:operation/@soapAction", namespaces=WSDL)[0]
        self.allow("/soap", kind="SOAP")
        device = self.known_device()
        for version in ["1.1", "1.2"]:
            with self.subTest(version=version):
                task = self.happen(device, f"/soap/{version}", reference="<&>", soapVersion=version)
                path, headers, body = self.receiver.next()
                self.assertEqual(path, f"/soap/{version}")
                if version == "1.1":
                    self.assertEqual(headers["soapaction"], f'"{action}"')
                else:
                    self.assertIn(f'action="{action}"', headers["content-type"])
                wsi.assert_valid(self.server.north, body, version)
                root = etree.fromstring(body)
                header = root.find(f"{{{wsi.ENVELOPE[version]}}}Header")
                self.assertEqual(header.findtext(f"{{{WSA}}}Action"), action)
                self.assertEqual(header.findtext(f"{{{WSA}}}To"), self.receiver.url + path)
                self.assertTrue(header.findtext(f"{{{WSA}}}MessageID").startswith("urn:uuid:"))
                # zeep gives each request a MessageID.
                self.assertEqual(len(header.findall(f"{{{WSA}}}RelatesTo")), 1)
                event, = events(root)
                self.assertEqual(
                    [text(event, name) for name in ["eventType", "status", "taskId", "reference", "deviceID"]],
                    ["TASK_STATUS", "SUCCEEDED", task, "<&>", device.device_id])

    def test_events_come_in_order_and_again_until_they_are_taken(self):
        self.allow("/order", kind="SOAP")
        device = self.known_device()
        for _ in range(2):
            self.receiver.takes.put(0)
        tasks = [self.happen(device, "/order") for _ in range(5)]
        seen, order = set(), []
        while len(order) < len(tasks):
            _, _, body = self.receiver.next()
            wsi.assert_valid(self.server.north, body, "1.1")
            for event in events(etree.fromstring(body)):
                if text(event, "eventId") not in seen:
                    seen.add(text(event, "eventId"))
                    order.append(text(event, "taskId"))
        self.assertEqual(order, tasks)

    def test_a_webhook_is_signed_over_what_was_sent(self):
        stored = self.allow("/web", kind="WEBHOOK")
        device = self.known_device()
        task = self.happen(device, "/web/hook")
        _, headers, body = self.receiver.next()
        headers = {name.lower(): value for name, value in headers.items()}
        signed = headers["muster-timestamp"].encode() + b"." + body
        expected = hmac.new(stored.secret.encode(), signed, hashlib.sha256).hexdigest()
        self.assertEqual(headers["muster-signature"], f"v1={expected}")
        age = datetime.datetime.now().timestamp() - int(headers["muster-timestamp"])
        self.assertTrue(-5 < age < 60, age)
        event, = json.loads(body)
        self.assertEqual((event["taskId"], event["status"]), (task, "SUCCEEDED"))

    def test_an_address_that_is_not_allowed_is_refused_and_nothing_is_made(self):
        self.allow("/allowed", kind="SOAP")
        device = self.known_device()
        for address in [self.receiver.url + "/other", "http://169.254.169.254/", "https://2130706433/allowed", "x"]:
            with self.subTest(address=address):
                with self.fault("CallbackRefused"):
                    self.system.doOperation(
                        operation="QUERY", deviceID=device.device_id, bOptin=False, acceptDevicePolicy=30,
                        testCycle=True, callback={"address": address})
        self.assertEqual(self.system.getTasks(deviceID=device.device_id).totalCount, 0)
        self.assertTrue(self.receiver.messages.empty())
