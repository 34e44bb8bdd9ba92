"""IBulkOperationsManagerServices: jobs, their tasks, their history, and how they are stopped."""

import datetime

import harness
import wsi

APN = "./Vendor/Example/ApnName"


def utc_now():
    return datetime.datetime.now(datetime.timezone.utc)


def deployment(devices, operation="QUERY", **more):
    """A deployment on devices, or on what a selector says."""
    if not isinstance(devices, dict):
        devices = {"deviceID": [device.device_id for device in devices]}
    return {
        "name": harness.new_name("deployment"), "operation": operation, "devices": devices, "bOptin": False,
        "acceptDevicePolicy": 20, "testCycle": False, **more,
    }


class JobCase(wsi.Case):
    """What the tests of jobs have in common."""

    def deploy(self, *deployments, **more):
        receipt = self.system.createDeployments(deployment=list(deployments), **more)
        self.assertEqual(receipt.rejected, [])
        return receipt.jobId

    def devices(self, count):
        """Devices that are switched off."""
        devices = [harness.new_device() for _ in range(count)]
        records = [device.record() for device in devices]
        self.assertEqual(self.system.importDeviceInstances(deviceInstance=records, updateExisting=False).created, count)
        return devices

    def made(self, job_id, count):
        """Waits until the tasks of a job have been made in the background."""
        def tasks():
            found = self.system.getTasks(jobId=job_id)
            return found if found.totalCount == count else None
        return harness.wait_until(f"job {job_id} has {count} tasks", tasks)


class Jobs(JobCase):
    def test_deployment_runs_on_every_device_and_completes(self):
        devices = self.fleet(*[harness.new_device() for _ in range(3)])
        write = {"parameter": [{"path": APN, "value": "deployed"}]}
        (job_id,) = self.deploy(deployment(devices, "UPDATE", arguments=write, description="for all three"))
        job = self.system.final_job(job_id)
        self.assertEqual((job.status, job.operation, job.owner), ("COMPLETED", "UPDATE", harness.ADMIN_NAME))
        self.assertEqual(job.description, "for all three")
        self.assertEqual({count.status: count.count for count in job.taskCount}, {"SUCCEEDED": 3})
        self.assertLessEqual(job.createdAt, job.finishedAt)
        tasks = self.system.getTasks(jobId=job_id).task
        self.assertCountEqual([task.deviceID for task in tasks], [device.device_id for device in devices])
        for device in devices:
            read = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
            self.assertEqual(wsi.results(read), {APN: "deployed"})

    def test_deployments_of_one_call_are_accepted_or_rejected_one_by_one(self):
        (device,) = self.devices(1)
        receipt = self.system.createDeployments(deployment=[
            deployment([device]),
            deployment({}),
            deployment([device], "REPAINT"),
            deployment([device], acceptDevicePolicy=40),
            deployment([device]),
        ])
        self.assertEqual([(entry.index, entry.messageId) for entry in receipt.rejected],
                         [(1, "DMS0002"), (2, "DMS0004"), (3, "DMS0006")])
        self.assertEqual(len(set(receipt.jobId)), 2)

    def test_hundred_deployments_are_taken_and_one_more_is_refused(self):
        (device,) = self.devices(1)
        with self.fault("TooManyEntries"):
            self.system.createDeployments(deployment=[deployment([device], testCycle=True)] * 101)
        self.assertEqual(len(self.deploy(*[deployment([device], testCycle=True)] * 100)), 100)

    def test_selector_that_matches_nothing_makes_a_job_that_is_complete_at_once(self):
        (job_id,) = self.deploy(deployment({"filter": {"manufacturer": harness.new_name("nobody")}}))
        job = self.system.final_job(job_id)
        self.assertEqual((job.status, job.taskCount), ("COMPLETED", []))
        self.assertEqual(self.system.getTasks(jobId=job_id).totalCount, 0)

    def test_filter_selects_its_devices(self):
        maker = harness.new_name("Maker")
        for _ in range(3):
            device = harness.new_device()
            self.system.createDeviceInstance(deviceInstance=device.record(manufacturer=maker))
        (job_id,) = self.deploy(deployment({"filter": {"manufacturer": maker}}, testCycle=True))
        self.assertEqual({count.count for count in self.system.final_job(job_id).taskCount}, {3})

    def test_repetition_with_one_request_id_gives_the_first_jobs(self):
        (device,) = self.devices(1)
        key, one = harness.new_name("key"), deployment([device])
        first = self.system.createDeployments(deployment=[one], requestId=key)
        self.assertEqual(self.system.createDeployments(deployment=[one], requestId=key), first)
        with self.fault("RequestIdReused"):
            self.system.createDeployments(deployment=[one, one], requestId=key)

    def test_jobs_are_listed_newest_first_and_in_pages(self):
        (device,) = self.devices(1)
        begun = utc_now()
        made = [self.deploy(deployment([device]))[0] for _ in range(5)]
        pages = list(self.system.pages(
            "getJobsByDate", "job", 2, fromDate=begun - datetime.timedelta(seconds=1),
            toDate=utc_now() + datetime.timedelta(minutes=1),
        ))
        seen = [job.jobId for page, _ in pages for job in page if job.jobId in made]
        self.assertEqual(seen, made[::-1])
        times = [job.createdAt for page, _ in pages for job in page]
        self.assertEqual(times, sorted(times, reverse=True))

    def test_jobs_are_filtered_by_state_and_owner(self):
        (device,) = self.devices(1)
        (job_id,) = self.deploy(deployment([device]))
        self.assertIn(job_id, [job.jobId for job in self.system.getJobs(owner=harness.ADMIN_NAME).job])
        self.assertEqual(self.system.getJobs(owner=harness.new_name("nobody")).totalCount, 0)
        completed = self.system.getJobs(status=["COMPLETED", "STOPPED"])
        self.assertNotIn(job_id, [job.jobId for job in completed.job])
        self.assertLessEqual({job.status for job in completed.job}, {"COMPLETED", "STOPPED"})

    def test_dates_that_do_not_follow_each_other_are_refused(self):
        now = utc_now()
        for span in [0, -1]:
            with self.subTest(span=span), self.fault("ConflictingArguments"):
                self.system.getJobsByDate(fromDate=now, toDate=now + datetime.timedelta(seconds=span))

    def test_jobs_of_a_time_before_there_were_any_are_none(self):
        zone = datetime.timezone.utc
        found = self.system.getJobsByDate(
            fromDate=datetime.datetime(2001, 1, 1, tzinfo=zone), toDate=datetime.datetime(2002, 1, 1, tzinfo=zone)
        )
        self.assertEqual((found.totalCount, found.job, found.nextPageToken), (0, [], None))

    def test_unknown_job_is_told_by_every_operation_on_jobs(self):
        for operation in ["getJobById", "getTasks", "getTaskHistory", "cancelJob", "pauseJob", "restartJob"]:
            with self.subTest(operation=operation), self.fault("UnknownJob"):
                getattr(self.system, operation)(jobId="none-such")


