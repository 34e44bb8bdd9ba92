// The faults of the contract as the toolkit reads them: name, code, side and HTTP status.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ADMIN, newDevice, record, serve } from "../server.mjs";
import { connect } from "../system.mjs";

const READER = { name: "node-reader", password: "a password of a reader", role: "reader" };
const asked = { bOptin: false, acceptDevicePolicy: 20, testCycle: false };

for (const version of ["1.1", "1.2"]) {
  describe(`SOAP ${version}`, () => {
    let server, admin, reader, device;
    before(async () => {
      server = await serve({ principals: [READER] });
      admin = await connect(server, version, { login: ADMIN });
      reader = await connect(server, version, { login: READER });
      device = newDevice();
      await admin.call("createDeviceInstance", { deviceInstance: record(device) });
    });
    after(() => server?.end());

    const operation = (more) => ({ operation: "SESSION", ...asked, deviceID: device.deviceID, ...more });

    // Fault name, messageId, operation, parameters.
    const rows = [
      ["InvalidArgument", "DMS0001", "getDeviceInstances", () => ({ page: { pageSize: 0 } })],
      ["MissingArgument", "DMS0002", "doOperation", () => ({ operation: "SESSION", ...asked })],
      ["ConflictingArguments", "DMS0003", "getJobsByDate", () => ({
        fromDate: "2026-02-01T00:00:00Z", toDate: "2026-01-01T00:00:00Z",
      })],
      ["UnknownOperation", "DMS0004", "doOperation", () => operation({ operation: "REPAINT" })],
      ["UnsupportedPolicy", "DMS0006", "doOperation", () => operation({ acceptDevicePolicy: 40 })],
      ["InvalidPageToken", "DMS0007", "getDeviceInstances", () => ({ page: { pageToken: "AAAA" } })],
      ["UnknownTask", "DMS0101", "getTaskById", () => ({ taskId: "none" })],
      ["UnknownJob", "DMS0102", "getJobById", () => ({ jobId: "none" })],
      ["UnknownDevice", "DMS0103", "getDeviceInstanceByDeviceID", () => ({ deviceID: "NOBODY:1" })],
      ["UnknownCapability", "DMS0104", "getDeviceCapabilityByOid", () => ({ oid: "none" })],
      ["UnknownSubscriber", "DMS0105", "getSubscriberById", () => ({ subscriberId: "none" })],
      ["UnknownTenant", "DMS0112", "getTenantByName", () => ({ name: "none" })],
      ["UnknownPrincipal", "DMS0113", "getPrincipalByName", () => ({ name: "none" })],
      ["UnknownRole", "DMS0114", "getRoleByName", () => ({ name: "none" })],
      ["UnknownApproval", "DMS0115", "getApprovalById", () => ({ approvalId: "none" })],
      ["UnknownCallbackAddress", "DMS0118", "getCallbackAddressById", () => ({ callbackAddressId: "none" })],
      ["UnknownCredential", "DMS0119", "revokeApiKey", () => ({ keyId: "none" })],
      ["UnknownCredential", "DMS0119", "deleteIdentityProvider", () => ({ name: "none" })],
      ["InvalidArgument", "DMS0001", "addTrustedCertificateAuthority", () => ({ certificate: "no PEM" })],
      ["InvalidArgument", "DMS0001", "setApprovalPolicy", () => ({ approvalPolicy: { windowHours: 0 } })],
      ["AlreadyExists", "DMS0201", "createPrincipal", () => ({ principal: { name: READER.name } })],
      ["WrongState", "DMS0203", "updateRole", () => ({ role: { name: "reader", right: ["task.read"] } })],
      ["AlreadyExists", "DMS0201", "createDeviceInstance", () => ({ deviceInstance: record(device) })],
      ["OutdatedVersion", "DMS0202", "updateDeviceInstance", () => ({
        deviceInstance: { deviceID: device.deviceID, version: 99 },
      })],
      ["CallbackRefused", "DMS0301", "doOperation", () => operation({ callback: { address: "https://127.0.0.1/cb" } })],
    ];
    for (const [name, messageId, call, parameters] of rows) {
      test(`${version}: ${name} of ${call}`, async () => {
        const fault = await admin.refused(call, parameters(), name);
        assert.equal(fault.messageId, messageId);
      });
    }

    test(`${version}: NotAuthorized names object and operation`, async () => {
      const fault = await reader.refused("doOperation", operation(), "NotAuthorized");
      assert.deepEqual(fault.variable, ["device", "operate"]);
    });

    test(`${version}: RequestIdReused where a key comes with other content`, async () => {
      const schedule = { startTime: new Date(Date.now() + 3_600_000).toISOString() };
      const requestId = `key-${version}-${Date.now()}`;
      const first = await admin.call("doOperation", operation({ requestId, schedule }));
      const again = await admin.call("doOperation", operation({ requestId, schedule }));
      assert.equal(again.taskId, first.taskId);
      await admin.refused("doOperation", operation({ requestId, schedule, operation: "QUERY" }), "RequestIdReused");
    });

    test(`${version}: WrongState where a task is final`, async () => {
      const { taskId } = await admin.call("doOperation", operation({ testCycle: true }));
      const fault = await admin.refused("cancelTask", { taskId }, "WrongState");
      assert.match(fault.text, /SUCCEEDED|final/);
    });

    test(`${version}: the side that is to blame and the HTTP status are those of the version`, async () => {
      const fault = await admin.call("getTaskById", { taskId: "none" }).catch((it) => it);
      assert.equal(fault.status, version === "1.1" ? 500 : 400);
      assert.match(fault.code, version === "1.1" ? /Client$/ : /Sender$/);
      if (version === "1.2") assert.match(String(fault.subcode?.$value ?? fault.subcode), /UnknownTask$/);
    });
  });
}
