"""IDeploymentBrokerServices against simulated devices: what is asked for is done, and told truly."""

import concurrent.futures
import datetime

import harness
import wsi

VENDOR = "./Vendor/Example"
APN = f"{VENDOR}/ApnName"


def says_it_is(imei):
    """The behaviour of a device that gives another IMEI as its own."""
    return {"other_imei": imei.removeprefix("IMEI:")}


class Definitions(wsi.Case):
    def test_operations_are_listed_by_name_with_their_arguments(self):
        listed = self.system.getOperationDefinitions()
        names = [entry.operation for entry in listed.operationDefinition]
        self.assertLessEqual({"UPDATE", "QUERY", "EXECUTE", "DELETE", "SESSION"}, set(names))
        self.assertEqual(len(names), len(set(names)))
        self.assertEqual(listed.totalCount, len(names))
        for entry in listed.operationDefinition:
            self.assertTrue(entry.description)
            self.assertTrue(all(argument.name and argument.description for argument in entry.argument))


class Operations(wsi.Case):
    def succeeded(self, task_id):
        task = self.system.final_task(task_id)
        self.assertEqual(task.status, "SUCCEEDED", task)
        return task

    def test_query_without_paths_reads_what_the_device_says_about_itself(self):
        (device,) = self.fleet(harness.new_device())
        task = self.succeeded(self.system.operate(device, "QUERY"))
        values = wsi.results(task)
        self.assertEqual(values["./DevInfo/DevId"], device.device_id)
        self.assertTrue(values["./DevInfo/Man"])
        self.assertTrue(values["./DevDetail/SwV"])
        self.assertEqual(task.operation, "QUERY")
        self.assertEqual(task.deviceID, device.device_id)
        self.assertEqual(task.actualDeviceID, device.device_id)
        self.assertIsNone(task.jobId)
        self.assertGreaterEqual(task.attempts, 1)
        self.assertLessEqual(task.createdAt, task.finishedAt)

    def test_value_that_was_written_is_read_back_whatever_its_characters(self):
        (device,) = self.fleet(harness.new_device())
        for value in ["internet.example", "<&>\"']]>", "Grüße, 漢字 𝄞", "  two  spaces  "]:
            with self.subTest(value=value):
                self.succeeded(self.system.operate(device, "UPDATE", [(APN, value)]))
                task = self.succeeded(self.system.operate(device, "QUERY", [APN]))
                self.assertEqual([(node.path, node.value, node.status) for node in task.result], [(APN, value, 200)])

    def test_format_of_a_value_comes_back_with_it(self):
        (device,) = self.fleet(harness.new_device())
        node = f"{VENDOR}/Polling"
        self.succeeded(self.system.operate(device, "UPDATE", [(node, "60", "int")]))
        task = self.succeeded(self.system.operate(device, "QUERY", [node]))
        self.assertEqual([(one.value, one.format) for one in task.result], [("60", "int")])

    def test_node_is_made_read_deleted_and_then_missing(self):
        (device,) = self.fleet(harness.new_device())
        node = f"{VENDOR}/Settings/Colour"
        self.succeeded(self.system.operate(device, "UPDATE", [(node, "blue")], options={"create": "true"}))
        self.assertEqual(wsi.results(self.succeeded(self.system.operate(device, "QUERY", [node])))[node], "blue")
        self.succeeded(self.system.operate(device, "DELETE", [node]))
        task = self.system.final_task(self.system.operate(device, "QUERY", [node]))
        self.assertEqual((task.status, task.resultCode), ("FAILED", 404))
        self.assertEqual([(one.path, one.status) for one in task.result], [(node, 404)])

    def test_one_missing_node_fails_the_task_and_the_others_are_still_told(self):
        (device,) = self.fleet(harness.new_device())
        missing = f"{VENDOR}/None"
        task = self.system.final_task(self.system.operate(device, "QUERY", [APN, missing]))
        self.assertEqual(task.status, "FAILED")
        self.assertEqual(wsi.results(task)[APN], "internet")
        self.assertEqual({node.path: node.status for node in task.result}, {APN: 200, missing: 404})

    def test_execute_and_session_succeed(self):
        (device,) = self.fleet(harness.new_device())
        self.succeeded(self.system.operate(device, "EXECUTE", [f"{VENDOR}/Diagnose"]))
        self.succeeded(self.system.operate(device, "SESSION"))

    def test_discover_finds_the_nodes_below_its_root(self):
        (device,) = self.fleet(harness.new_device())
        offered = self.system.getOperationDefinitions().operationDefinition
        if "DISCOVER" not in [entry.operation for entry in offered]:
            with self.fault("UnsupportedOperation"):
                self.system.operate(device, "DISCOVER", [VENDOR])
            return
        task = self.succeeded(self.system.operate(device, "DISCOVER", [VENDOR]))
        found = {node.path for node in task.result}
        self.assertLessEqual({APN, f"{VENDOR}/Settings", f"{VENDOR}/Polling"}, found)
        self.assertFalse([path for path in found if not path.startswith(VENDOR)])

    def test_every_encoding_and_authentication_reads_the_same(self):
        kinds = [(encoding, auth) for encoding in ["xml", "wbxml"] for auth in ["MD5", "BASIC"]]
        devices = self.fleet(*[harness.new_device(encoding=encoding, auth=auth) for encoding, auth in kinds])
        tasks = [self.system.operate(device, "QUERY", ["./DevInfo/DevId"]) for device in devices]
        for kind, device, task in zip(kinds, devices, tasks):
            with self.subTest(kind=kind):
                self.assertEqual(wsi.results(self.succeeded(task)), {"./DevInfo/DevId": device.device_id})

    def test_tasks_of_one_device_are_done_in_the_order_they_were_asked_for(self):
        (device,) = self.fleet(harness.new_device())
        tasks = [self.system.operate(device, "UPDATE", [(APN, f"apn-{number}")]) for number in range(5)]
        read = self.system.operate(device, "QUERY", [APN])
        for task in tasks:
            self.succeeded(task)
        self.assertEqual(wsi.results(self.succeeded(read)), {APN: "apn-4"})

    def test_device_that_answers_is_seen_in_its_record(self):
        (device,) = self.fleet(harness.new_device())
        self.succeeded(self.system.operate(device, "SESSION"))

        def managed():
            record = self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id)
            return record if record.lastSeenAt else None

        record = harness.wait_until("the end of the session is in the record", managed)
        self.assertEqual(record.managementState, "MANAGED")

    def test_six_parameters_and_a_phone_number_are_a_complete_call(self):
        (device,) = self.fleet(harness.new_device())
        task = self.system.doOperation(
            operation="QUERY", phoneNumber=device.phone_number, bOptin=False, acceptDevicePolicy=20, testCycle=False
        )
        task = self.succeeded(task)
        self.assertEqual(task.phoneNumber, device.phone_number)

    def test_test_cycle_is_checked_recorded_and_not_sent(self):
        (device,) = self.fleet(harness.new_device())
        task = self.system.final_task(self.system.operate(device, "UPDATE", [(APN, "never")], testCycle=True))
        self.assertTrue(task.testCycle)
        self.assertEqual(task.status, "SUCCEEDED")
        self.assertTrue(task.statusDetail)
        read = self.succeeded(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(read), {APN: "internet"})

    def test_repeated_request_gives_the_first_task_and_does_it_once(self):
        (device,) = self.fleet(harness.new_device())
        key = harness.new_name("key")
        first = self.system.operate(device, "UPDATE", [(APN, "once")], requestId=key)
        again = self.system.operate(device, "UPDATE", [(APN, "once")], requestId=key)
        self.assertEqual(again, first)
        self.succeeded(first)
        self.assertEqual(self.system.operate(device, "UPDATE", [(APN, "once")], requestId=key), first)
        self.assertEqual(self.system.getTasks(deviceID=device.device_id).totalCount, 1)
        with self.fault("RequestIdReused"):
            self.system.operate(device, "UPDATE", [(APN, "twice")], requestId=key)

    def test_requests_with_one_request_id_at_the_same_time_make_one_task(self):
        device, key = harness.new_device(), harness.new_name("key")
        self.enrol(device)
        callers = [wsi.ExternalSystem(self.server, self.version) for _ in range(8)]
        for caller in callers:
            caller.user_session = self.system.user_session
        with concurrent.futures.ThreadPoolExecutor(len(callers)) as pool:
            tasks = list(pool.map(lambda caller: caller.operate(device, "QUERY", requestId=key), callers))
        self.assertEqual(len(set(tasks)), 1)
        self.assertEqual(self.system.getTasks(deviceID=device.device_id).totalCount, 1)

    def test_device_that_no_record_has_is_expected_at_a_known_number(self):
        arriving = harness.new_imei()
        (device,) = self.fleet(harness.new_device(behaviour=[says_it_is(arriving)]))
        task = self.system.doOperation(
            operation="QUERY", phoneNumber=device.phone_number, deviceID=arriving, bOptin=False,
            acceptDevicePolicy=20, testCycle=False,
        )
        task = self.succeeded(task)
        self.assertEqual((task.deviceID, task.actualDeviceID), (arriving, arriving))
        record = self.system.getDeviceInstanceByPhoneNumber(phoneNumber=device.phone_number)
        self.assertEqual(record.deviceID, arriving)

    def test_request_id_outside_its_limits_is_refused(self):
        device = harness.new_device()
        self.enrol(device)
        for key in ["", "x" * 129, "two words", "ü"]:
            with self.subTest(key=key), self.fault("InvalidArgument"):
                self.system.operate(device, "QUERY", requestId=key)

    def test_task_nobody_made_is_unknown(self):
        for task_id in ["none-such", "", "0" * 300]:
            with self.subTest(task_id=task_id), self.fault("UnknownTask"):
                self.system.getTaskById(taskId=task_id)


