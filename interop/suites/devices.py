"""IDeviceManagerServices: device records."""

import harness
import wsi


class DeviceRecords(wsi.Case):
    def create(self, **fields):
        fields.setdefault("deviceID", harness.new_imei())
        return self.system.createDeviceInstance(deviceInstance=fields)

    def test_record_is_stored_as_given_and_found_in_three_ways(self):
        device = harness.new_device()
        given = device.record(
            imsi="262011234567890",
            manufacturer="Example",
            model="One",
            firmwareVersion="1.0",
            softwareVersion="2.0",
            group=["north", "trial"],
            attribute=[{"name": "colour", "value": "blue"}, {"name": "note", "value": ""}],
        )
        stored = self.system.createDeviceInstance(deviceInstance=given)

        self.assertTrue(stored.oid)
        self.assertIsNotNone(stored.version)
        self.assertEqual(stored.managementState, "KNOWN")
        for field in ["deviceID", "phoneNumber", "imsi", "manufacturer", "model", "firmwareVersion", "softwareVersion"]:
            self.assertEqual(stored[field], given[field], field)
        self.assertEqual(sorted(stored.group), ["north", "trial"])
        self.assertEqual({pair.name: pair.value or "" for pair in stored.attribute}, {"colour": "blue", "note": ""})
        self.assertIsNone(stored.lastSeenAt)
        self.assertEqual(self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id), stored)
        self.assertEqual(self.system.getDeviceInstanceByPhoneNumber(phoneNumber=device.phone_number), stored)
        self.assertEqual(self.system.getDeviceInstanceByOid(oid=stored.oid), stored)

    def test_secrets_are_taken_and_never_returned(self):
        device = harness.new_device()
        stored = self.system.createDeviceInstance(deviceInstance=device.record())
        read = self.system.getDeviceInstanceByOid(oid=stored.oid)
        for record in [stored, read]:
            self.assertEqual(record.dmAccount.clientName, device.client_name)
            self.assertEqual(record.dmAccount.authType, "DIGEST")
            for secret in ["clientSecret", "clientNonce", "serverSecret", "serverNonce"]:
                self.assertIsNone(record.dmAccount[secret], secret)
        self.assertNotIn(device.client_secret.encode(), self.system.last.content)

    def test_four_spellings_of_an_imei_are_one_device(self):
        imei = harness.new_imei()
        digits = imei.removeprefix("IMEI:")
        stored = self.create(deviceID=digits)
        self.assertEqual(stored.deviceID, imei)
        spellings = [imei, digits, f"urn:imei:{digits}", f"imei:{digits[:8]}-{digits[8:14]}-{digits[14]}", digits[:14]]
        for spelling in spellings:
            with self.subTest(spelling=spelling):
                self.assertEqual(self.system.getDeviceInstanceByDeviceID(deviceID=spelling).oid, stored.oid)

    def test_imei_with_a_wrong_check_digit_is_refused(self):
        imei = harness.new_imei()
        wrong = imei[:-1] + str((int(imei[-1]) + 1) % 10)
        with self.fault("InvalidArgument") as seen:
            self.create(deviceID=wrong)
        self.assertIn("deviceID", seen.variables[0])

    def test_phone_number_is_returned_with_its_plus_sign(self):
        device = harness.new_device()
        stored = self.create(phoneNumber=device.phone_number.removeprefix("+"))
        self.assertEqual(stored.phoneNumber, device.phone_number)

    def test_device_identifier_and_client_name_are_taken_once(self):
        device = harness.new_device()
        self.enrol(device)
        with self.fault("AlreadyExists") as seen:
            self.create(deviceID=device.device_id)
        self.assertEqual(seen.variables, ["deviceID", device.device_id])
        other = harness.new_device()
        other.client_name = device.client_name
        with self.fault("AlreadyExists") as seen:
            self.enrol(other)
        self.assertIn(device.client_name, seen.variables)

    def test_phone_number_may_stand_in_two_records_and_is_ambiguous_then(self):
        number = harness.new_device().phone_number
        self.create(phoneNumber=number)
        self.create(phoneNumber=number)
        with self.fault("AmbiguousDevice"):
            self.system.getDeviceInstanceByPhoneNumber(phoneNumber=number)

    def test_update_replaces_the_record_and_raises_its_version(self):
        stored = self.create(model="One", group=["a"])
        changed = self.system.updateDeviceInstance(
            deviceInstance={"oid": stored.oid, "deviceID": stored.deviceID, "model": "Two", "version": stored.version}
        )
        self.assertEqual(changed.version, stored.version + 1)
        self.assertEqual(changed.model, "Two")
        self.assertEqual(changed.group, [])

    def test_outdated_version_is_refused_and_without_one_the_last_writer_wins(self):
        stored = self.create(model="One")
        record = {"deviceID": stored.deviceID, "model": "Two", "version": stored.version}
        self.system.updateDeviceInstance(deviceInstance=record)
        with self.fault("OutdatedVersion"):
            self.system.updateDeviceInstance(deviceInstance=record)
        last = self.system.updateDeviceInstance(deviceInstance={"deviceID": stored.deviceID, "model": "Three"})
        self.assertEqual(last.model, "Three")

    def test_update_without_an_account_keeps_the_stored_one(self):
        device = harness.new_device()
        self.enrol(device)
        changed = self.system.updateDeviceInstance(deviceInstance={"deviceID": device.device_id, "model": "Two"})
        self.assertEqual(changed.dmAccount.clientName, device.client_name)

    def test_update_of_a_device_nobody_made_is_refused(self):
        with self.fault("UnknownDevice"):
            self.system.updateDeviceInstance(deviceInstance={"deviceID": harness.new_imei()})

    def test_record_that_names_no_such_capability_is_refused(self):
        with self.fault("UnknownCapability"):
            self.create(deviceCapabilityOid="none-such")

    def test_deleted_record_is_unknown(self):
        stored = self.create()
        with self.fault("OutdatedVersion"):
            self.system.deleteDeviceInstance(deviceID=stored.deviceID, version=stored.version + 1)
        self.system.deleteDeviceInstance(deviceID=stored.deviceID, version=stored.version)
        with self.fault("UnknownDevice"):
            self.system.getDeviceInstanceByOid(oid=stored.oid)
        with self.fault("UnknownDevice"):
            self.system.deleteDeviceInstance(deviceID=stored.deviceID)

    def test_deletion_of_two_different_records_at_once_is_refused(self):
        first, second = self.create(), self.create()
        with self.fault("ConflictingArguments"):
            self.system.deleteDeviceInstance(deviceID=first.deviceID, oid=second.oid)
        self.system.deleteDeviceInstance(deviceID=first.deviceID, oid=first.oid)

    def test_deletion_of_nothing_is_a_missing_argument(self):
        with self.fault("MissingArgument"):
            self.system.deleteDeviceInstance()

    def test_unknown_device_is_told_in_each_way_of_asking(self):
        with self.fault("UnknownDevice"):
            self.system.getDeviceInstanceByDeviceID(deviceID=harness.new_imei())
        with self.fault("UnknownDevice"):
            self.system.getDeviceInstanceByPhoneNumber(phoneNumber=harness.new_device().phone_number)
        with self.fault("UnknownDevice"):
            self.system.getDeviceInstanceByOid(oid="none-such")

    def test_repeated_creation_with_one_request_id_gives_the_first_record(self):
        device, key = harness.new_device(), harness.new_name("key")
        first = self.system.createDeviceInstance(deviceInstance=device.record(), requestId=key)
        again = self.system.createDeviceInstance(deviceInstance=device.record(), requestId=key)
        self.assertEqual(again, first)
        with self.fault("RequestIdReused"):
            self.system.createDeviceInstance(deviceInstance=device.record(model="Other"), requestId=key)

    def test_fault_leaves_the_request_id_free(self):
        device, key = harness.new_device(), harness.new_name("key")
        with self.fault("UnknownCapability"):
            self.system.createDeviceInstance(
                deviceInstance=device.record(deviceCapabilityOid="none-such"), requestId=key
            )
        stored = self.system.createDeviceInstance(deviceInstance=device.record(), requestId=key)
        self.assertEqual(stored.deviceID, device.device_id)


