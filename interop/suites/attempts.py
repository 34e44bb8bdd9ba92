"""Attempts on devices that refuse, change, say little at a time or come back: what becomes of a task."""

import harness
import wsi

VENDOR = "./Vendor/Example"
APN = f"{VENDOR}/ApnName"


def says_it_is(imei):
    """The behaviour of a device that gives another IMEI as its own."""
    return {"other_imei": imei.removeprefix("IMEI:")}


class Attempts(wsi.Case):
    def task(self, behaviour, operation="UPDATE", paths=((APN, "x"),), **more):
        """The final task of one operation on a device of this behaviour."""
        (device,) = self.fleet(harness.new_device(behaviour=behaviour))
        return self.system.final_task(self.system.operate(device, operation, paths, **more))

    def in_progress_count(self, task):
        history = self.system.getTaskHistory(taskId=task.taskId).entry
        return [entry.status for entry in history].count("IN_PROGRESS")

    def test_status_that_is_worth_another_attempt_gets_as_many_as_were_allowed(self):
        for status in [408, 417, 420, 500, 503, 506, 511]:
            with self.subTest(status=status):
                task = self.task([{"fails_with": {"status": status, "path": APN}}],
                                 schedule={"maxAttempts": 2, "retryDelaySeconds": 0})
                self.assertEqual((task.status, task.resultCode, task.attempts), ("FAILED", status, 2))
                self.assertEqual([(node.path, node.status) for node in task.result], [(APN, status)])

    def test_every_other_status_of_failure_is_final_at_once(self):
        for status in [401, 403, 404, 405, 406, 413, 414, 415, 418, 425, 501, 505, 510, 516]:
            with self.subTest(status=status):
                task = self.task([{"fails_with": {"status": status, "path": APN}}],
                                 schedule={"maxAttempts": 2, "retryDelaySeconds": 0})
                self.assertEqual((task.status, task.resultCode, task.attempts), ("FAILED", status, 1))

    def test_user_who_cancels_rejects_the_task(self):
        task = self.task(["cancels"], bOptin=True)
        self.assertEqual((task.status, task.resultCode), ("REJECTED", 214))

    def test_user_who_declines_rejects_the_task(self):
        task = self.task(["declines"], bOptin=True)
        self.assertEqual((task.status, task.resultCode), ("REJECTED", 304))

    def test_user_who_does_not_answer_is_asked_again_while_attempts_are_left(self):
        task = self.task(["no_answer_from_user"], bOptin=True, schedule={"maxAttempts": 2, "retryDelaySeconds": 0})
        self.assertEqual((task.status, task.resultCode, task.attempts), ("FAILED", 408, 2))
        history = [entry.status for entry in self.system.getTaskHistory(taskId=task.taskId).entry]
        self.assertIn("RETRY_WAIT", history)
        self.assertIn("AWAITING_USER", history)

    def test_another_device_gets_nothing_under_policy_20_and_the_right_one_may_yet_come(self):
        device, other = harness.new_device(), harness.new_imei()
        self.enrol(device)
        task = self.system.operate(device, "UPDATE", [(APN, "mine")], schedule={"retryDelaySeconds": 0})
        impostor = harness.Device(**{**vars(device), "behaviour": [says_it_is(other)]})
        with harness.Fleet(self.server, [impostor]):
            def waits():
                seen = self.system.getTaskById(taskId=task)
                return seen if seen.status in {"RETRY_WAIT", *wsi.FINAL} and seen.attempts else None
            seen = harness.wait_until("the wrong device has tried", waits)
            self.assertNotIn(seen.status, {"SUCCEEDED", "REJECTED", "CANCELLED", "EXPIRED"})
            self.assertIn(device.device_id, seen.statusDetail)
            self.assertIn(other, seen.statusDetail)
            self.assertEqual(seen.result, [])

    def test_any_device_passes_under_policy_30_and_the_record_follows_it(self):
        other = harness.new_imei(tac="35000000")
        (device,) = self.fleet(harness.new_device(behaviour=[says_it_is(other)]))
        task = self.system.final_task(self.system.operate(device, "QUERY", ["./DevInfo/DevId"], policy=30))
        self.assertEqual((task.status, task.deviceID, task.actualDeviceID), ("SUCCEEDED", device.device_id, other))
        record = self.system.getDeviceInstanceByPhoneNumber(phoneNumber=device.phone_number)
        self.assertEqual(record.deviceID, other)
        with self.fault("UnknownDevice"):
            self.system.getDeviceInstanceByDeviceID(deviceID=device.device_id)

    def test_device_that_poses_as_another_with_an_account_is_refused_whatever_the_policy(self):
        victim, bystander = harness.new_device(), harness.new_device()
        self.enrol(victim)
        poser, _ = self.fleet(harness.new_device(behaviour=[says_it_is(victim.device_id)]), bystander)
        task = self.system.operate(poser, "QUERY", policy=30)
        theirs = self.system.operate(victim, "QUERY", policy=30)
        for _ in range(3):
            self.system.final_task(self.system.operate(bystander, "SESSION"))
        for task_id in [task, theirs]:
            seen = self.system.getTaskById(taskId=task_id)
            self.assertNotEqual(seen.status, "SUCCEEDED")
            self.assertEqual(seen.result, [])
        record = self.system.getDeviceInstanceByPhoneNumber(phoneNumber=poser.phone_number)
        self.assertEqual(record.deviceID, poser.device_id)

    def test_device_that_takes_over_a_record_without_account_takes_its_open_tasks(self):
        bare, number = harness.new_imei(), harness.new_device().phone_number
        self.system.createDeviceInstance(deviceInstance={"deviceID": bare, "phoneNumber": number})
        waiting = self.system.doOperation(
            operation="QUERY", deviceID=bare, bOptin=False, acceptDevicePolicy=20, testCycle=False
        )
        (device,) = self.fleet(harness.new_device(behaviour=[says_it_is(bare)]))
        moved = self.system.final_task(self.system.operate(device, "QUERY", ["./DevInfo/DevId"], policy=30))
        self.assertEqual((moved.status, moved.actualDeviceID), ("SUCCEEDED", bare))
        record = self.system.getDeviceInstanceByDeviceID(deviceID=bare)
        self.assertEqual((record.phoneNumber, record.dmAccount.clientName), (device.phone_number, device.client_name))
        self.assertEqual(self.system.final_task(waiting).status, "SUCCEEDED")

    def test_message_numbers_with_gaps_are_served(self):
        self.assertEqual(self.task(["skips_msg_id"]).status, "SUCCEEDED")

    def test_device_that_takes_its_time_is_served(self):
        self.assertEqual(self.task([{"slow": {"ms": 150}}]).status, "SUCCEEDED")

    def test_many_commands_in_small_messages_all_arrive(self):
        (device,) = self.fleet(harness.new_device(behaviour=[{"small_messages": {"max_msg_size": 2000}}]))
        nodes = [(f"{VENDOR}/Settings/N{number}", str(number)) for number in range(60)]
        task = self.system.final_task(self.system.operate(device, "UPDATE", nodes, options={"create": "true"}))
        self.assertEqual((task.status, {node.status for node in task.result}), ("SUCCEEDED", {200}), task)
        read = self.system.final_task(self.system.operate(device, "QUERY", [path for path, _ in nodes]))
        self.assertEqual(wsi.results(read), dict(nodes))

    def test_atomic_update_happens_wholly_or_not_at_all(self):
        failing = f"{VENDOR}/Polling"
        (device,) = self.fleet(harness.new_device(behaviour=[{"fails_with": {"status": 405, "path": failing}}]))
        task = self.system.operate(device, "UPDATE", [(APN, "half"), (failing, "1", "int")], options={"atomic": "true"})
        self.assertEqual(self.system.final_task(task).status, "FAILED")
        read = self.system.final_task(self.system.operate(device, "QUERY", [APN]))
        self.assertEqual(wsi.results(read), {APN: "internet"})

    def test_lost_connections_end_in_success_while_attempts_are_left_and_in_failure_when_they_run_out(self):
        for times, status in [(2, "SUCCEEDED"), (20, "FAILED")]:
            with self.subTest(times=times):
                drops = {"drops_connection": {"after_message": 2, "times": times}}
                task = self.task([drops], "QUERY", [APN], schedule={"maxAttempts": 4, "retryDelaySeconds": 0})
                self.assertEqual(task.status, status)
                self.assertLessEqual(task.attempts, 4)
