"""Who may do what, and what callers of one domain see of each other."""

from zeep.exceptions import Fault

import harness
import wsi


class Access(wsi.Case):
    def test_reader_reads_and_changes_nothing(self):
        reader, device = self.caller("reader"), harness.new_device()
        self.enrol(device)
        model = {"manufacturer": harness.new_name("Maker"), "model": "One"}
        # Who may read and need not know whom a device belongs to sees the middle of the identifier masked.
        masked = f"{device.device_id[:-7]}*****{device.device_id[-2:]}"
        self.assertEqual(reader.getDeviceInstanceByDeviceID(deviceID=device.device_id).deviceID, masked)
        self.assertGreaterEqual(reader.getJobs().totalCount, 0)
        calls = {
            ("device", "create"): lambda: reader.createDeviceInstance(deviceInstance=harness.new_device().record()),
            ("device", "update"): lambda: reader.updateDeviceInstance(deviceInstance={"deviceID": device.device_id}),
            ("device", "delete"): lambda: reader.deleteDeviceInstance(deviceID=device.device_id),
            ("device", "operate"): lambda: reader.operate(device, "QUERY"),
            ("device", "import"): lambda: reader.importDeviceInstances(
                deviceInstance=[harness.new_device().record()], updateExisting=True),
            ("device", "trace"): lambda: reader.setDeviceTrace(deviceID=device.device_id, enabled=True),
            ("device", "bootstrap"): lambda: reader.doBootstrap(
                phoneNumber=[device.phone_number], bOptin=False, acceptDevicePolicy=20, testCycle=True),
            ("capability", "create"): lambda: reader.createDeviceCapability(deviceCapability=model),
            ("capability", "update"): lambda: reader.updateDeviceCapability(deviceCapability={"oid": "x", **model}),
            ("capability", "delete"): lambda: reader.deleteDeviceCapability(oid="x"),
            ("job", "create"): lambda: reader.createDeployments(deployment=[self.deployment(device)]),
            ("job", "cancel"): lambda: reader.cancelJob(jobId="x"),
            ("job", "pause"): lambda: reader.pauseJob(jobId="x"),
            ("job", "restart"): lambda: reader.restartJob(jobId="x"),
            ("task", "cancel"): lambda: reader.cancelTask(taskId=self.system.operate(device, "QUERY")),
        }
        for right, call in calls.items():
            with self.subTest(right=right):
                seen = self.refused_to(reader, call, "NotAuthorized")
                self.assertEqual(tuple(seen.variables), right)

    def deployment(self, device):
        return {
            "name": "campaign", "operation": "SESSION", "devices": {"deviceID": [device.device_id]}, "bOptin": False,
            "acceptDevicePolicy": 20, "testCycle": False,
        }

    def test_care_operates_on_one_device_at_a_time(self):
        care, device = self.caller("care"), harness.new_device()
        self.enrol(device)
        task = care.operate(device, "QUERY")
        self.assertEqual(care.cancelTask(taskId=task).status, "CANCELLED")
        request = {"operation": "QUERY", "bOptin": False, "acceptDevicePolicy": 20, "testCycle": False,
                   "deviceID": device.device_id}
        for call in [lambda: care.createDeployments(deployment=[self.deployment(device)]),
                     lambda: care.doBulkOperation(request=[request])]:
            self.assertEqual(tuple(self.refused_to(care, call, "NotAuthorized").variables), ("job", "create"))
        self.refused_to(care, lambda: care.deleteDeviceInstance(deviceID=device.device_id), "NotAuthorized")

    def test_right_is_asked_for_before_arguments_are_looked_at(self):
        reader = self.caller("reader")
        for call in [lambda: reader.deleteDeviceInstance(deviceID="IMEI:490154203237519"),
                     lambda: reader.operate(harness.new_device(), "REPAINT", policy=40),
                     lambda: reader.cancelTask(taskId="none-such")]:
            self.refused_to(reader, call, "NotAuthorized")

    def test_campaign_makes_jobs_and_no_devices(self):
        campaign, device = self.caller("campaign"), harness.new_device()
        self.enrol(device)
        owner = campaign.user_session.userName
        earlier = [job.jobId for job in self.system.getJobs(owner=owner).job]
        receipt = campaign.createDeployments(deployment=[self.deployment(device)])
        self.assertEqual(self.system.getJobById(jobId=receipt.jobId[0]).owner, owner)
        self.assertEqual([job.jobId for job in self.system.getJobs(owner=owner).job], receipt.jobId + earlier)
        record = harness.new_device().record()
        self.refused_to(campaign, lambda: campaign.createDeviceInstance(deviceInstance=record), "NotAuthorized")

    def test_page_token_of_another_caller_is_refused(self):
        reader = self.caller("reader")
        self.enrol(harness.new_device(), harness.new_device())
        token = self.system.getDeviceInstances(page={"pageSize": 1}).nextPageToken
        page = {"pageSize": 1, "pageToken": token}
        self.refused_to(reader, lambda: reader.getDeviceInstances(page=page), "InvalidPageToken")

    def test_request_id_belongs_to_its_caller(self):
        other, device, key = self.caller("care"), harness.new_device(), harness.new_name("key")
        self.enrol(device)
        mine = self.system.operate(device, "QUERY", requestId=key)
        theirs = other.operate(device, "SESSION", requestId=key)
        self.assertNotEqual(mine, theirs)

    def test_session_of_one_principal_does_not_go_with_the_password_of_another(self):
        name, password = harness.principal("reader")
        mixed = wsi.ExternalSystem(self.server, self.version, basic=(name, password))
        session = {"sessionId": self.system.user_session.sessionId}
        self.refused_to(mixed, lambda: mixed.getServiceInfo(userSession=session), "NotAuthenticated")


class AccessSoap12(Access):
    version = "1.2"


class PasswordDigest(wsi.Case):
    def test_digest_is_taken_of_a_principal_that_was_let_in_with_it(self):
        name, password = harness.principal("reader", digest=True)
        token = wsi.username_token(name, password, use_digest=True)
        system = wsi.ExternalSystem(self.server, self.version, wsse=token)
        self.assertTrue(system.getServiceInfo().serverId)
        self.assertTrue(system.getServiceInfo().serverId)

    def test_repeated_digest_is_refused(self):
        name, password = harness.principal("reader", digest=True)
        token = wsi.username_token(name, password, use_digest=True)
        system = wsi.ExternalSystem(self.server, self.version, wsse=token)
        system.getServiceInfo()
        reply = wsi.post(self.server, system.last.request.body, self.version)
        self.assertEqual(reply.fault.code, "FailedAuthentication")

    def test_digest_of_any_other_principal_is_refused(self):
        name, password = harness.principal("reader")
        token = wsi.username_token(name, password, use_digest=True)
        system = wsi.ExternalSystem(self.server, self.version, wsse=token)
        with self.assertRaises(Fault):
            system.getServiceInfo()
        reply = wsi.Reply(0, {}, system.last.content, self.version)
        self.assertEqual(reply.fault.code, "FailedAuthentication")
