"""IDeviceManagerServices: device capability records."""

import harness
import wsi


class Capabilities(wsi.Case):
    def create(self, **fields):
        fields.setdefault("manufacturer", harness.new_name("Maker"))
        fields.setdefault("model", "One")
        return self.system.createDeviceCapability(deviceCapability=fields)

    def test_record_is_stored_as_given(self):
        given = {
            "manufacturer": harness.new_name("Maker"),
            "model": "One",
            "firmwareVersion": "1.0",
            "tac": ["35123400", "35123401"],
            "dmVersion": ["1.2"],
            "managementObject": ["urn:oma:mo:oma-fumo:1.0"],
            "bootstrapMethod": ["CP-NETWPIN"],
            "wbxml": True,
            "maxMsgSize": 16384,
            "maxObjSize": 1048576,
            "attribute": [{"name": "screen", "value": "small"}],
        }
        stored = self.system.createDeviceCapability(deviceCapability=given)
        self.assertTrue(stored.oid)
        self.assertIsNotNone(stored.version)
        for field in given:
            if field != "attribute":
                self.assertEqual(stored[field], given[field], field)
        self.assertEqual([(pair.name, pair.value) for pair in stored.attribute], [("screen", "small")])
        self.assertEqual(self.system.getDeviceCapabilityByOid(oid=stored.oid), stored)
        self.system.deleteDeviceCapability(oid=stored.oid)

    def test_make_model_and_firmware_version_are_taken_once(self):
        maker = harness.new_name("Maker")
        self.create(manufacturer=maker)
        with self.fault("AlreadyExists"):
            self.create(manufacturer=maker)
        self.create(manufacturer=maker, firmwareVersion="1.0")

    def test_most_specific_record_is_found_by_model(self):
        maker = harness.new_name("Maker")
        every = self.create(manufacturer=maker)
        exact = self.create(manufacturer=maker, firmwareVersion="1.0")
        find = self.system.getDeviceCapabilityByModel
        self.assertEqual(find(manufacturer=maker, model="One", firmwareVersion="1.0").oid, exact.oid)
        self.assertEqual(find(manufacturer=maker, model="One", firmwareVersion="2.0").oid, every.oid)
        self.assertEqual(find(manufacturer=maker, model="One").oid, every.oid)
        with self.fault("UnknownCapability"):
            find(manufacturer=maker, model="Two")

    def test_record_of_a_device_is_the_one_it_names(self):
        stored = self.create()
        imei = harness.new_imei()
        self.system.createDeviceInstance(deviceInstance={"deviceID": imei, "deviceCapabilityOid": stored.oid})
        self.assertEqual(self.system.getDeviceCapabilityByDeviceID(deviceID=imei).oid, stored.oid)

    def test_record_of_a_device_that_names_none_is_found_by_type_allocation_code(self):
        tac = harness.new_imei().removeprefix("IMEI:")[7:15]
        stored = self.create(tac=[tac])
        imei = harness.new_imei(tac=tac)
        self.system.createDeviceInstance(deviceInstance={"deviceID": imei})
        self.assertEqual(self.system.getDeviceCapabilityByDeviceID(deviceID=imei).oid, stored.oid)
        # The code alone is enough: the device need not be enrolled.
        self.assertEqual(self.system.getDeviceCapabilityByDeviceID(deviceID=harness.new_imei(tac=tac)).oid, stored.oid)

    def test_device_without_a_capability_and_device_nobody_knows_are_told_apart(self):
        stranger = harness.new_imei(tac="86009900")
        with self.fault("UnknownDevice"):
            self.system.getDeviceCapabilityByDeviceID(deviceID=stranger)
        self.system.createDeviceInstance(deviceInstance={"deviceID": stranger})
        with self.fault("UnknownCapability"):
            self.system.getDeviceCapabilityByDeviceID(deviceID=stranger)

    def test_update_raises_the_version_and_an_outdated_one_is_refused(self):
        stored = self.create()
        record = {
            "oid": stored.oid, "manufacturer": stored.manufacturer, "model": "One", "wbxml": False,
            "version": stored.version,
        }
        changed = self.system.updateDeviceCapability(deviceCapability=record)
        self.assertEqual((changed.version, changed.wbxml), (stored.version + 1, False))
        with self.fault("OutdatedVersion"):
            self.system.updateDeviceCapability(deviceCapability=record)
        with self.fault("UnknownCapability"):
            self.system.updateDeviceCapability(deviceCapability={**record, "oid": "none-such"})

    def test_record_that_a_device_names_cannot_be_deleted(self):
        stored = self.create()
        imei = harness.new_imei()
        self.system.createDeviceInstance(deviceInstance={"deviceID": imei, "deviceCapabilityOid": stored.oid})
        with self.fault("InUse"):
            self.system.deleteDeviceCapability(oid=stored.oid)
        self.system.deleteDeviceInstance(deviceID=imei)
        with self.fault("OutdatedVersion"):
            self.system.deleteDeviceCapability(oid=stored.oid, version=stored.version + 1)
        self.system.deleteDeviceCapability(oid=stored.oid, version=stored.version)
        with self.fault("UnknownCapability"):
            self.system.getDeviceCapabilityByOid(oid=stored.oid)
        with self.fault("UnknownCapability"):
            self.system.deleteDeviceCapability(oid=stored.oid)

    def test_list_of_none_one_and_many_in_pages(self):
        for count, lengths in [(0, [0]), (1, [1]), (5, [2, 2, 1])]:
            with self.subTest(count=count):
                maker = harness.new_name("Maker")
                oids = [self.create(manufacturer=maker, model=f"M{number}").oid for number in range(count)]
                pages = list(self.system.pages("getDeviceCapabilities", "deviceCapability", 2, manufacturer=maker))
                self.assertEqual([len(page) for page, _ in pages], lengths)
                self.assertEqual({total for _, total in pages}, {count})
                self.assertCountEqual([record.oid for page, _ in pages for record in page], oids)

    def test_repeated_creation_with_one_request_id_gives_the_first_record(self):
        key = harness.new_name("key")
        record = {"manufacturer": harness.new_name("Maker"), "model": "One"}
        first = self.system.createDeviceCapability(deviceCapability=record, requestId=key)
        self.assertEqual(self.system.createDeviceCapability(deviceCapability=record, requestId=key), first)
        with self.fault("RequestIdReused"):
            self.system.createDeviceCapability(deviceCapability={**record, "model": "Two"}, requestId=key)


class CapabilitiesSoap12(Capabilities):
    version = "1.2"