class DeviceRecordsSoap12(DeviceRecords):
    version = "1.2"


class DeviceLists(wsi.Case):
    def make(self, count):
        """So many devices of a manufacturer of their own."""
        maker = harness.new_name("Maker")
        records = [{"deviceID": harness.new_imei(), "manufacturer": maker} for _ in range(count)]
        if records:
            result = self.system.importDeviceInstances(deviceInstance=records, updateExisting=False)
            self.assertEqual(result.created, count)
        return maker, [record["deviceID"] for record in records]

    def test_list_of_none_one_and_many(self):
        for count in [0, 1, 7]:
            with self.subTest(count=count):
                maker, devices = self.make(count)
                found = self.system.getDeviceInstances(filter={"manufacturer": maker})
                self.assertEqual(found.totalCount, count)
                self.assertCountEqual([record.deviceID for record in found.deviceInstance], devices)
                self.assertIsNone(found.nextPageToken)

    def test_pages_show_each_record_once(self):
        maker, devices = self.make(7)
        pages = list(self.system.pages("getDeviceInstances", "deviceInstance", 3, filter={"manufacturer": maker}))
        self.assertEqual([len(page) for page, _ in pages], [3, 3, 1])
        self.assertEqual({total for _, total in pages}, {7})
        self.assertCountEqual([record.deviceID for page, _ in pages for record in page], devices)

    def test_page_that_just_fits_is_the_last(self):
        maker, _ = self.make(4)
        pages = list(self.system.pages("getDeviceInstances", "deviceInstance", 2, filter={"manufacturer": maker}))
        self.assertEqual([len(page) for page, _ in pages], [2, 2])

    def test_record_made_between_two_pages_moves_no_other(self):
        maker, devices = self.make(4)
        pages = self.system.pages("getDeviceInstances", "deviceInstance", 2, filter={"manufacturer": maker})
        seen = [record.deviceID for record in next(pages)[0]]
        self.system.createDeviceInstance(deviceInstance={"deviceID": harness.new_imei(), "manufacturer": maker})
        seen += [record.deviceID for page, _ in pages for record in page]
        self.assertEqual([seen.count(device) for device in devices], [1, 1, 1, 1])

    def test_page_size_above_the_limit_is_lowered_to_it(self):
        maker, _ = self.make(1000)
        self.system.createDeviceInstance(deviceInstance={"deviceID": harness.new_imei(), "manufacturer": maker})
        pages = list(self.system.pages("getDeviceInstances", "deviceInstance", 5000, filter={"manufacturer": maker}))
        self.assertEqual([len(page) for page, _ in pages], [1000, 1])

    def test_page_size_below_one_is_refused(self):
        for size in [0, -1]:
            with self.subTest(size=size), self.fault("InvalidArgument"):
                self.system.getDeviceInstances(page={"pageSize": size})

    def test_page_token_of_another_list_or_of_nobody_is_refused(self):
        maker, _ = self.make(3)
        token = self.system.getDeviceInstances(filter={"manufacturer": maker}, page={"pageSize": 1}).nextPageToken
        with self.fault("InvalidPageToken"):
            self.system.getDeviceInstances(filter={"manufacturer": "other"}, page={"pageSize": 1, "pageToken": token})
        with self.fault("InvalidPageToken"):
            self.system.getJobs(page={"pageSize": 1, "pageToken": token})
        with self.fault("InvalidPageToken"):
            self.system.getDeviceInstances(page={"pageToken": "AAAA"})

    def test_criteria_of_a_filter_must_all_hold(self):
        maker, _ = self.make(2)
        wanted = self.system.createDeviceInstance(deviceInstance={
            "deviceID": harness.new_imei(), "manufacturer": maker, "model": "One", "group": ["trial"],
            "attribute": [{"name": "colour", "value": "blue"}],
        })
        criteria = [
            {"model": "One"},
            {"group": "trial"},
            {"attribute": [{"name": "colour", "value": "blue"}]},
            {"model": "One", "group": "trial", "managementState": "KNOWN"},
        ]
        for more in criteria:
            with self.subTest(more=more):
                found = self.system.getDeviceInstances(filter={"manufacturer": maker, **more})
                self.assertEqual([record.oid for record in found.deviceInstance], [wanted.oid])
        none = self.system.getDeviceInstances(filter={"manufacturer": maker, "model": "One", "group": "other"})
        self.assertEqual(none.totalCount, 0)


