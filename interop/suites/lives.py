"""A server of its own: empty, ended, killed, and started again on what it kept."""

import unittest

import zeep.helpers

import harness
import wsi


class Lives(unittest.TestCase):
    def setUp(self):
        self.server = harness.Server()
        self.addCleanup(lambda: self.server.end())

    def login(self):
        return wsi.ExternalSystem(self.server).login()

    def test_empty_server_has_empty_lists(self):
        system = self.login()
        for answer, entries in [
            (system.getJobs(), "job"),
            (system.getDeviceInstances(), "deviceInstance"),
            (system.getDeviceCapabilities(), "deviceCapability"),
        ]:
            self.assertEqual((answer.totalCount, answer[entries], answer.nextPageToken), (0, [], None))

    def test_everything_that_was_answered_is_there_after_a_kill(self):
        system = self.login()
        device, key = harness.new_device(), harness.new_name("key")
        record = system.createDeviceInstance(deviceInstance=device.record())
        task_id = system.operate(device, "QUERY", ["./DevInfo/DevId"], requestId=key)
        receipt = system.createDeployments(deployment=[{
            "name": "kept", "operation": "SESSION", "devices": {"deviceID": [device.device_id]}, "bOptin": False,
            "acceptDevicePolicy": 20, "testCycle": False,
        }])
        self.server.process.kill()
        self.server.end()

        self.server = harness.Server(data=self.server.data)

        system = self.login()
        # Each zeep client makes classes of its own, and objects of two clients are never equal.
        kept = zeep.helpers.serialize_object(system.getDeviceInstanceByOid(oid=record.oid))
        self.assertEqual(kept, zeep.helpers.serialize_object(record))
        self.assertNotIn(system.getTaskById(taskId=task_id).status, wsi.FINAL)
        again = system.operate(device, "QUERY", ["./DevInfo/DevId"], requestId=key)
        self.assertEqual(again, task_id)
        with harness.Fleet(self.server, [device]):
            task = system.final_task(task_id)
            self.assertEqual(wsi.results(task), {"./DevInfo/DevId": device.device_id})
            self.assertEqual(system.final_job(receipt.jobId[0]).status, "COMPLETED")

    def test_server_that_is_asked_to_end_ends_well(self):
        self.login()
        self.assertEqual(self.server.end(), 0)

    def test_devices_go_on_with_a_server_that_was_killed_under_them(self):
        devices = [harness.new_device(behaviour=[{"slow": {"ms": 100}}]) for _ in range(8)]
        system = self.login()
        system.importDeviceInstances(deviceInstance=[device.record() for device in devices], updateExisting=False)
        write = {"parameter": [{"path": f"./Vendor/Example/Settings/N{number}", "value": str(number)}
                               for number in range(20)],
                 "option": [{"name": "create", "value": "true"}, {"name": "repeatable", "value": "true"}]}
        (job_id,) = system.createDeployments(deployment=[{
            "name": "killed", "operation": "UPDATE", "devices": {"deviceID": [device.device_id for device in devices]},
            "bOptin": False, "acceptDevicePolicy": 20, "testCycle": False, "arguments": write,
            "schedule": {"maxAttempts": 10, "retryDelaySeconds": 0},
        }])["jobId"]
        harness.wait_until("the job has its tasks", lambda: system.getTasks(jobId=job_id).totalCount == len(devices))
        north, south = self.server.north, self.server.south
        with harness.Fleet(self.server, devices):
            harness.wait_until("some device is being served", lambda: system.getTasks(
                jobId=job_id, status=["IN_PROGRESS", "SUCCEEDED"]).totalCount > 0)
            self.server.process.kill()
            self.server.end()
            self.server = harness.Server(data=self.server.data, north=north, south=south)
            system = self.login()
            job = system.final_job(job_id)
        self.assertEqual((job.status, {count.status for count in job.taskCount}), ("COMPLETED", {"SUCCEEDED"}), job)

    def test_second_server_on_the_same_folder_is_refused_and_the_first_goes_on(self):
        with self.assertRaises(AssertionError) as refused:
            harness.Server(data=self.server.data).end()
        self.assertIn("ended at once with 1", str(refused.exception))
        self.assertEqual(self.login().getJobs().totalCount, 0)