class OperationsSoap12(Operations):
    version = "1.2"


class Refusals(wsi.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.device = harness.new_device()
        cls.system.createDeviceInstance(deviceInstance=cls.device.record())

    def test_name_that_is_no_operation(self):
        with self.fault("UnknownOperation") as seen:
            self.system.operate(self.device, "REPAINT")
        self.assertIn("REPAINT", seen.text + "".join(seen.variables))

    def test_policy_that_asks_the_carrier(self):
        with self.fault("UnsupportedPolicy"):
            self.system.operate(self.device, "QUERY", policy=40)

    def test_device_nobody_knows(self):
        with self.fault("UnknownDevice"):
            self.system.operate(harness.new_device(), "QUERY")

    def test_number_nobody_knows(self):
        with self.fault("UnknownDevice"):
            self.system.operate(self.device, "QUERY", deviceID=None, phoneNumber=harness.new_device().phone_number)

    def test_neither_number_nor_device(self):
        with self.fault("MissingArgument"):
            self.system.operate(self.device, "QUERY", deviceID=None)

    def test_number_of_two_devices(self):
        number = harness.new_device().phone_number
        for _ in range(2):
            self.system.createDeviceInstance(deviceInstance={"deviceID": harness.new_imei(), "phoneNumber": number})
        with self.fault("AmbiguousDevice"):
            self.system.operate(self.device, "QUERY", deviceID=None, phoneNumber=number)

    def test_number_and_device_of_different_records(self):
        other = harness.new_device()
        self.enrol(other)
        with self.fault("DeviceMismatch"):
            self.system.operate(self.device, "QUERY", phoneNumber=other.phone_number)

    def test_operation_without_what_it_works_on(self):
        for operation in ["UPDATE", "EXECUTE", "DELETE"]:
            with self.subTest(operation=operation), self.fault("MissingArgument"):
                self.system.operate(self.device, operation)

    def test_number_that_is_none(self):
        with self.fault("InvalidArgument") as seen:
            self.system.operate(self.device, "QUERY", phoneNumber="+49 123")
        self.assertEqual(seen.variables[0], "phoneNumber")

    def test_device_that_is_suspended(self):
        device = harness.new_device()
        self.enrol(device, managementState="SUSPENDED")
        with self.fault("DeviceSuspended"):
            self.system.operate(device, "QUERY")

    def test_refused_request_makes_no_task(self):
        device = harness.new_device()
        self.enrol(device)
        with self.fault("UnsupportedPolicy"):
            self.system.operate(device, "QUERY", policy=40)
        self.assertEqual(self.system.getTasks(deviceID=device.device_id).totalCount, 0)


class BadDays(wsi.Case):
    """Devices and users that do not do what was hoped for."""

    def test_user_who_declines_rejects_the_task_and_nothing_is_written(self):
        (device,) = self.fleet(harness.new_device(behaviour=["declines"]))
        task = self.system.final_task(self.system.operate(device, "UPDATE", [(APN, "no")], bOptin=True))
        self.assertEqual(task.status, "REJECTED")
        read = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(read), {APN: "internet"})

    def test_user_who_agrees_lets_the_task_go_on(self):
        (device,) = self.fleet(harness.new_device())
        task = self.system.final_task(self.system.operate(device, "UPDATE", [(APN, "yes")], bOptin=True))
        self.assertEqual(task.status, "SUCCEEDED")

    def test_node_that_refuses_fails_the_task_with_the_status_of_the_device(self):
        refusing = {"fails_with": {"status": 405, "path": APN}}
        (device,) = self.fleet(harness.new_device(behaviour=[refusing]))
        task = self.system.final_task(self.system.operate(device, "UPDATE", [(APN, "x")]))
        self.assertEqual((task.status, task.resultCode), ("FAILED", 405))

    def test_device_of_another_type_gets_nothing_under_policy_10(self):
        other = harness.new_imei(tac="35000000")
        (device,) = self.fleet(harness.new_device(behaviour=[says_it_is(other)]))
        task = self.system.operate(device, "UPDATE", [(APN, "x")], policy=10, schedule={"maxAttempts": 1})
        task = self.system.final_task(task)
        self.assertEqual(task.status, "FAILED")
        self.assertIn(device.device_id, task.statusDetail)
        self.assertIn(other, task.statusDetail)

    def test_device_of_the_same_type_passes_under_policy_10_and_its_record_follows(self):
        other = harness.new_imei()
        (device,) = self.fleet(harness.new_device(behaviour=[says_it_is(other)]))
        task = self.system.final_task(self.system.operate(device, "QUERY", ["./DevInfo/DevId"], policy=10))
        self.assertEqual(task.status, "SUCCEEDED")
        self.assertEqual((task.deviceID, task.actualDeviceID), (device.device_id, other))
        record = self.system.getDeviceInstanceByPhoneNumber(phoneNumber=device.phone_number)
        self.assertEqual(record.deviceID, other)

    def test_device_with_a_wrong_secret_gets_nothing(self):
        stranger, known = self.fleet(harness.new_device(behaviour=["wrong_credentials"]), harness.new_device())
        refused = self.system.operate(stranger, "QUERY")
        # By the time another device of the fleet has been served twice, this one has tried too.
        for _ in range(2):
            self.system.final_task(self.system.operate(known, "SESSION"))
        task = self.system.getTaskById(taskId=refused)
        self.assertNotIn(task.status, wsi.FINAL)
        self.assertEqual((task.attempts, task.result), (0, []))

    def test_task_of_a_device_that_never_connects_expires_at_its_end_time(self):
        device = harness.new_device()
        self.enrol(device)
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=3)
        task = self.system.operate(device, "QUERY", schedule={"endTime": end})
        self.assertNotIn(self.system.getTaskById(taskId=task).status, wsi.FINAL)
        self.assertEqual(self.system.final_task(task).status, "EXPIRED")

    def test_task_waits_for_its_start_time(self):
        (device,) = self.fleet(harness.new_device())
        start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        later = self.system.operate(device, "UPDATE", [(APN, "later")], schedule={"startTime": start})
        now = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(now), {APN: "internet"})
        self.assertEqual(self.system.getTaskById(taskId=later).status, "SCHEDULED")

    def test_lost_connection_ends_in_a_task_that_succeeds(self):
        drops = {"drops_connection": {"after_message": 2, "times": 1}}
        (device,) = self.fleet(harness.new_device(behaviour=[drops]))
        task = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(task.status, "SUCCEEDED")

    def test_device_that_sends_everything_twice_is_served_as_any_other(self):
        (device,) = self.fleet(harness.new_device(behaviour=["repeats_message"]))
        task = self.system.final_task(self.system.operate(device, "UPDATE", [(APN, "once")]))
        self.assertEqual(task.status, "SUCCEEDED")
        read = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(read), {APN: "once"})


