"""Management domains: what another domain has is unknown, not forbidden, and stays as it is."""

import datetime

import harness
import wsi

QUERY = {"operation": "QUERY", "bOptin": False, "acceptDevicePolicy": 20, "testCycle": False}


class Domains(wsi.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        system, cls.device = cls.system, harness.new_device()
        cls.maker = harness.new_name("Maker")
        cls.capability = system.createDeviceCapability(
            deviceCapability={"manufacturer": cls.maker, "model": "One", "tac": [cls.device.device_id[5:13]]}
        )
        cls.record = system.createDeviceInstance(deviceInstance=cls.device.record(
            manufacturer=cls.maker, deviceCapabilityOid=cls.capability.oid
        ))
        cls.task = system.operate(cls.device, "QUERY")
        (cls.job,) = system.createDeployments(deployment=[
            {"name": "ours", "devices": {"deviceID": [cls.device.device_id]}, **QUERY}
        ]).jobId
        # Tasks of a deployment are made in the background; from here on nothing of ours changes by itself.
        harness.wait_until("the job has its task", lambda: system.getTasks(jobId=cls.job).totalCount == 1)
        cls.other = wsi.ExternalSystem(cls.server, cls.version).login(
            *harness.principal("administrator", tenant="elsewhere")
        )

    def all_unknown(self, name, calls):
        """Each call, operation and parameters, ends in this fault and changes nothing."""
        before = self.state()
        for operation, parameters in calls:
            with self.subTest(operation=operation, parameters=parameters):
                self.refused_to(self.other, lambda: getattr(self.other, operation)(**parameters), name)
        self.assertEqual(self.state(), before)

    def state(self):
        """Our records, as we see them."""
        return [
            self.system.getDeviceInstanceByOid(oid=self.record.oid),
            self.system.getDeviceCapabilityByOid(oid=self.capability.oid),
            self.system.getTaskById(taskId=self.task),
            self.system.getTaskHistory(taskId=self.task),
            self.system.getJobById(jobId=self.job),
        ]

    def test_device_of_another_domain_is_unknown(self):
        by_id, by_number = {"deviceID": self.device.device_id}, {"phoneNumber": self.device.phone_number}
        by_oid = {"oid": self.record.oid}
        self.all_unknown("UnknownDevice", [
            ("getDeviceInstanceByDeviceID", by_id),
            ("getDeviceInstanceByPhoneNumber", by_number),
            ("getDeviceInstanceByOid", by_oid),
            ("updateDeviceInstance", {"deviceInstance": {**by_id, "model": "Two"}}),
            ("updateDeviceInstance", {"deviceInstance": {**by_oid, **by_id, "model": "Two"}}),
            ("deleteDeviceInstance", by_id),
            ("deleteDeviceInstance", by_oid),
            ("getDeviceCapabilityByDeviceID", by_id),
            ("doOperation", {**QUERY, **by_id}),
            ("doOperation", {**QUERY, **by_number}),
            ("doOperation", {**QUERY, **by_id, **by_number}),
        ])

    def test_capability_of_another_domain_is_unknown(self):
        by_oid = {"oid": self.capability.oid}
        self.all_unknown("UnknownCapability", [
            ("getDeviceCapabilityByOid", by_oid),
            ("getDeviceCapabilityByModel", {"manufacturer": self.maker, "model": "One"}),
            ("updateDeviceCapability", {"deviceCapability": {**by_oid, "manufacturer": self.maker, "model": "Two"}}),
            ("deleteDeviceCapability", by_oid),
            ("createDeviceInstance", {"deviceInstance": {
                "deviceID": harness.new_imei(), "deviceCapabilityOid": self.capability.oid,
            }}),
        ])

    def test_task_of_another_domain_is_unknown(self):
        self.all_unknown("UnknownTask", [
            ("getTaskById", {"taskId": self.task}),
            ("getTaskHistory", {"taskId": self.task}),
            ("cancelTask", {"taskId": self.task}),
        ])

    def test_job_of_another_domain_is_unknown(self):
        self.all_unknown("UnknownJob", [
            (operation, {"jobId": self.job})
            for operation in ["getJobById", "getTasks", "getTaskHistory", "cancelJob", "pauseJob", "restartJob"]
        ])

    def test_lists_and_bulk_calls_do_not_reach_into_another_domain(self):
        other, before = self.other, self.state()
        self.assertEqual(other.getDeviceInstances().totalCount, 0)
        self.assertEqual(other.getDeviceCapabilities().totalCount, 0)
        self.assertEqual(other.getTasks(phoneNumber=self.device.phone_number).totalCount, 0)
        self.assertEqual(other.getTasks(deviceID=self.device.device_id).totalCount, 0)
        long_ago = datetime.datetime(2001, 1, 1, tzinfo=datetime.timezone.utc)
        self.assertEqual(other.getTasks(createdSince=long_ago).totalCount, 0)
        receipt = other.doBulkOperation(request=[{**QUERY, "deviceID": self.device.device_id}])
        self.assertEqual([(entry.index, entry.messageId) for entry in receipt.rejected], [(0, "DMS0103")])
        named, every = other.createDeployments(deployment=[
            {"name": "named", "devices": {"deviceID": [self.device.device_id]}, **QUERY},
            {"name": "every", "devices": {"allDevices": True}, **QUERY},
        ]).jobId
        for job in [named, every]:
            self.assertEqual(other.final_job(job).status, "COMPLETED")
            self.assertEqual(other.getTasks(jobId=job).task, [])
        self.assertNotIn(self.job, [job.jobId for job in other.getJobs().job])
        self.assertEqual(self.state(), before)

    def test_identifiers_of_one_domain_are_free_in_another(self):
        """Whoever is refused an identifier as taken has learnt that somebody has it."""
        maker = {"manufacturer": self.maker, "model": "One"}
        made = self.other.createDeviceCapability(deviceCapability=maker)
        self.other.deleteDeviceCapability(oid=made.oid)
        made = self.other.createDeviceInstance(deviceInstance={"deviceID": self.device.device_id})
        self.assertNotEqual(made.oid, self.record.oid)
        self.other.deleteDeviceInstance(oid=made.oid)
        self.assertEqual(self.system.getDeviceInstanceByOid(oid=self.record.oid).deviceID, self.device.device_id)

    def test_login_names_its_own_domain_or_none(self):
        name, password = harness.principal("administrator", tenant="elsewhere")
        login = self.other.ports["login"].login
        self.assertEqual(login(userName=name, password=password, tenant="elsewhere").userName, name)
        self.refused_to(self.other, lambda: login(userName=name, password=password, tenant="default"),
                        "NotAuthenticated")


class DomainsSoap12(Domains):
    version = "1.2"
