"""What the contract names and this server does not do: told plainly, and with nothing left behind."""

import harness
import wsi

CALLBACK = {"address": "https://external-system.example/notify"}
PORT_TYPES = ["IEventServices", "IContentServices", "ITunnelServices"]


class NotOffered(wsi.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device = harness.new_device()
        cls.system.createDeviceInstance(deviceInstance=cls.device.record())

    def no_task_was_made(self):
        self.assertEqual(self.system.getTasks(deviceID=self.device.device_id).totalCount, 0)

    def entry(self, operation="QUERY", **more):
        return {
            "operation": operation, "bOptin": False, "acceptDevicePolicy": 20, "testCycle": False,
            "deviceID": self.device.device_id, **more,
        }

    def deployment(self, operation="QUERY", **more):
        entry = self.entry(operation, **more)
        return {"name": "refused", "devices": {"deviceID": [entry.pop("deviceID")]}, **entry}

    def test_every_operation_of_the_optional_port_types_is_not_implemented(self):
        for port_type in PORT_TYPES:
            operations = list(self.system.operations_of(port_type))
            self.assertGreaterEqual(len(operations), 5, port_type)
            for operation in operations:
                body = wsi.envelope(f"<m:{operation}>{self.session_element()}</m:{operation}>", self.version)
                for path in ["/wsi", f"/wsi/{port_type}"]:
                    with self.subTest(operation=operation, path=path):
                        reply = wsi.post(self.server, body, self.version, path=path)
                        self.assert_raw_fault(reply, "NotImplemented")
                        self.assertEqual(reply.fault.variables, [operation])

    def test_who_is_not_known_learns_nothing_about_what_is_offered(self):
        for port_type in PORT_TYPES:
            for operation in self.system.operations_of(port_type):
                with self.subTest(operation=operation):
                    reply = wsi.post(self.server, wsi.envelope(f"<m:{operation}/>", self.version), self.version)
                    self.assertEqual((reply.status, reply.fault.name), (401, "NotAuthenticated"))

    def test_toolkit_that_calls_one_of_them_reads_the_fault(self):
        calls = [
            lambda: self.system.getRegistrations(),
            lambda: self.system.getPackageById(packageId="p"),
            lambda: self.system.closeTunnel(tunnelId="t"),
        ]
        for call in calls:
            with self.fault("NotImplemented"):
                call()

    def test_bootstrap_is_not_supported_in_any_way_of_asking(self):
        common = {"phoneNumber": [self.device.phone_number], "bOptin": False, "acceptDevicePolicy": 20}
        for test_cycle in [False, True]:
            with self.fault("UnsupportedOperation"):
                self.system.doBootstrap(testCycle=test_cycle, **common)
            with self.fault("UnsupportedOperation"):
                self.system.operate(self.device, "BOOTSTRAP", testCycle=test_cycle)
        receipt = self.system.doBulkOperation(request=[self.entry("BOOTSTRAP")])
        self.assertEqual([entry.messageId for entry in receipt.rejected], ["DMS0005"])
        self.no_task_was_made()

    def test_older_spelling_of_do_bootstrap_is_known(self):
        body = (f"<m:doBoostrap>{self.session_element()}<m:phoneNumber>{self.device.phone_number}</m:phoneNumber>"
                "<m:bOptin>0</m:bOptin><m:acceptDevicePolicy>20</m:acceptDevicePolicy>"
                "<m:testCycle>0</m:testCycle></m:doBoostrap>")
        reply = wsi.post(self.server, wsi.envelope(body, self.version), self.version)
        self.assert_raw_fault(reply, "UnsupportedOperation")

    def test_package_is_unknown_because_there_are_none(self):
        arguments = {"packageId": harness.new_name("package")}
        with self.fault("UnknownPackage") as seen:
            self.system.operate(self.device, "UPDATE", arguments=arguments)
        self.assertIn(arguments["packageId"], seen.variables)
        receipt = self.system.doBulkOperation(request=[self.entry("UPDATE", arguments=arguments)])
        self.assertEqual([(entry.index, entry.messageId) for entry in receipt.rejected], [(0, "DMS0106")])
        receipt = self.system.createDeployments(deployment=[self.deployment("UPDATE", arguments=arguments)])
        self.assertEqual([(entry.index, entry.messageId) for entry in receipt.rejected], [(0, "DMS0106")])
        self.no_task_was_made()

    def test_callback_is_refused_while_no_address_is_allowed(self):
        with self.fault("CallbackRefused"):
            self.system.operate(self.device, "QUERY", callback=CALLBACK)
        with self.fault("CallbackRefused"):
            self.system.doBulkOperation(request=[self.entry()], callback=CALLBACK)
        with self.fault("CallbackRefused"):
            self.system.createDeployments(deployment=[self.deployment(callback=CALLBACK)])
        self.no_task_was_made()

    def test_service_information_does_not_promise_what_is_not_offered(self):
        self.assertEqual(self.system.getServiceInfo().feature, [])
        offered = {entry.operation for entry in self.system.getOperationDefinitions().operationDefinition}
        self.assertNotIn("BOOTSTRAP", offered)


class NotOfferedSoap12(NotOffered):
    version = "1.2"
