"""WS-Addressing: what a toolkit that adds it gets back, and where an answer may be sent."""

from lxml import etree

import wsi

WSA = "http://www.w3.org/2005/08/addressing"


class Addressing(wsi.Case):
    def headers(self, action="getServiceInfo", **more):
        """A header block of our own. Values are addresses, or None to leave an element out."""
        parts = {
            "To": f"{self.server.north}/wsi",
            "Action": f"{wsi.NS}:ISessionServices:{action}",
            "MessageID": "urn:uuid:6f1d8a52-0000-4000-8000-000000000001",
            **more,
        }
        inside = "".join(
            f"<a:{name}><a:Address>{value}</a:Address></a:{name}>" if name in ["ReplyTo", "FaultTo", "From"]
            else f"<a:{name}>{value}</a:{name}>"
            for name, value in parts.items() if value is not None
        )
        return f'<s:Header xmlns:a="{WSA}">{inside}</s:Header>'

    def send(self, header, **more):
        body = f"<m:getServiceInfo>{self.session_element()}</m:getServiceInfo>"
        return wsi.post(self.server, wsi.envelope(body, self.version, header=header), self.version, **more)

    def answered(self, reply):
        root = etree.fromstring(reply.octets)
        self.assertEqual(etree.QName(reply.child).localname, "getServiceInfoResponse")
        return {name: root.findtext(f".//{{{WSA}}}{name}") for name in ["RelatesTo", "Action", "MessageID"]}

    def codes(self, reply):
        """Every code of a fault of addressing, which has no detail of ours."""
        self.assertIsNone(reply.fault.element)
        if self.version == "1.1":
            return [reply.fault.code]
        values = reply.child.iter(f"{{{wsi.ENVELOPE['1.2']}}}Value")
        return [wsi.local(value.text) for value in values]

    def test_toolkit_that_finds_actions_in_the_description_is_answered_with_addressing(self):
        self.system.getServiceInfo()
        asked, told = [etree.fromstring(octets) for octets in [self.system.last.request.body, self.system.last.content]]
        self.assertEqual(told.findtext(f".//{{{WSA}}}RelatesTo"), asked.findtext(f".//{{{WSA}}}MessageID"))
        self.assertEqual(told.findtext(f".//{{{WSA}}}Action"), f"{asked.findtext(f'.//{{{WSA}}}Action')}Response")

    def test_answer_relates_to_the_request_and_has_an_identifier_of_its_own(self):
        first, second = [self.answered(self.send(self.headers())) for _ in range(2)]
        self.assertEqual(first["RelatesTo"], "urn:uuid:6f1d8a52-0000-4000-8000-000000000001")
        self.assertEqual(first["Action"], f"{wsi.NS}:ISessionServices:getServiceInfoResponse")
        self.assertTrue(first["MessageID"])
        self.assertNotEqual(first["MessageID"], second["MessageID"])

    def test_anonymous_reply_address_is_this_connection(self):
        self.answered(self.send(self.headers(ReplyTo=f"{WSA}/anonymous", FaultTo=f"{WSA}/anonymous")))

    def test_none_as_reply_address_is_accepted_without_an_answer(self):
        reply = self.send(self.headers(ReplyTo=f"{WSA}/none"))
        self.assertEqual((reply.status, reply.octets), (202, b""))

    def test_reply_address_that_is_not_allowed_is_refused_on_this_connection(self):
        for name in ["ReplyTo", "FaultTo"]:
            with self.subTest(name=name):
                reply = self.send(self.headers(**{name: "http://127.0.0.1:9/steal"}))
                self.assertIn("OnlyAnonymousAddressSupported", self.codes(reply))

    def test_action_of_another_operation_is_not_supported(self):
        self.assertIn("ActionNotSupported", self.codes(self.send(self.headers(action="logout"))))

    def test_action_of_http_must_be_that_of_the_header(self):
        other = f"{wsi.NS}:ISessionServices:logout"
        if self.version == "1.1":
            headers = {"SOAPAction": f'"{other}"'}
        else:
            headers = {"Content-Type": f'application/soap+xml; charset=utf-8; action="{other}"'}
        self.assertIn("ActionMismatch", self.codes(self.send(self.headers(), headers=headers)))

    def test_header_given_twice_is_refused(self):
        twice = self.headers().replace("</s:Header>", "<a:MessageID>urn:uuid:2</a:MessageID></s:Header>")
        self.assertIn("InvalidCardinality", self.codes(self.send(twice)))

    def test_action_is_required_of_who_says_where_the_answer_goes_and_of_nobody_else(self):
        reply = self.send(self.headers(Action=None, ReplyTo=f"{WSA}/anonymous"))
        self.assertIn("MessageAddressingHeaderRequired", self.codes(reply))
        self.assertEqual(set(self.answered(self.send(self.headers(Action=None))).values()), {None})


class AddressingSoap12(Addressing):
    version = "1.2"
