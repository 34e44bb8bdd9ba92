"""ISubscriberServices: subscribers, their devices, and what of it stands in device records."""

import harness
import wsi


class Subscribers(wsi.Case):
    def create(self, **fields):
        return self.system.createSubscriber(subscriber=fields)

    def device(self):
        device = harness.new_device()
        self.system.createDeviceInstance(deviceInstance=device.record())
        return device

    def devices_of(self, subscriber):
        return self.system.getSubscriberById(subscriberId=subscriber.subscriberId).deviceID

    def test_record_is_stored_as_given(self):
        number = harness.new_device().phone_number
        given = {
            "subscriberId": harness.new_name("subscriber"),
            "phoneNumber": number,
            "imsi": "262011234567890",
            "accountReference": harness.new_name("account"),
            "optIn": True,
            "attribute": [{"name": "plan", "value": "gold & more"}],
        }
        stored = self.create(**given)
        for field in given:
            if field != "attribute":
                self.assertEqual(stored[field], given[field], field)
        self.assertEqual([(pair.name, pair.value) for pair in stored.attribute], [("plan", "gold & more")])
        self.assertEqual((stored.version, stored.deviceID), (1, []))
        self.assertEqual(self.system.getSubscriberById(subscriberId=given["subscriberId"]), stored)
        self.assertEqual(self.system.getSubscriberByPhoneNumber(phoneNumber=number), stored)

    def test_identifier_is_given_by_the_server_where_it_is_left_out(self):
        first, second = self.create(), self.create()
        self.assertTrue(first.subscriberId)
        self.assertNotEqual(first.subscriberId, second.subscriberId)
        self.assertIs(first.optIn, False)

    def test_identifier_and_number_are_taken_once(self):
        number = harness.new_device().phone_number
        stored = self.create(phoneNumber=number)
        with self.fault("AlreadyExists") as seen:
            self.create(subscriberId=stored.subscriberId)
        self.assertEqual(seen.variables, ["subscriberId", stored.subscriberId])
        with self.fault("AlreadyExists") as seen:
            self.create(phoneNumber=number)
        self.assertEqual(seen.variables, ["phoneNumber", number])

    def test_repeated_creation_with_one_request_id_gives_the_first_record(self):
        key = harness.new_name("key")
        record = {"accountReference": harness.new_name("account")}
        first = self.system.createSubscriber(subscriber=record, requestId=key)
        self.assertEqual(self.system.createSubscriber(subscriber=record, requestId=key), first)
        self.assertEqual(self.system.getSubscribers(**record).totalCount, 1)
        with self.fault("RequestIdReused"):
            self.system.createSubscriber(subscriber={**record, "optIn": True}, requestId=key)

    def test_update_replaces_the_record_but_neither_gives_nor_withdraws_consent_unasked(self):
        stored = self.create(optIn=True, accountReference="a")
        record = {"subscriberId": stored.subscriberId, "version": stored.version}
        changed = self.system.updateSubscriber(subscriber=record)
        self.assertEqual((changed.version, changed.accountReference, changed.optIn), (stored.version + 1, None, True))
        with self.fault("OutdatedVersion"):
            self.system.updateSubscriber(subscriber={**record, "optIn": False})
        record["version"] = changed.version
        self.assertIs(self.system.updateSubscriber(subscriber={**record, "optIn": False}).optIn, False)
        with self.fault("MissingArgument"):
            self.system.updateSubscriber(subscriber={"optIn": True})

    def test_record_that_was_read_may_be_sent_back(self):
        stored, device = self.create(), self.device()
        read = self.system.assignDevice(subscriberId=stored.subscriberId, deviceID=device.device_id)
        self.assertEqual(read.deviceID, [device.device_id])
        self.assertEqual(self.system.updateSubscriber(subscriber=read), read)

    def test_device_is_taken_from_any_other_subscriber(self):
        device, first, second = self.device(), self.create(), self.create()
        for subscriber in [first, first, second]:
            answer = self.system.assignDevice(subscriberId=subscriber.subscriberId, deviceID=device.device_id)
            self.assertEqual(answer.deviceID, [device.device_id])
        self.assertEqual(self.devices_of(first), [])
        record = self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id)
        self.assertEqual(record.subscriberId, second.subscriberId)
        for _ in range(2):
            left = self.system.unassignDevice(subscriberId=second.subscriberId, deviceID=device.device_id)
            self.assertEqual(left.deviceID, [])
        self.assertIsNone(self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id).subscriberId)

    def test_device_record_says_whose_it_is_and_is_checked(self):
        device, subscriber = harness.new_device(), self.create()
        with self.fault("UnknownSubscriber"):
            self.system.createDeviceInstance(deviceInstance=device.record(subscriberId="none-such"))
        self.system.createDeviceInstance(deviceInstance=device.record(subscriberId=subscriber.subscriberId))
        self.assertEqual(self.devices_of(subscriber), [device.device_id])
        with self.fault("UnknownSubscriber"):
            self.system.updateDeviceInstance(deviceInstance=device.record(subscriberId="none-such"))
        result = self.system.importDeviceInstances(
            deviceInstance=[device.record(subscriberId="none-such")], updateExisting=True)
        self.assertEqual([(entry.index, entry.messageId) for entry in result.rejected], [(0, "DMS0105")])
        self.system.updateDeviceInstance(deviceInstance=device.record())
        self.assertEqual(self.devices_of(subscriber), [])

    def test_devices_of_a_deleted_subscriber_stay(self):
        device, subscriber = self.device(), self.create()
        self.system.assignDevice(subscriberId=subscriber.subscriberId, deviceID=device.device_id)
        with self.fault("OutdatedVersion"):
            self.system.deleteSubscriber(subscriberId=subscriber.subscriberId, version=subscriber.version + 1)
        self.system.deleteSubscriber(subscriberId=subscriber.subscriberId, version=subscriber.version)
        self.assertIsNone(self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id).subscriberId)
        for call in [
            lambda: self.system.getSubscriberById(subscriberId=subscriber.subscriberId),
            lambda: self.system.deleteSubscriber(subscriberId=subscriber.subscriberId),
            lambda: self.system.assignDevice(subscriberId=subscriber.subscriberId, deviceID=device.device_id),
        ]:
            with self.fault("UnknownSubscriber"):
                call()

    def test_device_nobody_recorded_is_unknown(self):
        subscriber = self.create().subscriberId
        for call in [self.system.assignDevice, self.system.unassignDevice]:
            with self.fault("UnknownDevice"):
                call(subscriberId=subscriber, deviceID=harness.new_imei())

    def test_list_of_none_one_and_many_in_pages(self):
        for count, lengths in [(0, [0]), (1, [1]), (5, [2, 2, 1])]:
            with self.subTest(count=count):
                account = harness.new_name("account")
                ids = [self.create(accountReference=account).subscriberId for _ in range(count)]
                pages = list(self.system.pages("getSubscribers", "subscriber", 2, accountReference=account))
                self.assertEqual([len(page) for page, _ in pages], lengths)
                self.assertEqual({total for _, total in pages}, {count})
                self.assertEqual([record.subscriberId for page, _ in pages for record in page], sorted(ids))

    def test_subscriber_of_another_domain_is_unknown(self):
        stored = self.create(phoneNumber=harness.new_device().phone_number)
        elsewhere = wsi.ExternalSystem(self.server, self.version)
        elsewhere.login(*harness.principal("administrator", "elsewhere"))
        for call in [
            lambda: elsewhere.getSubscriberById(subscriberId=stored.subscriberId),
            lambda: elsewhere.getSubscriberByPhoneNumber(phoneNumber=stored.phoneNumber),
            lambda: elsewhere.updateSubscriber(subscriber={"subscriberId": stored.subscriberId}),
            lambda: elsewhere.deleteSubscriber(subscriberId=stored.subscriberId),
        ]:
            self.refused_to(elsewhere, call, "UnknownSubscriber")
        self.assertEqual(elsewhere.getSubscribers().totalCount, 0)

    def test_care_may_record_consent_but_not_whose_a_device_is(self):
        stored, device = self.create(), self.device()
        care = wsi.ExternalSystem(self.server, self.version).login(*harness.principal("care"))
        record = {"subscriberId": stored.subscriberId, "optIn": True}
        self.assertIs(care.updateSubscriber(subscriber=record).optIn, True)
        for call, right in [
            (lambda: care.assignDevice(subscriberId=stored.subscriberId, deviceID=device.device_id), ["device", "update"]),
            (lambda: care.createSubscriber(subscriber={}), ["subscriber", "create"]),
            (lambda: care.deleteSubscriber(subscriberId=stored.subscriberId), ["subscriber", "delete"]),
        ]:
            self.assertEqual(self.refused_to(care, call, "NotAuthorized").variables, right)


class SubscribersSoap12(Subscribers):
    version = "1.2"
