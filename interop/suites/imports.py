"""Imports of any length, by a client that sends first and reads afterwards."""

import itertools
import json

import requests

import harness
import wsi

TABLE = "text/csv; charset=utf-8"
OBJECTS = "application/x-ndjson"


class Imports(wsi.Case):
    def send(self, rows, content_type=TABLE, **parameters):
        """The lines of the answer, and the summary."""
        headers = {"Content-Type": content_type, **parameters.pop("headers", {})}
        answer = requests.post(
            f"{self.server.north}/api/v1/devices:import", params=parameters, data=rows, headers=headers,
            auth=(harness.ADMIN_NAME, harness.ADMIN_PASSWORD), timeout=120,
        )
        self.assertEqual(answer.status_code, 200, answer.text)
        self.assertEqual(answer.headers["Content-Type"], "application/x-ndjson")
        lines = [json.loads(line) for line in answer.text.splitlines()]
        return [line["rejected"] for line in lines if "rejected" in line], lines[-1]["summary"]

    def table(self, devices):
        yield b"deviceID,phoneNumber,group,dmAccount.authType,dmAccount.clientName,dmAccount.clientSecret\r\n"
        for device in devices:
            yield f'{device.device_id},{device.phone_number},"a;b",DIGEST,{device.client_name},secret\r\n'.encode()

    def test_table_sent_in_chunks_becomes_records(self):
        devices = [harness.new_device() for _ in range(50)]
        rejected, summary = self.send(self.table(devices))
        self.assertEqual((rejected, summary["created"], summary["complete"]), ([], 50, True))
        record = self.system.getDeviceInstanceByPhoneNumber(phoneNumber=devices[7].phone_number)
        self.assertEqual((record.deviceID, record.group, record.dmAccount.clientName),
                         (devices[7].device_id, ["a", "b"], devices[7].client_name))
        # The same again is refused row by row, and with updateExisting nothing changes.
        rejected, summary = self.send(self.table(devices))
        self.assertEqual({(row["messageId"], row["line"] - row["index"]) for row in rejected}, {("DMS0201", 2)})
        self.assertEqual(summary["rejected"], 50)
        _, summary = self.send(self.table(devices), updateExisting="true")
        self.assertEqual(summary["unchanged"], 50)

    def test_objects_are_those_of_the_contract(self):
        device, wrong = harness.new_device(), {"deviceID": harness.new_imei(), "subscriberId": "none-such"}
        rows = "".join(json.dumps(row) + "\n" for row in [device.record(), wrong])
        rejected, summary = self.send(rows, OBJECTS)
        self.assertEqual([(row["index"], row["name"]) for row in rejected], [(1, "UnknownSubscriber")])
        self.assertEqual((summary["created"], summary["rejected"]), (1, 1))
        self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id)

    def test_many_refused_rows_do_not_stop_a_client_that_reads_late(self):
        rows = itertools.chain([b"deviceID\n"], (b"IMEI:490154203237510\n" for _ in range(30_000)))
        rejected, summary = self.send(rows)
        self.assertEqual((len(rejected), summary["rejected"], summary["rows"]), (30_000, 30_000, 30_000))

    def test_import_that_ended_is_not_done_again(self):
        name, devices = harness.new_name("import"), [harness.new_device() for _ in range(3)]
        headers = {"Import-Id": name}
        _, first = self.send(self.table(devices), headers=headers)
        self.system.deleteDeviceInstance(deviceID=devices[0].device_id)
        _, again = self.send(self.table(devices), headers=headers)
        self.assertEqual(again, first)
        with self.fault("UnknownDevice"):
            self.system.getDeviceInstanceByDeviceID(deviceID=devices[0].device_id)
        state = requests.get(f"{self.server.north}/api/v1/imports/{name}", timeout=10,
                             auth=(harness.ADMIN_NAME, harness.ADMIN_PASSWORD)).json()
        self.assertEqual((state["rows"], state["complete"]), (3, True))