class JobsSoap12(Jobs):
    version = "1.2"


class TaskLists(JobCase):
    def test_list_of_none_one_and_many_tasks_of_a_device(self):
        for count in [0, 1, 5]:
            with self.subTest(count=count):
                (device,) = self.devices(1)
                made = [self.system.operate(device, "QUERY") for _ in range(count)]
                found = self.system.getTasks(deviceID=device.device_id)
                self.assertEqual(found.totalCount, count)
                self.assertEqual([task.taskId for task in found.task], made)

    def test_tasks_are_found_by_number_and_time_and_state(self):
        (device,) = self.devices(1)
        begun = utc_now() - datetime.timedelta(seconds=1)
        task = self.system.doOperation(
            operation="QUERY", phoneNumber=device.phone_number, bOptin=False, acceptDevicePolicy=20, testCycle=False
        )
        find = self.system.getTasks
        self.assertEqual([found.taskId for found in find(phoneNumber=device.phone_number).task], [task])
        since = find(createdSince=begun, deviceID=device.device_id)
        self.assertEqual([found.taskId for found in since.task], [task])
        self.assertEqual(find(createdSince=utc_now() + datetime.timedelta(hours=1)).totalCount, 0)
        self.assertEqual(find(deviceID=device.device_id, status=["SUCCEEDED"]).totalCount, 0)
        waiting = find(deviceID=device.device_id, status=["SCHEDULED", "NOTIFYING"])
        self.assertEqual(waiting.totalCount, 1)

    def test_pages_of_a_job_show_each_task_once(self):
        devices = self.devices(5)
        (job_id,) = self.deploy(deployment(devices))
        self.made(job_id, 5)
        pages = list(self.system.pages("getTasks", "task", 2, jobId=job_id))
        self.assertEqual([len(page) for page, _ in pages], [2, 2, 1])
        seen = [task.deviceID for page, _ in pages for task in page]
        self.assertCountEqual(seen, [device.device_id for device in devices])

    def test_list_without_any_criterion_is_refused(self):
        with self.fault("MissingArgument"):
            self.system.getTasks()

    def test_history_of_a_task_tells_its_life_in_order(self):
        (device,) = self.fleet(harness.new_device())
        task_id = self.system.operate(device, "QUERY", [APN])
        self.system.final_task(task_id)
        history = self.system.getTaskHistory(taskId=task_id)
        self.assertEqual(history.totalCount, len(history.entry))
        self.assertEqual({entry.taskId for entry in history.entry}, {task_id})
        statuses = [entry.status for entry in history.entry]
        self.assertEqual(statuses[-1], "SUCCEEDED")
        self.assertIn("IN_PROGRESS", statuses)
        self.assertEqual([status in wsi.FINAL for status in statuses].count(True), 1)
        times = [entry.at for entry in history.entry]
        self.assertEqual(times, sorted(times))
        self.assertTrue(all(entry.event for entry in history.entry))
        in_pages = [entry for page, _ in self.system.pages("getTaskHistory", "entry", 1, taskId=task_id)
                    for entry in page]
        self.assertEqual(in_pages, history.entry)

    def test_history_of_a_job_holds_that_of_each_task(self):
        devices = self.fleet(harness.new_device(), harness.new_device())
        (job_id,) = self.deploy(deployment(devices))
        self.system.final_job(job_id)
        tasks = [task.taskId for task in self.system.getTasks(jobId=job_id).task]
        history = self.system.getTaskHistory(jobId=job_id)
        self.assertEqual({entry.taskId for entry in history.entry}, set(tasks))
        times = [entry.at for entry in history.entry]
        self.assertEqual(times, sorted(times))
        narrowed = self.system.getTaskHistory(jobId=job_id, taskId=tasks[0])
        self.assertEqual({entry.taskId for entry in narrowed.entry}, {tasks[0]})
        alone = self.system.operate(devices[0], "SESSION")
        with self.fault("ConflictingArguments"):
            self.system.getTaskHistory(jobId=job_id, taskId=alone)

    def test_history_of_nothing_is_refused(self):
        with self.fault("MissingArgument"):
            self.system.getTaskHistory()
        with self.fault("UnknownTask"):
            self.system.getTaskHistory(taskId="none-such")


