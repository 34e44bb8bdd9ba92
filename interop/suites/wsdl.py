"""The served WSDL and schema, as toolkits load them."""

import unittest
import urllib.error
import urllib.request

import zeep
from lxml import etree

import harness
import wsi

WSDL = "http://schemas.xmlsoap.org/wsdl/"


def get(server, path):
    with urllib.request.urlopen(f"{server.north}{path}", timeout=10) as answer:
        return answer.headers, answer.read()


class ServedWsdl(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = harness.shared_server()

    def test_both_soap_versions_load_strictly_and_offer_the_same_operations(self):
        offered = {}
        for version, query in [("1.1", "wsdl"), ("1.2", "wsdl12")]:
            client = zeep.Client(f"{self.server.north}/wsi?{query}", settings=zeep.Settings(strict=True))
            (service,) = client.wsdl.services.values()
            self.assertEqual(service.name, "DeviceManagementWebServices")
            self.assertEqual(list(service.ports), [f"{name}Port" for name in wsi.PORT_TYPES])
            offered[version] = [list(port.binding._operations) for port in service.ports.values()]
        self.assertEqual(offered["1.1"], offered["1.2"])
        self.assertEqual(offered["1.1"][0], ["login", "renewSession", "logout", "getServiceInfo"])

    def test_every_port_has_the_address_the_document_came_from(self):
        for query in ["wsdl", "wsdl12"]:
            client = zeep.Client(f"{self.server.north}/wsi?{query}")
            (service,) = client.wsdl.services.values()
            addresses = {port.binding_options["address"] for port in service.ports.values()}
            self.assertEqual(addresses, {f"{self.server.north}/wsi"})

    def test_one_port_type_can_be_had_alone(self):
        _, octets = get(self.server, "/wsi/IDeviceManagerServices?wsdl")
        root = etree.fromstring(octets)
        names = [port_type.get("name") for port_type in root.findall(f"{{{WSDL}}}portType")]
        self.assertEqual(names, ["IDeviceManagerServices"])

    def test_schema_is_served_as_xml_and_is_a_schema(self):
        headers, octets = get(self.server, "/wsi?xsd=dmwsi.xsd")
        self.assertIn("xml", headers["Content-Type"])
        self.assertIsNotNone(etree.XMLSchema(etree.fromstring(octets)))

    def test_description_is_had_in_every_spelling_of_the_query_and_by_head(self):
        _, octets = get(self.server, "/wsi?wsdl")
        for query in ["WSDL", "Wsdl", "singleWsdl"]:
            with self.subTest(query=query):
                headers, same = get(self.server, f"/wsi?{query}")
                self.assertIn("xml", headers["Content-Type"])
                self.assertEqual(etree.QName(etree.fromstring(same)).localname, "definitions")
        request = urllib.request.Request(f"{self.server.north}/wsi?wsdl", method="HEAD")
        with urllib.request.urlopen(request, timeout=10) as answer:
            self.assertEqual((answer.status, answer.read()), (200, b""))
            self.assertEqual(int(answer.headers["Content-Length"]), len(octets))

    def test_other_methods_and_addresses_are_refused_by_http(self):
        for method, path, statuses in [("PUT", "/wsi", [405]), ("DELETE", "/wsi", [405]), ("POST", "/wsi/INothing", [404]),
                                       ("GET", "/nothing", [404]), ("GET", "/wsi/INothing?wsdl", [404])]:
            with self.subTest(method=method, path=path), self.assertRaises(urllib.error.HTTPError) as refused:
                request = urllib.request.Request(f"{self.server.north}{path}", b"" if method != "GET" else None,
                                                 {"Content-Type": "text/xml"}, method=method)
                urllib.request.urlopen(request, timeout=10)
            self.assertIn(refused.exception.code, statuses)
            refused.exception.close()

    def test_no_other_file_is_served_in_place_of_the_schema(self):
        for name in ["../dmwsi.xsd", "..%2f..%2fetc%2fpasswd", "other.xsd"]:
            with self.subTest(name=name), self.assertRaises(urllib.error.HTTPError) as refused:
                get(self.server, f"/wsi?xsd={name}")
            self.assertIn(refused.exception.code, [400, 404])
            refused.exception.close()
