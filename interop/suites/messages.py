"""Messages as no toolkit would send them: what is refused, with which fault, and what is still understood."""

import base64
import http.client
import urllib.parse

from lxml import etree

import harness
import wsi

XSI = "http://www.w3.org/2001/XMLSchema-instance"

BILLION_LAUGHS = "<!DOCTYPE l [<!ENTITY a 'ha'>" + "".join(
    f"<!ENTITY {name} '{f'&{before};' * 10}'>" for before, name in zip("abcdefgh", "bcdefghi")
) + "]>"


class Messages(wsi.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device = harness.new_device()
        cls.system.createDeviceInstance(deviceInstance=cls.device.record())

    def send(self, body, **more):
        return wsi.post(self.server, wsi.envelope(body, self.version, **{
            key: more.pop(key) for key in ["header", "before"] if key in more
        }), self.version, **more)

    def refused(self, body, name, **more):
        reply = self.send(body, **more)
        self.assert_raw_fault(reply, name)
        for inside in ["panicked", ".rs:", "sqlite", "src/"]:
            self.assertNotIn(inside, reply.octets.decode().lower())
        return reply.fault

    def service_info(self, inside=""):
        return f"<m:getServiceInfo>{self.session_element()}{inside}</m:getServiceInfo>"

    def operation(self, **changes):
        """doOperation as text; a change is the new text of a parameter, or None to leave it out."""
        parameters = {
            "userSession": self.session_element(),
            "operation": "<m:operation>QUERY</m:operation>",
            "bOptin": "<m:bOptin>false</m:bOptin>",
            "acceptDevicePolicy": "<m:acceptDevicePolicy>20</m:acceptDevicePolicy>",
            "testCycle": "<m:testCycle>true</m:testCycle>",
            "deviceID": f"<m:deviceID>{self.device.device_id}</m:deviceID>",
            **changes,
        }
        return f"<m:doOperation>{''.join(text for text in parameters.values() if text)}</m:doOperation>"

    def accepted(self, body, **more):
        child = self.send(body, **more).child
        self.assertNotEqual(etree.QName(child).localname, "Fault", etree.tostring(child))
        return child

    # Not XML, or not an envelope.

    def test_octets_that_are_no_xml_are_malformed(self):
        whole = wsi.envelope(self.service_info(), self.version)
        for octets in [b"", b"hello", b"{}", whole[:-20], whole.replace(b"</m:getServiceInfo>", b"</m:other>"),
                       whole.replace(b"xmlns:m=", b"xmlns:n="), whole + b"<more/>", b"\x00" + whole,
                       whole.replace(b"<m:sessionId>", b"<m:sessionId>\xff\xfe")]:
            with self.subTest(octets=octets[-60:]):
                reply = wsi.post(self.server, octets, self.version)
                self.assert_raw_fault(reply, "MalformedMessage")

    def test_encoding_is_that_of_the_media_type_and_only_then_that_of_the_document(self):
        media_type = "text/xml" if self.version == "1.1" else "application/soap+xml"
        plain, utf_8, utf_7 = media_type, f"{media_type}; charset=utf-8", f"{media_type}; charset=utf-7"
        whole = wsi.envelope(self.service_info(), self.version)
        mislabelled = whole.replace(b"UTF-8", b"UTF-7")
        wide = whole.decode().replace("UTF-8", "UTF-16").encode("utf-16")
        for content_type, octets, is_read in [
            (plain, whole, True), (plain, wide, True), (plain, mislabelled, False),
            (utf_8, mislabelled, True), (utf_8, wide, False), (utf_7, whole, False),
            (f"{media_type}; charset=utf-16", wide, True),
        ]:
            with self.subTest(content_type=content_type, octets=octets[:60]):
                reply = wsi.post(self.server, octets, self.version, headers={"Content-Type": content_type})
                if is_read:
                    self.assertEqual(etree.QName(reply.child).localname, "getServiceInfoResponse")
                else:
                    self.assert_raw_fault(reply, "MalformedMessage")

    def test_document_type_declaration_is_malformed(self):
        for before in ["<!DOCTYPE x>", '<!DOCTYPE x SYSTEM "file:///etc/passwd">', BILLION_LAUGHS,
                       '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>']:
            with self.subTest(before=before[:40]):
                self.refused(self.service_info(), "MalformedMessage", before=before)

    def test_entity_nobody_declared_is_malformed(self):
        self.refused(self.operation(operation="<m:operation>&e;</m:operation>"), "MalformedMessage")

    def test_five_entities_of_xml_and_character_references_are_read(self):
        text = "<m:operation>&#81;UER&#x59;</m:operation>"
        self.accepted(self.operation(operation=text))
        fault = self.refused(self.operation(operation="<m:operation>&lt;&amp;&gt;&quot;&apos;</m:operation>"),
                             "UnknownOperation")
        self.assertIn("<&>\"'", fault.text + "".join(fault.variables))

    def test_body_has_exactly_one_child(self):
        for body in ["", "<m:getServiceInfo/>" * 2, "text"]:
            with self.subTest(body=body):
                self.refused(body, "MalformedMessage")

    def test_root_that_is_no_envelope_is_malformed(self):
        octets = f'<m:getServiceInfo xmlns:m="{wsi.NS}"/>'.encode()
        self.assert_raw_fault(wsi.post(self.server, octets, self.version), "MalformedMessage")

    def test_envelope_of_another_soap_is_a_version_mismatch(self):
        octets = b'<s:Envelope xmlns:s="urn:soap:9"><s:Body/></s:Envelope>'
        fault = wsi.post(self.server, octets, "1.1", in_schema=False).fault
        self.assertEqual((fault.code, fault.element), ("VersionMismatch", None))

    def test_header_that_must_be_understood_and_is_not(self):
        header = '<s:Header><x:y xmlns:x="urn:x" s:mustUnderstand="1"/></s:Header>'
        fault = self.send(self.service_info(), header=header).fault
        self.assertEqual((fault.code, fault.element), ("MustUnderstand", None))

    def test_header_nobody_knows_is_ignored(self):
        self.accepted(self.service_info(), header='<s:Header><x:y xmlns:x="urn:x"/></s:Header>')

    # Too much.

    def test_nesting_that_goes_too_deep_is_too_large(self):
        for depth in [1_000, 100_000]:
            with self.subTest(depth=depth):
                self.refused(self.service_info("<m:x>" * depth + "</m:x>" * depth), "RequestTooLarge")

    def test_too_many_attributes_namespaces_or_nodes_are_too_large(self):
        attributes = "".join(f' a{number}=""' for number in range(10_000))
        namespaces = "".join(f' xmlns:n{number}="urn:{number}"' for number in range(10_000))
        for inside in [f"<m:x{attributes}/>", f"<m:x{namespaces}/>", "<m:x/>" * 600_000]:
            with self.subTest(inside=inside[:20]):
                self.refused(self.service_info(inside), "RequestTooLarge")

    def test_request_that_says_it_is_too_large_is_refused_before_it_is_sent(self):
        address = urllib.parse.urlsplit(self.server.north)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=30)
        self.addCleanup(connection.close)
        connection.putrequest("POST", "/wsi")
        content_type = "text/xml" if self.version == "1.1" else "application/soap+xml"
        connection.putheader("Content-Type", f"{content_type}; charset=utf-8")
        connection.putheader("Content-Length", str(self.system.getServiceInfo().maxRequestBytes + 1))
        connection.endheaders()
        answer = connection.getresponse()
        # Nothing of the envelope has been seen, so the answer's version is that of the content type.
        reply = wsi.Reply(answer.status, answer.headers, answer.read(), self.version)
        self.assertEqual(reply.fault.name, "RequestTooLarge")

    # Not an operation.

    def test_body_element_that_is_no_operation_is_unknown(self):
        for body in ["<m:repaint/>", "<getServiceInfo/>", '<o:getServiceInfo xmlns:o="urn:muster:dmwsi:v2"/>',
                     "<m:getserviceinfo/>", "<m:getServiceInfoResponse/>"]:
            with self.subTest(body=body):
                headers = self.basic()
                self.refused(body, "UnknownMessage", headers=headers)

    def test_address_of_a_port_type_takes_only_its_operations(self):
        self.accepted(self.service_info(), path="/wsi/ISessionServices")
        self.refused(f"<m:getJobs>{self.session_element()}</m:getJobs>", "UnknownMessage", path="/wsi/ISessionServices")
        for name in ["IBulkOperationsManagerServices", "IBulkOperationManagerServices"]:
            self.accepted(f"<m:getJobs>{self.session_element()}</m:getJobs>", path=f"/wsi/{name}")

    def test_action_of_another_operation_is_refused_and_none_is_accepted(self):
        if self.version == "1.2":
            content_type = 'application/soap+xml; charset=utf-8; action="{}"'
            named = [{"Content-Type": content_type.format("urn:muster:dmwsi:v1:ISessionServices:logout")}]
            accepted = [{"Content-Type": content_type.format("urn:muster:dmwsi:v1:ISessionServices:getServiceInfo")},
                        {"Content-Type": content_type.format("")}]
        else:
            named = [{"SOAPAction": '"urn:muster:dmwsi:v1:ISessionServices:logout"'}]
            accepted = [{"SOAPAction": '"urn:muster:dmwsi:v1:ISessionServices:getServiceInfo"'},
                        {"SOAPAction": "urn:muster:dmwsi:v1:ISessionServices:getServiceInfo"},
                        {"SOAPAction": ""}]
        for headers in named:
            self.refused(self.service_info(), "InvalidArgument", headers=headers)
        for headers in accepted:
            self.accepted(self.service_info(), headers=headers)

    def test_older_spelling_of_an_operation_is_answered_in_its_own_spelling(self):
        task = self.system.operate(self.device, "QUERY", testCycle=True)
        body = f"<m:getTaskByID>{self.session_element()}<m:taskId>{task}</m:taskId></m:getTaskByID>"
        reply = wsi.post(self.server, wsi.envelope(body, self.version), self.version, in_schema=False)
        self.assertEqual(reply.child.tag, f"{{{wsi.NS}}}getTaskByIDResponse")
        self.assertEqual(reply.child.findtext(f".//{{{wsi.NS}}}taskId"), task)

    # Parameters.

    def test_missing_parameter_is_named(self):
        for name in ["operation", "bOptin", "acceptDevicePolicy", "testCycle"]:
            with self.subTest(name=name):
                fault = self.refused(self.operation(**{name: None}), "MissingArgument")
                self.assertIn(name, fault.variables)

    def test_parameter_given_twice_is_refused(self):
        twice = "<m:testCycle>true</m:testCycle>" * 2
        fault = self.refused(self.operation(testCycle=twice), "InvalidArgument")
        self.assertEqual(fault.variables[0], "testCycle")

    def test_parameter_nobody_knows_is_refused(self):
        foreign = '<o:testCycle xmlns:o="urn:o">true</o:testCycle>'
        for extra in ["<m:colour>blue</m:colour>", "<m:devicePolicy/>", foreign]:
            with self.subTest(extra=extra):
                self.refused(self.operation(extra=extra), "InvalidArgument")

    def test_value_of_the_wrong_type_is_refused_with_its_parameter(self):
        wrong = {
            "bOptin": ["maybe", "", "TRUE", "2"],
            "acceptDevicePolicy": ["15", "0", "-10", "twenty", "20.0", "99999999999999999999"],
            "testCycle": ["no"],
            "deviceID": ["x" * 256],
            "phoneNumber": ["12ab", "+", "1234", "1234567890123456"],
        }
        for name, values in wrong.items():
            for value in values:
                with self.subTest(name=name, value=value):
                    body = self.operation(**{name: f"<m:{name}>{value}</m:{name}>"})
                    fault = self.refused(body, "InvalidArgument")
                    self.assertEqual(fault.variables[0], name)

    def test_time_that_is_none_is_refused(self):
        for value in ["yesterday", "2026-02-30T00:00:00Z", "2026-01-01", "", "2026-01-01T25:00:00Z"]:
            with self.subTest(value=value):
                body = (f"<m:getJobsByDate>{self.session_element()}<m:fromDate>{value}</m:fromDate>"
                        "<m:toDate>2026-01-02T00:00:00Z</m:toDate></m:getJobsByDate>")
                self.refused(body, "InvalidArgument")

    def test_time_without_a_zone_is_read_as_utc(self):
        body = (f"<m:getJobsByDate>{self.session_element()}<m:fromDate>2001-01-01T00:00:00</m:fromDate>"
                "<m:toDate>2001-01-01T00:00:00+01:00</m:toDate></m:getJobsByDate>")
        # Midnight with an offset of one hour is 23:00 UTC of the day before.
        self.refused(body, "ConflictingArguments")
        self.accepted(body.replace("+01:00", "-01:00"))

    def test_spellings_of_a_boolean_and_white_space_around_it_are_read(self):
        for value in ["true", "1", " true ", "\n1\n"]:
            with self.subTest(value=value):
                self.accepted(self.operation(testCycle=f"<m:testCycle>{value}</m:testCycle>"))

    def test_parameters_are_read_in_any_order_and_without_a_namespace(self):
        body = self.operation(userSession=None, last=self.session_element())
        self.accepted(body)
        self.accepted(body.replace("<m:bOptin>", "<bOptin>").replace("</m:bOptin>", "</bOptin>"))

    def test_types_and_nil_of_an_instance_are_understood(self):
        nil = f'<m:requestId xmlns:xsi="{XSI}" xsi:nil="true"/>'
        namespaces = f'xmlns:xsi="{XSI}" xmlns:x="http://www.w3.org/2001/XMLSchema"'
        typed = f'<m:bOptin {namespaces} xsi:type="x:boolean">0</m:bOptin>'
        self.accepted(self.operation(bOptin=typed, requestId=nil))

    def test_empty_bulk_calls_lack_their_entries(self):
        bodies = {
            "importDeviceInstances": "<m:updateExisting>true</m:updateExisting>",
            "doBulkOperation": "",
            "createDeployments": "",
        }
        for operation, inside in bodies.items():
            with self.subTest(operation=operation):
                self.refused(f"<m:{operation}>{self.session_element()}{inside}</m:{operation}>", "MissingArgument")

    def test_session_that_is_none_is_refused(self):
        body = self.service_info().replace(self.system.user_session.sessionId, "x")
        fault = self.send(body).fault
        self.assertIn(fault.name, ["SessionExpired", "NotAuthenticated"])

    def test_password_is_never_repeated_in_a_fault(self):
        body = "<m:login><m:userName>x</m:userName><m:password>hunter2</m:password><m:colour/></m:login>"
        reply = self.send(body)
        self.assertNotIn(b"hunter2", reply.octets)
        body = "<m:login><m:userName>x</m:userName><m:password><m:hunter2/></m:password></m:login>"
        self.assertEqual(self.send(body).fault.name, "InvalidArgument")

    def basic(self):
        pair = f"{harness.ADMIN_NAME}:{harness.ADMIN_PASSWORD}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class MessagesSoap12(Messages):
    version = "1.2"