class DeviceImport(wsi.Case):
    def test_new_known_changed_and_impossible_records_are_told_apart(self):
        known = {"deviceID": harness.new_imei(), "model": "One"}
        changed = {"deviceID": harness.new_imei(), "model": "One"}
        self.system.importDeviceInstances(deviceInstance=[known, changed], updateExisting=False)
        new = [{"deviceID": harness.new_imei()} for _ in range(3)]
        impossible = {"deviceID": harness.new_imei(), "deviceCapabilityOid": "none-such"}
        records = [known, new[0], {**changed, "model": "Two"}, impossible, *new[1:]]
        result = self.system.importDeviceInstances(deviceInstance=records, updateExisting=True)
        self.assertTrue(result.importId)
        self.assertEqual((result.created, result.updated, result.unchanged), (3, 1, 1))
        self.assertEqual([(entry.index, entry.messageId) for entry in result.rejected], [(3, "DMS0104")])
        self.assertEqual(self.system.getDeviceInstanceByDeviceID(deviceID=changed["deviceID"]).model, "Two")

    def test_existing_records_are_rejected_where_updating_was_not_asked_for(self):
        record = {"deviceID": harness.new_imei()}
        self.assertEqual(self.system.importDeviceInstances(deviceInstance=[record], updateExisting=False).created, 1)
        again = self.system.importDeviceInstances(deviceInstance=[record], updateExisting=False)
        self.assertEqual((again.created, again.updated), (0, 0))
        self.assertEqual([(entry.index, entry.messageId) for entry in again.rejected], [(0, "DMS0201")])

    def test_record_that_cannot_be_read_does_not_keep_the_others_back(self):
        unknown = harness.new_device().record()
        unknown["dmAccount"]["authType"] = "X509"
        records = [unknown, {"deviceID": harness.new_imei(), "imsi": "123"}, harness.new_device().record()]
        result = self.system.importDeviceInstances(deviceInstance=records, updateExisting=False)
        self.assertEqual(result.created, 1)
        self.assertEqual([(entry.index, entry.messageId) for entry in result.rejected],
                         [(0, "DMS0001"), (1, "DMS0001")])

    def test_thousand_records_are_taken_and_one_more_is_refused(self):
        records = [{"deviceID": harness.new_imei()} for _ in range(1001)]
        with self.fault("TooManyEntries"):
            self.system.importDeviceInstances(deviceInstance=records, updateExisting=False)
        result = self.system.importDeviceInstances(deviceInstance=records[:1000], updateExisting=False)
        self.assertEqual(result.created, 1000)

    def test_repetition_with_one_request_id_imports_once(self):
        key = harness.new_name("key")
        records = [{"deviceID": harness.new_imei()}]
        first = self.system.importDeviceInstances(deviceInstance=records, updateExisting=False, requestId=key)
        again = self.system.importDeviceInstances(deviceInstance=records, updateExisting=False, requestId=key)
        self.assertEqual(again, first)
