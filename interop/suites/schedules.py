"""When the tasks of a job run and how fast, when a job stops, and how it is restarted."""

import datetime

import harness
import wsi
from suites.jobs import APN, JobCase, deployment, utc_now

WRITE = {"parameter": [{"path": APN, "value": "x"}]}
FAILS = [{"fails_with": {"status": 405, "path": APN}}]


class Schedules(JobCase):
    def counts(self, job):
        return {count.status: count.count for count in job.taskCount}

    def switch_on(self, *devices):
        fleet = harness.Fleet(self.server, devices)
        self.addCleanup(fleet.end)
        return fleet

    def test_job_waits_for_its_start_time_and_runs_then(self):
        (device,) = self.fleet(harness.new_device())
        start = utc_now() + datetime.timedelta(seconds=3)
        (job_id,) = self.deploy(deployment([device], "UPDATE", arguments=WRITE, schedule={"startTime": start}))
        early = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(early), {APN: "internet"})
        self.assertEqual(self.system.getJobById(jobId=job_id).status, "SCHEDULED")
        job = self.system.final_job(job_id)
        self.assertEqual((job.status, self.counts(job)), ("COMPLETED", {"SUCCEEDED": 1}))
        self.assertGreaterEqual(job.finishedAt, start.replace(microsecond=0))

    def test_job_is_complete_when_its_tasks_have_expired(self):
        end = utc_now() + datetime.timedelta(seconds=2)
        (job_id,) = self.deploy(deployment(self.devices(2), schedule={"endTime": end}))
        job = self.system.final_job(job_id)
        self.assertEqual((job.status, self.counts(job)), ("COMPLETED", {"EXPIRED": 2}))

    def test_nothing_starts_outside_the_daily_window(self):
        (device,) = self.fleet(harness.new_device())

        def window(first, last):
            now = utc_now()
            times = [(now + datetime.timedelta(hours=hours)).time().replace(microsecond=0) for hours in [first, last]]
            return {"dailyWindowStart": times[0], "dailyWindowEnd": times[1]}

        closed = self.system.operate(device, "UPDATE", [(APN, "closed")], schedule=window(2, 3))
        (job_id,) = self.deploy(deployment([device], "UPDATE", arguments=WRITE, schedule=window(2, 3)))
        read = self.system.final_task(self.system.operate(device, "QUERY", [APN], schedule=window(-1, 1)))
        self.assertEqual(wsi.results(read), {APN: "internet"})
        self.assertEqual(self.system.getTaskById(taskId=closed).status, "SCHEDULED")
        self.assertNotIn(self.system.getJobById(jobId=job_id).status, wsi.FINAL_JOB)

    def test_deployment_that_cannot_be_kept_does_not_keep_the_others_back(self):
        (device,) = self.devices(1)
        now = utc_now()
        receipt = self.system.createDeployments(deployment=[
            deployment([device], testCycle=True),
            deployment([device], schedule={"startTime": now, "endTime": now - datetime.timedelta(hours=1)}),
            deployment({"deviceCapabilityOid": ["none-such"]}),
            deployment([device], requestId="two words"),
            deployment([device], priority=10),
            deployment([device], testCycle=True),
        ])
        self.assertEqual([(entry.index, entry.messageId) for entry in receipt.rejected],
                         [(1, "DMS0001"), (2, "DMS0104"), (3, "DMS0001"), (4, "DMS0001")])
        self.assertEqual(len(set(receipt.jobId)), 2)

    def test_schedule_that_cannot_be_kept_is_refused(self):
        (device,) = self.devices(1)
        now, hour = utc_now(), datetime.timedelta(hours=1)
        refused = [
            ("InvalidArgument", {"startTime": now + 2 * hour, "endTime": now + hour}),
            ("InvalidArgument", {"endTime": now - hour}),
            ("InvalidArgument", {"maxAttempts": 0}),
            ("InvalidArgument", {"retryDelaySeconds": -1}),
            ("InvalidArgument", {"timeZone": "Nowhere/City", "dailyWindowStart": datetime.time(1),
                                 "dailyWindowEnd": datetime.time(2)}),
        ]
        for name, schedule in refused:
            with self.subTest(schedule=schedule), self.fault(name):
                self.system.operate(device, "QUERY", schedule=schedule)
            receipt = self.system.createDeployments(deployment=[deployment([device], schedule=schedule)])
            self.assertEqual([entry.messageId for entry in receipt.rejected], [wsi.MESSAGE_IDS[name]])

    def test_job_of_few_tasks_at_once_still_comes_to_its_end(self):
        devices = self.fleet(*[harness.new_device() for _ in range(5)])
        (job_id,) = self.deploy(deployment(devices, "UPDATE", arguments=WRITE, schedule={"maxConcurrentTasks": 1}))
        job = self.system.final_job(job_id)
        self.assertEqual((job.status, self.counts(job)), ("COMPLETED", {"SUCCEEDED": 5}))

    def test_only_so_many_tasks_start_in_a_minute(self):
        devices = self.fleet(*[harness.new_device() for _ in range(4)])
        (job_id,) = self.deploy(deployment(devices, "UPDATE", arguments=WRITE, schedule={"tasksPerMinute": 2}))

        def two_are_done():
            return self.counts(self.system.getJobById(jobId=job_id)).get("SUCCEEDED", 0) >= 2

        harness.wait_until("two tasks are done", two_are_done)
        # Each device connects again and again meanwhile, with leave to do other things.
        for device in devices:
            self.system.final_task(self.system.operate(device, "SESSION"))
        job = self.system.getJobById(jobId=job_id)
        self.assertEqual((job.status, self.counts(job)["SUCCEEDED"]), ("RUNNING", 2))
        self.system.cancelJob(jobId=job_id)

    def test_job_stops_when_too_many_tasks_failed(self):
        devices = [harness.new_device(behaviour=FAILS) for _ in range(6)]
        self.enrol(*devices)
        (job_id,) = self.deploy(deployment(
            devices, "UPDATE", arguments=WRITE, schedule={"failureThresholdPercent": 10, "maxConcurrentTasks": 1}
        ))
        self.made(job_id, 6)
        failing = self.switch_on(*devices)
        job = self.system.final_job(job_id)
        self.assertEqual(job.status, "STOPPED")
        self.assertTrue(job.statusDetail)
        counts = self.counts(job)
        self.assertGreaterEqual(counts["FAILED"], 1)
        self.assertLess(counts["FAILED"], 6)
        failing.end()
        with self.fault("WrongState"):
            self.system.restartJob(jobId=job_id)
        with self.fault("WrongState"):
            self.system.cancelJob(jobId=job_id)

    def test_failed_tasks_run_again_on_request_and_the_history_keeps_all(self):
        devices = [harness.new_device(behaviour=FAILS), harness.new_device()]
        self.enrol(*devices)
        first = self.switch_on(*devices)
        (job_id,) = self.deploy(deployment(devices, "UPDATE", arguments=WRITE))
        job = self.system.final_job(job_id)
        self.assertEqual((job.status, self.counts(job)), ("COMPLETED", {"FAILED": 1, "SUCCEEDED": 1}))
        first.end()
        with self.fault("WrongState") as seen:
            self.system.restartJob(jobId=job_id)
        self.assertIn("COMPLETED", seen.variables)
        (failed,) = self.system.getTasks(jobId=job_id, status=["FAILED"]).task
        self.assertEqual(self.system.restartJob(jobId=job_id, retryFailed=True, reason="mended").status, "RUNNING")

        def begun_again():
            task = self.system.getTaskById(taskId=failed.taskId)
            return None if task.status in wsi.FINAL else task

        again = harness.wait_until("the failed task waits for its device again", begun_again)
        self.assertEqual((again.attempts, again.finishedAt), (0, None))
        devices[0].behaviour = []
        self.switch_on(*devices)
        job = self.system.final_job(job_id)
        self.assertEqual((job.status, self.counts(job)), ("COMPLETED", {"SUCCEEDED": 2}))
        statuses = [entry.status for entry in self.system.getTaskHistory(taskId=failed.taskId).entry]
        self.assertIn("FAILED", statuses)
        self.assertEqual(statuses[-1], "SUCCEEDED")

    def test_next_wave_waits_at_the_gate_and_a_wave_that_goes_wrong_pauses_the_job(self):
        devices = [harness.new_device() for _ in range(4)]
        self.enrol(*devices)
        fleet = self.switch_on(*devices)
        # One at a time: there is something left to be paused when the first of the second wave has failed.
        waves = [{"count": 1, "manualGate": True}, {"percent": 100, "failureThresholdPercent": 0}]
        schedule = {"wave": waves, "maxConcurrentTasks": 1}
        (job_id,) = self.deploy(deployment(devices, "UPDATE", arguments=WRITE, schedule=schedule))
        states = lambda: [wave.state for wave in self.system.getJobById(jobId=job_id).waveProgress]
        harness.wait_until("the first wave waits at its gate", lambda: states()[:1] == ["GATED"])
        self.assertEqual(self.counts(self.system.getJobById(jobId=job_id))["SUCCEEDED"], 1)
        fleet.end()
        for device in devices:
            device.behaviour = FAILS
        self.switch_on(*devices)
        self.system.releaseWave(jobId=job_id, reason="well for a day")

        def paused():
            job = self.system.getJobById(jobId=job_id)
            return job if job.status == "PAUSED" else None

        job = harness.wait_until("the second wave pauses the job", paused)
        self.assertIn("failureThresholdPercent", job.statusDetail)
        self.assertEqual([wave.state for wave in job.waveProgress], ["PASSED", "STOPPED"])
        self.system.cancelJob(jobId=job_id)
        with self.fault("WrongState"):
            self.system.releaseWave(jobId=job_id)

    def test_running_job_is_returned_as_it_is_by_a_restart(self):
        (job_id,) = self.deploy(deployment(self.devices(1)))
        self.made(job_id, 1)
        harness.wait_until("the job runs", lambda: self.system.getJobById(jobId=job_id).status == "RUNNING")
        self.assertEqual(self.system.restartJob(jobId=job_id).status, "RUNNING")
        self.system.cancelJob(jobId=job_id)

    def test_selector_adds_up_numbers_identifiers_and_capabilities_and_counts_each_device_once(self):
        by_number, by_id, by_capability, twice = self.devices(4)
        capability = self.system.createDeviceCapability(
            deviceCapability={"manufacturer": harness.new_name("Maker"), "model": "One"}
        )
        for device in [by_capability, twice]:
            self.system.updateDeviceInstance(
                deviceInstance={"deviceID": device.device_id, "phoneNumber": device.phone_number,
                                "deviceCapabilityOid": capability.oid}
            )
        (job_id,) = self.deploy(deployment({
            "phoneNumber": [by_number.phone_number, twice.phone_number],
            "deviceID": [by_id.device_id, twice.device_id],
            "deviceCapabilityOid": [capability.oid],
        }))
        self.made(job_id, 4)
        tasks = self.system.getTasks(jobId=job_id).task
        self.assertCountEqual([task.deviceID for task in tasks],
                              [device.device_id for device in [by_number, by_id, by_capability, twice]])
        self.system.cancelJob(jobId=job_id)

    def test_tasks_of_a_higher_priority_come_first(self):
        (device,) = self.devices(1)
        low, high = self.deploy(
            deployment([device], "UPDATE", priority=1, arguments={"parameter": [{"path": APN, "value": "one"}]}),
            deployment([device], "UPDATE", priority=9, arguments={"parameter": [{"path": APN, "value": "nine"}]}),
        )
        self.made(low, 1)
        self.made(high, 1)
        self.switch_on(device)
        jobs = [self.system.final_job(job) for job in [high, low]]
        self.assertLessEqual(*[job.finishedAt for job in jobs])
        read = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(read), {APN: "one"})