class Bulk(wsi.Case):
    def request(self, device, operation="QUERY", **more):
        return {
            "operation": operation, "bOptin": False, "acceptDevicePolicy": 20, "testCycle": False,
            "deviceID": device.device_id, **more,
        }

    def test_entries_become_tasks_one_by_one_and_the_impossible_is_rejected(self):
        first, second = self.fleet(harness.new_device(), harness.new_device(encoding="wbxml"))
        write = {"parameter": [{"path": APN, "value": "bulk"}]}
        receipt = self.system.doBulkOperation(
            request=[
                self.request(first),
                self.request(harness.new_device()),
                self.request(second, "UPDATE", arguments=write),
                self.request(second, "REPAINT"),
            ],
            name="mixed",
        )
        self.assertEqual([(entry.index, entry.messageId) for entry in receipt.rejected],
                         [(1, "DMS0103"), (3, "DMS0004")])
        self.assertEqual(len(receipt.taskId), 2)
        job = self.system.final_job(receipt.jobId)
        self.assertEqual((job.status, job.name), ("COMPLETED", "mixed"))
        self.assertIsNone(job.operation)
        tasks = [self.system.getTaskById(taskId=task) for task in receipt.taskId]
        self.assertEqual([task.deviceID for task in tasks], [first.device_id, second.device_id])
        self.assertEqual({task.jobId for task in tasks}, {receipt.jobId})
        self.assertEqual({task.status for task in tasks}, {"SUCCEEDED"})

    def test_entry_with_a_bad_request_id_does_not_keep_the_others_back(self):
        device = harness.new_device()
        self.enrol(device)
        receipt = self.system.doBulkOperation(request=[
            self.request(device, testCycle=True), self.request(device, requestId="two words"),
        ])
        self.assertEqual(len(receipt.taskId), 1)
        self.assertEqual([(entry.index, entry.messageId) for entry in receipt.rejected], [(1, "DMS0001")])

    def test_thousand_entries_are_taken_and_one_more_is_refused(self):
        device = harness.new_device()
        self.enrol(device)
        request = self.request(device, testCycle=True)
        with self.fault("TooManyEntries"):
            self.system.doBulkOperation(request=[request] * 1001)
        receipt = self.system.doBulkOperation(request=[request] * 1000)
        self.assertEqual(len(set(receipt.taskId)), 1000)
        self.assertEqual(self.system.final_job(receipt.jobId).status, "COMPLETED")

    def test_repetition_with_one_request_id_gives_the_first_job(self):
        device, key = harness.new_device(), harness.new_name("key")
        self.enrol(device)
        first = self.system.doBulkOperation(request=[self.request(device)], requestId=key)
        again = self.system.doBulkOperation(request=[self.request(device)], requestId=key)
        self.assertEqual(again, first)
        with self.fault("RequestIdReused"):
            self.system.doBulkOperation(request=[self.request(device)] * 2, requestId=key)