class Stopping(JobCase):
    def test_cancelled_task_is_never_done(self):
        (device,) = self.devices(1)
        task_id = self.system.operate(device, "UPDATE", [(APN, "never")])
        self.assertEqual(self.system.cancelTask(taskId=task_id, reason="changed our mind").status, "CANCELLED")
        self.assertEqual(self.system.cancelTask(taskId=task_id).status, "CANCELLED")
        history = self.system.getTaskHistory(taskId=task_id).entry
        self.assertEqual(history[-1].actor, harness.ADMIN_NAME)
        self.assertIn("changed our mind", history[-1].detail)
        fleet = harness.Fleet(self.server, [device])
        self.addCleanup(fleet.end)
        read = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(read), {APN: "internet"})
        self.assertEqual(self.system.getTaskById(taskId=task_id).status, "CANCELLED")

    def test_task_that_is_done_cannot_be_cancelled(self):
        (device,) = self.fleet(harness.new_device())
        task_id = self.system.operate(device, "SESSION")
        self.system.final_task(task_id)
        with self.fault("WrongState") as seen:
            self.system.cancelTask(taskId=task_id)
        self.assertIn("SUCCEEDED", seen.variables)
        with self.fault("UnknownTask"):
            self.system.cancelTask(taskId="none-such")

    def test_cancelled_job_cancels_each_task_that_is_not_final(self):
        (job_id,) = self.deploy(deployment(self.devices(3)))
        self.made(job_id, 3)
        self.assertIn(self.system.cancelJob(jobId=job_id, reason="stop").status, ["CANCELLING", "CANCELLED"])
        job = self.system.final_job(job_id)
        self.assertEqual(job.status, "CANCELLED")
        self.assertEqual({count.status: count.count for count in job.taskCount}, {"CANCELLED": 3})
        self.assertEqual({task.status for task in self.system.getTasks(jobId=job_id).task}, {"CANCELLED"})
        self.assertEqual(self.system.cancelJob(jobId=job_id).status, "CANCELLED")
        with self.fault("WrongState"):
            self.system.restartJob(jobId=job_id)

    def test_job_that_is_complete_cannot_be_cancelled(self):
        devices = self.fleet(harness.new_device())
        (job_id,) = self.deploy(deployment(devices, "SESSION"))
        self.system.final_job(job_id)
        with self.fault("WrongState"):
            self.system.cancelJob(jobId=job_id)

    def test_paused_job_starts_nothing_until_it_is_restarted(self):
        (device,) = self.devices(1)
        (job_id,) = self.deploy(deployment([device], "UPDATE", arguments={"parameter": [{"path": APN, "value": "x"}]}))
        self.made(job_id, 1)
        self.assertEqual(self.system.pauseJob(jobId=job_id).status, "PAUSED")
        self.assertEqual(self.system.pauseJob(jobId=job_id).status, "PAUSED")
        fleet = harness.Fleet(self.server, [device])
        self.addCleanup(fleet.end)
        read = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(read), {APN: "internet"})
        self.assertEqual(self.system.restartJob(jobId=job_id).status, "RUNNING")
        self.assertEqual(self.system.final_job(job_id).status, "COMPLETED")

    def test_deleting_a_device_cancels_its_tasks(self):
        (device,) = self.devices(1)
        task_id = self.system.operate(device, "QUERY")
        self.system.deleteDeviceInstance(deviceID=device.device_id)
        self.assertEqual(self.system.final_task(task_id).status, "CANCELLED")
