"""What devices and the server said to each other: switched on, read with other programs, switched off."""

import base64
import datetime

from lxml import etree

import harness
import wsi

WEEK = datetime.timedelta(days=7)
BLANK = b"+blanked"


class Traces(wsi.Case):
    def recorded(self, device, **more):
        return self.system.getDeviceTrace(deviceID=device.device_id, **more)

    def messages(self, device, session):
        return self.system.getTraceMessages(deviceID=device.device_id, session=session)

    def done(self, device, *, options=()):
        task = self.system.final_task(self.system.operate(device, "QUERY", options=options))
        self.assertEqual(task.status, "SUCCEEDED", task)
        return task

    def ended(self, device):
        """The newest recorded session once it has ended."""
        def newest():
            sessions = [session for session in self.recorded(device).session if session.ending]
            return sessions[0] if sessions else None
        return harness.wait_until(f"a session of {device.device_id} is recorded", newest)

    def test_recording_is_off_until_it_is_asked_for_and_lasts_a_week(self):
        device = harness.new_device()
        self.enrol(device)
        before = self.recorded(device)
        self.assertFalse(before.setting.enabled)
        self.assertIsNone(before.setting.until)
        self.assertEqual((before.session, before.totalCount), ([], 0))
        setting = self.system.setDeviceTrace(deviceID=device.device_id, enabled=True)
        self.assertTrue(setting.enabled)
        self.assertEqual((setting.deviceID, setting.sessions), (device.device_id, 10))
        left = setting.until - datetime.datetime.now(datetime.timezone.utc)
        self.assertTrue(WEEK - datetime.timedelta(minutes=5) < left <= WEEK, left)
        self.assertEqual(self.system.getDeviceTrace(oid=setting.oid).setting, setting)
        self.assertFalse(self.system.setDeviceTrace(oid=setting.oid, enabled=False).enabled)

    def test_messages_of_a_session_are_read_in_order_and_hold_no_secret(self):
        for encoding in ["xml", "wbxml"]:
            for auth in ["MD5", "BASIC"]:
                with self.subTest(encoding=encoding, auth=auth):
                    device = harness.new_device(encoding=encoding, auth=auth)
                    self.fleet(device)
                    self.system.setDeviceTrace(deviceID=device.device_id, enabled=True)
                    self.done(device)
                    session = self.ended(device)
                    self.assertTrue(session.authenticated)
                    self.assertEqual(session.leftOut, 0)
                    listed = self.messages(device, session.number)
                    self.assertEqual((listed.totalCount, session.messageCount), (len(listed.message),) * 2)
                    self.assertEqual([one.number for one in listed.message], list(range(1, len(listed.message) + 1)))
                    ways = [one.direction for one in listed.message]
                    self.assertEqual(ways, ["RECEIVED", "SENT"] * (len(ways) // 2))
                    self.assertEqual(sum(len(one.content) for one in listed.message), session.size)
                    self.assertTrue(any(BLANK in one.content for one in listed.message))
                    for one in listed.message:
                        self.assertEqual(one.contentType, f"application/vnd.syncml.dm+{encoding}")
                        for secret in [device.client_secret, device.server_secret]:
                            for form in [secret.encode(), base64.b64encode(secret.encode())]:
                                self.assertNotIn(form, one.content)
                        if encoding == "xml":
                            root = etree.fromstring(one.content)
                            self.assertEqual(etree.QName(root).localname, "SyncML")

    def test_device_that_is_not_let_in_is_recorded(self):
        device = harness.new_device()
        self.enrol(device)
        self.system.setDeviceTrace(deviceID=device.device_id, enabled=True)
        device.client_secret = "another secret"
        fleet = harness.Fleet(self.server, [device])
        self.addCleanup(fleet.end)
        sessions = harness.wait_until("a refused session is recorded", lambda: self.recorded(device).session)
        self.assertFalse(sessions[0].authenticated)
        (first, *_) = self.messages(device, sessions[0].number).message
        self.assertEqual((first.number, first.direction), (1, "RECEIVED"))
        self.assertIn(device.client_name.encode(), first.content)

    def test_task_can_ask_for_its_sessions_alone(self):
        device = harness.new_device()
        self.fleet(device)
        task = self.done(device, options={"trace": "true"})
        self.assertEqual(self.ended(device).taskId, task.taskId)
        count = self.recorded(device).totalCount
        self.done(device)
        self.assertEqual(self.recorded(device).totalCount, count)
        self.assertFalse(self.recorded(device).setting.enabled)

    def test_lists_come_in_pages_and_what_is_discarded_is_gone(self):
        device = harness.new_device()
        self.fleet(device)
        self.system.setDeviceTrace(deviceID=device.device_id, enabled=True, sessions=3, durationSeconds=3600)
        harness.wait_until("three sessions are recorded", lambda: self.recorded(device).totalCount >= 3)
        self.system.setDeviceTrace(deviceID=device.device_id, enabled=False)
        found = [session.number for part, _ in self.system.pages("getDeviceTrace", "session", 2,
                                                                 deviceID=device.device_id) for session in part]
        self.assertEqual(found, sorted(found, reverse=True))
        self.assertEqual(len(found), 3)
        parts = [part for part, _ in self.system.pages("getTraceMessages", "message", 1, deviceID=device.device_id,
                                                       session=found[0])]
        self.assertTrue(all(len(part) == 1 for part in parts))
        self.system.setDeviceTrace(deviceID=device.device_id, enabled=False, discard=True)
        self.assertEqual(self.recorded(device).totalCount, 0)
        with self.fault("InvalidArgument"):
            self.messages(device, found[0])

    def test_only_care_and_administrators_of_the_domain_record_and_read(self):
        device = harness.new_device()
        self.enrol(device)
        given = {"deviceID": device.device_id}
        care = self.caller("care")
        self.assertTrue(care.setDeviceTrace(enabled=True, **given).enabled)
        self.assertTrue(care.getDeviceTrace(**given).setting.enabled)
        for role in ["reader", "campaign"]:
            other = self.caller(role)
            for call in [lambda: other.setDeviceTrace(enabled=True, **given), lambda: other.getDeviceTrace(**given),
                         lambda: other.getTraceMessages(session=1, **given)]:
                seen = self.refused_to(other, call, "NotAuthorized")
                self.assertEqual(tuple(seen.variables), ("device", "trace"))
        stranger = self.caller("administrator", tenant="elsewhere")
        for call in [lambda: stranger.setDeviceTrace(enabled=True, **given), lambda: stranger.getDeviceTrace(**given),
                     lambda: stranger.getTraceMessages(session=1, **given)]:
            self.refused_to(stranger, call, "UnknownDevice")

    def test_arguments_are_refused_by_name(self):
        device = harness.new_device()
        self.enrol(device)
        for more, name in [({"sessions": 0}, "sessions"), ({"sessions": 101}, "sessions"),
                           ({"durationSeconds": 0}, "durationSeconds"), ({"durationSeconds": 7776001}, "durationSeconds")]:
            with self.subTest(more=more), self.fault("InvalidArgument") as seen:
                self.system.setDeviceTrace(deviceID=device.device_id, enabled=True, **more)
            self.assertEqual(seen.variables[0], name)
        with self.fault("MissingArgument"):
            self.system.getDeviceTrace()
        bare = harness.new_imei()
        self.system.createDeviceInstance(deviceInstance={"deviceID": bare})
        with self.fault("WrongState"):
            self.system.setDeviceTrace(deviceID=bare, enabled=True)


class Traces12(Traces):
    version = "1.2"
