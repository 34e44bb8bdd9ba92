// Every operation of the served WSDL, by both SOAP versions, with a simulated device that carries out what is asked.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ADMIN, fleet, newDevice, record, serve } from "../server.mjs";
import { connect } from "../system.mjs";
import { administration } from "./administration.mjs";

const APN = "./Vendor/Example/ApnName";
const asked = { bOptin: false, acceptDevicePolicy: 20, testCycle: false };

// Port types whose operations this server does not offer: they are described, and answered with NotImplemented.
const NOT_OFFERED = ["IEventServicesPort", "IContentServicesPort", "ITunnelServicesPort"];

for (const version of ["1.1", "1.2"]) {
  describe(`SOAP ${version}`, () => {
    let server, system, devices, device, known;

    before(async () => {
      server = await serve();
      system = await connect(server, version, { login: ADMIN });
      known = [newDevice(), newDevice()];
      for (const one of known) await system.call("createDeviceInstance", { deviceInstance: record(one) });
      devices = fleet(server, known);
      device = known[0];
    });
    after(async () => {
      await devices?.end();
      await server?.end();
    });

    test(`${version}: getServiceInfo tells the version of the contract`, async () => {
      const { serviceInfo } = await system.call("getServiceInfo");
      assert.equal(serviceInfo.contractVersion, "1.0");
      assert.ok(Number(serviceInfo.maxRequestBytes) > 0);
    });

    test(`${version}: a session is renewed and ended`, async () => {
      const other = await connect(server, version, { login: ADMIN });
      const { renewedSession } = await other.call("renewSession");
      assert.equal(renewedSession.userName, ADMIN.name);
      await other.call("logout");
      await other.refused("getServiceInfo", {}, "NotAuthenticated");
      for (const name of other.called) system.called.add(name);
    });

    test(`${version}: doOperation is carried out and getTaskById tells the true value`, async () => {
      const value = `node-${version}-${Date.now()}`;
      const written = await system.call("doOperation", {
        operation: "UPDATE", ...asked, deviceID: device.deviceID, arguments: { parameter: [{ path: APN, value }] },
      });
      assert.equal((await system.finished(written.taskId)).status, "SUCCEEDED");
      const read = await system.call("doOperation", {
        operation: "QUERY", phoneNumber: device.phoneNumber, ...asked, arguments: { parameter: [{ path: APN }] },
      });
      const task = await system.finished(read.taskId);
      assert.equal(task.status, "SUCCEEDED");
      assert.deepEqual(task.result.map(({ path, value }) => ({ path, value })), [{ path: APN, value }]);
    });

    test(`${version}: getOperationDefinitions lists what can be asked for`, async () => {
      const { operationDefinitions } = await system.call("getOperationDefinitions");
      const names = operationDefinitions.operationDefinition.map((one) => one.operation);
      for (const name of ["UPDATE", "QUERY", "EXECUTE", "DELETE", "SESSION"]) assert.ok(names.includes(name), name);
    });

    test(`${version}: doBootstrap says that this server does not do it`, async () => {
      await system.refused("doBootstrap", { phoneNumber: [device.phoneNumber], ...asked }, "UnsupportedOperation");
    });

    test(`${version}: doBulkOperation takes and rejects entries one by one`, async () => {
      const { receipt } = await system.call("doBulkOperation", {
        request: [
          { operation: "SESSION", ...asked, deviceID: device.deviceID },
          { operation: "SESSION", ...asked, deviceID: "NOBODY:1" },
        ],
        name: "two",
      });
      assert.equal(receipt.taskId.length, 1);
      assert.equal(Number(receipt.rejected[0].index), 1);
      assert.equal(receipt.rejected[0].messageId, "DMS0103");
      assert.equal((await system.finished(receipt.taskId[0])).status, "SUCCEEDED");
    });

    test(`${version}: a job is made, listed, paused, restarted and cancelled`, async () => {
      const { receipt } = await system.call("createDeployments", {
        deployment: [{
          name: "node job", operation: "SESSION", devices: { deviceID: [device.deviceID] }, ...asked,
          schedule: { startTime: new Date(Date.now() + 3_600_000).toISOString() },
        }],
      });
      const jobId = receipt.jobId[0];
      assert.equal((await system.call("getJobById", { jobId })).job.status, "SCHEDULED");
      assert.equal((await system.call("pauseJob", { jobId })).job.status, "PAUSED");
      assert.match((await system.call("restartJob", { jobId })).job.status, /SCHEDULED|RUNNING/);
      assert.match((await system.call("cancelJob", { jobId })).job.status, /CANCELL/);
      const { jobs } = await system.call("getJobs", { owner: ADMIN.name });
      assert.ok(jobs.job.some((job) => job.jobId === jobId));
      const fromDate = new Date(Date.now() - 600_000).toISOString();
      const toDate = new Date(Date.now() + 600_000).toISOString();
      const byDate = (await system.call("getJobsByDate", { fromDate, toDate })).jobs;
      assert.equal(Number(byDate.totalCount), Number(jobs.totalCount));
    });

    test(`${version}: a wave of a job waits at its gate until it is released`, async () => {
      const { receipt } = await system.call("createDeployments", {
        deployment: [{
          name: "node waves", operation: "SESSION", devices: { deviceID: known.map((one) => one.deviceID) }, ...asked,
          schedule: { wave: [{ count: 1, manualGate: true }, { percent: 100 }] },
        }],
      });
      const jobId = receipt.jobId[0];
      const waves = ({ job }) => (job.waveProgress ?? []).map((wave) => wave.state);
      const gated = await system.seen("getJobById", { jobId }, (answer) => waves(answer)[0] === "GATED");
      assert.deepEqual(waves(gated), ["GATED", "WAITING"]);
      await system.call("releaseWave", { jobId, reason: "the first one is well" });
      const ended = await system.seen("getJobById", { jobId }, ({ job }) => job.status === "COMPLETED");
      assert.deepEqual(ended.job.taskCount.map(({ status, count }) => [status, Number(count)]), [["SUCCEEDED", 2]]);
      await system.refused("releaseWave", { jobId }, "WrongState");
    });

    test(`${version}: tasks are listed, told step by step and cancelled`, async () => {
      const { taskId } = await system.call("doOperation", {
        operation: "SESSION", ...asked, deviceID: device.deviceID,
        schedule: { startTime: new Date(Date.now() + 3_600_000).toISOString() },
      });
      assert.equal((await system.call("cancelTask", { taskId })).task.status, "CANCELLED");
      const { tasks } = await system.call("getTasks", { deviceID: device.deviceID });
      assert.ok(tasks.task.some((task) => task.taskId === taskId));
      const { history } = await system.call("getTaskHistory", { taskId });
      assert.equal(Number(history.totalCount), history.entry.length);
      assert.equal(history.entry.at(-1).status, "CANCELLED");
    });

    test(`${version}: a device record lives through its operations`, async () => {
      const fresh = newDevice();
      const made = (await system.call("createDeviceInstance", {
        deviceInstance: record(fresh, { group: ["field", "north"] }),
      })).storedDeviceInstance;
      assert.equal(Number(made.version), 1);
      const oid = made.oid;
      const byId = (await system.call("getDeviceInstanceByDeviceID", { deviceID: fresh.deviceID })).deviceInstance;
      assert.deepEqual(byId.group, ["field", "north"]);
      const byNumber = await system.call("getDeviceInstanceByPhoneNumber", { phoneNumber: fresh.phoneNumber });
      assert.equal(byNumber.deviceInstance.oid, oid);
      assert.equal((await system.call("getDeviceInstanceByOid", { oid })).deviceInstance.oid, oid);
      const changed = await system.call("updateDeviceInstance", {
        deviceInstance: { oid, deviceID: fresh.deviceID, firmwareVersion: "2.0", version: 1 },
      });
      assert.equal(Number(changed.storedDeviceInstance.version), 2);
      const { deviceInstances } = await system.call("getDeviceInstances", { page: { pageSize: 1 } });
      assert.equal(deviceInstances.deviceInstance.length, 1);
      assert.ok(deviceInstances.nextPageToken);
      const again = newDevice();
      const { importResult } = await system.call("importDeviceInstances", {
        deviceInstance: [record(again), { deviceID: fresh.deviceID, firmwareVersion: "3.0" }], updateExisting: true,
      });
      assert.deepEqual([Number(importResult.created), Number(importResult.updated)], [1, 1]);
      await system.call("deleteDeviceInstance", { oid });
      await system.refused("getDeviceInstanceByOid", { oid }, "UnknownDevice");
    });

    test(`${version}: a capability record lives through its operations`, async () => {
      const line = { manufacturer: `Maker ${version}`, model: "One", firmwareVersion: "1", tac: ["35999900"] };
      const made = (await system.call("createDeviceCapability", { deviceCapability: line })).storedDeviceCapability;
      const { oid } = made;
      assert.equal((await system.call("getDeviceCapabilityByOid", { oid })).deviceCapability.oid, oid);
      const byModel = await system.call("getDeviceCapabilityByModel", {
        manufacturer: line.manufacturer, model: "One", firmwareVersion: "1",
      });
      assert.equal(byModel.deviceCapability.oid, oid);
      const one = newDevice();
      await system.call("createDeviceInstance", { deviceInstance: record(one, { deviceCapabilityOid: oid }) });
      const byDevice = await system.call("getDeviceCapabilityByDeviceID", { deviceID: one.deviceID });
      assert.equal(byDevice.deviceCapability.oid, oid);
      await system.refused("deleteDeviceCapability", { oid }, "InUse");
      await system.call("deleteDeviceInstance", { deviceID: one.deviceID });
      const { deviceCapabilities } = await system.call("getDeviceCapabilities", { manufacturer: line.manufacturer });
      assert.equal(Number(deviceCapabilities.totalCount), 1);
      const changed = await system.call("updateDeviceCapability", {
        deviceCapability: { ...line, oid, wbxml: true, version: 1 },
      });
      assert.equal(Number(changed.storedDeviceCapability.version), 2);
      await system.call("deleteDeviceCapability", { oid });
      await system.refused("getDeviceCapabilityByOid", { oid }, "UnknownCapability");
    });

    test(`${version}: what a device says is recorded and shown`, async () => {
      const { traceSetting } = await system.call("setDeviceTrace", { deviceID: device.deviceID, enabled: true });
      assert.ok(traceSetting);
      const { taskId } = await system.call("doOperation", { operation: "SESSION", ...asked, deviceID: device.deviceID });
      await system.finished(taskId);
      const { deviceTrace } = await system.call("getDeviceTrace", { deviceID: device.deviceID });
      assert.ok(Number(deviceTrace.totalCount) >= 1);
      const [session] = deviceTrace.session;
      const { traceMessages } = await system.call("getTraceMessages", {
        deviceID: device.deviceID, session: session.number,
      });
      assert.ok(Number(traceMessages.totalCount) >= 2);
    });

    test(`${version}: a subscriber lives through its operations`, async () => {
      const one = newDevice();
      await system.call("createDeviceInstance", { deviceInstance: record(one) });
      const given = { phoneNumber: one.phoneNumber, accountReference: `account-${version}`, optIn: true };
      const made = (await system.call("createSubscriber", { subscriber: given })).storedSubscriber;
      const { subscriberId } = made;
      const assigned = (await system.call("assignDevice", { subscriberId, deviceID: one.deviceID })).subscriber;
      assert.deepEqual(assigned.deviceID, [one.deviceID]);
      assert.equal((await system.call("getSubscriberById", { subscriberId })).subscriber.optIn, true);
      const byNumber = await system.call("getSubscriberByPhoneNumber", { phoneNumber: one.phoneNumber });
      assert.equal(byNumber.subscriber.subscriberId, subscriberId);
      const { subscribers } = await system.call("getSubscribers", { accountReference: `account-${version}` });
      assert.equal(Number(subscribers.totalCount), 1);
      const changed = await system.call("updateSubscriber", {
        subscriber: { ...given, subscriberId, optIn: false, version: made.version },
      });
      assert.equal(Number(changed.storedSubscriber.version), Number(made.version) + 1);
      const left = (await system.call("unassignDevice", { subscriberId, deviceID: one.deviceID })).subscriber;
      assert.equal(left.deviceID, undefined);
      await system.call("deleteSubscriber", { subscriberId });
      await system.refused("getSubscriberById", { subscriberId }, "UnknownSubscriber");
    });

    administration(version, () => ({ server, system, device }));

    for (const port of NOT_OFFERED) {
      test(`${version}: operations of ${port} are described and not offered`, async () => {
        const { described } = await import("../system.mjs");
        const names = described(system.client)[port];
        assert.ok(names.length > 0);
        for (const name of names) {
          const fault = await system.call(name, {}).then(() => assert.fail(`${name} was taken`), (it) => it);
          assert.equal(fault.detail?.name, "NotImplemented", `${name}: ${fault.message}`);
        }
      });
    }

    test(`${version}: no operation of the WSDL was left out`, async () => {
      const untried = [...system.ports.keys()].filter((name) => !system.called.has(name));
      assert.deepEqual(untried, []);
    });
  });
}
