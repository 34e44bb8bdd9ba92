// The operations of IAdministrationServices, one test for each subject. Imported by the tests of all operations.

import assert from "node:assert/strict";
import { test } from "node:test";

import { authority } from "../certificates.mjs";
import { newDevice, record } from "../server.mjs";
import { connect } from "../system.mjs";

const PASSWORD = "a password of twelve and more";
const asked = { bOptin: false, acceptDevicePolicy: 20, testCycle: false };
const list = (value) => (value === undefined ? [] : [value].flat());

/** Defines the tests; `world()` gives the server and the administrator once they are there. */
export function administration(version, world) {
  const tag = version.replace(".", "-");
  const principal = async (name, role) => {
    const { server, system } = world();
    await system.call("createPrincipal", { principal: { name, grant: [{ role }] }, password: PASSWORD });
    return connect(server, version, { login: { name, password: PASSWORD } });
  };

  test(`${version}: a tenant lives through its operations`, async () => {
    const { system } = world();
    const name = `tenant-${tag}`;
    const made = (await system.call("createTenant", { tenant: { name, displayName: "One" }, requestId: name })).storedTenant;
    assert.deepEqual([made.name, made.status, Number(made.version)], [name, "ACTIVE", 1]);
    const again = await system.call("createTenant", { tenant: { name, displayName: "One" }, requestId: name });
    assert.equal(again.storedTenant.name, name);
    const changed = await system.call("updateTenant", { tenant: { name, status: "SUSPENDED", version: 1 } });
    assert.deepEqual([changed.storedTenant.status, Number(changed.storedTenant.version)], ["SUSPENDED", 2]);
    assert.equal((await system.call("getTenantByName", { name })).tenant.status, "SUSPENDED");
    const { tenants } = await system.call("getTenants");
    assert.ok(tenants.tenant.some((one) => one.name === name));
    await system.refused("deleteTenant", { name, version: 1 }, "OutdatedVersion");
    await system.call("deleteTenant", { name, version: 2 });
    await system.refused("getTenantByName", { name }, "UnknownTenant");
  });

  test(`${version}: a role and who was given it live through their operations`, async () => {
    const { server, system } = world();
    const [role, name] = [`night-${tag}`, `partner-${tag}`];
    const made = await system.call("createRole", { role: { name: role, about: "At night.", right: ["device.read"] } });
    assert.deepEqual(made.storedRole.right, ["device.read"]);
    const given = { name, kind: "PERSON", grant: [{ role }] };
    const stored = (await system.call("createPrincipal", { principal: given, password: PASSWORD })).storedPrincipal;
    assert.deepEqual([stored.kind, stored.hasPassword, stored.grant[0].role], ["PERSON", true, role]);
    const partner = await connect(server, version, { login: { name, password: PASSWORD } });
    const rights = async () => list((await partner.call("getOwnRights")).ownRights.right).map((one) => one.right);
    assert.deepEqual(await rights(), ["device.read"]);
    const wider = { name: role, right: ["device.read", "task.read"], version: 1 };
    await system.call("updateRole", { role: wider });
    assert.deepEqual((await rights()).sort(), ["device.read", "task.read"]);
    assert.deepEqual((await system.call("getRoleByName", { name: role })).role.right, wider.right);
    const names = list((await system.call("getRoles")).roles.role).map((one) => one.name);
    for (const one of ["administrator", "reader", role]) assert.ok(names.includes(one), one);
    await system.refused("deleteRole", { name: role }, "InUse");

    await system.call("setPassword", { name, password: `${PASSWORD} anew` });
    await partner.refused("getOwnRights", {}, "NotAuthenticated");
    const changed = { name, kind: "PERSON", enabled: false, grant: [{ role: "reader" }], version: 2 };
    await system.refused("updatePrincipal", { principal: { ...changed, version: 99 } }, "OutdatedVersion");
    const { version: now } = (await system.call("getPrincipalByName", { name })).principal;
    const after = (await system.call("updatePrincipal", { principal: { ...changed, version: now } })).storedPrincipal;
    assert.deepEqual([after.enabled, after.grant[0].role], [false, "reader"]);
    const { principals } = await system.call("getPrincipals");
    assert.ok(principals.principal.some((one) => one.name === name));
    await system.call("deletePrincipal", { name });
    await system.refused("getPrincipalByName", { name }, "UnknownPrincipal");
    await system.call("deleteRole", { name: role });
    await system.refused("getRoleByName", { name: role }, "UnknownRole");
    for (const one of partner.called) system.called.add(one);
  });

  test(`${version}: an API key lets in until it is revoked, and no further than it reaches`, async () => {
    const { server, system } = world();
    const { createdApiKey } = await system.call("createApiKey", { name: "shop", right: ["device.read"] });
    const { key } = createdApiKey;
    const { keyId } = createdApiKey.apiKey;
    const get = (path) => fetch(`${server.north}/api/v1${path}`, { headers: { Authorization: `Bearer ${key}` } });
    assert.equal((await get("/devices")).status, 200);
    assert.equal((await get("/tenants")).status, 403);
    const keys = list((await system.call("getApiKeys")).apiKeys.apiKey);
    const told = keys.find((one) => one.keyId === keyId);
    assert.deepEqual([told.name, told.active, told.key], ["shop", true, undefined]);
    await system.call("revokeApiKey", { keyId });
    assert.equal((await get("/devices")).status, 401);
  });

  test(`${version}: certificates are trusted, bound, revoked and forgotten`, async () => {
    const { system } = world();
    const pem = authority(`node-${tag}`);
    const made = await system.call("addTrustedCertificateAuthority", { certificate: pem.certificate, name: "own" });
    const { authorityId, subject } = made.certificateAuthority;
    assert.match(authorityId, /^[0-9a-f]{64}$/);
    assert.match(subject, new RegExp(`node-${tag} authority`));
    const all = (await system.call("getTrustedCertificateAuthorities")).certificateAuthorities;
    assert.ok(list(all.certificateAuthority).some((one) => one.authorityId === authorityId));
    const kept = await system.call("setCertificateRevocationList", { authorityId, revocationList: pem.revoked });
    assert.ok(kept.certificateAuthority.listMadeAt);

    const principal = `bound-${tag}`;
    await system.call("createPrincipal", { principal: { name: principal, grant: [{ role: "reader" }] } });
    const name = { nameKind: "DNS", nameValue: `node-${tag}.example` };
    await system.call("bindCertificate", { principal, ...name });
    const finger = (await system.call("bindCertificate", { principal, certificate: pem.leaf })).certificateBinding;
    assert.match(finger.nameValue, /^[0-9a-f]{64}$/);
    const bound = async () => list((await system.call("getCertificates", { principal })).certificateBindings.certificateBinding);
    assert.equal((await bound()).length, 2);
    await system.call("unbindCertificate", name);
    assert.deepEqual((await bound()).map((one) => one.nameKind), [finger.nameKind]);

    const revoked = (await system.call("revokeCertificate", { certificate: pem.leaf, reason: "lost" })).revokedCertificate;
    assert.match(revoked.serialNumber, /1234$/);
    const { revokedCertificates } = await system.call("getRevokedCertificates");
    assert.ok(list(revokedCertificates.revokedCertificate).some((one) => one.reason === "lost"));
    await system.call("removeTrustedCertificateAuthority", { authorityId });
    await system.refused("setCertificateRevocationList", { authorityId, revocationList: pem.revoked }, "UnknownCredential");
  });

  test(`${version}: an identity provider lives through its operations`, async () => {
    const { system } = world();
    const name = `corp-${tag}`;
    const given = { name, issuer: `https://login-${tag}.example`, clientId: "muster" };
    const stored = (await system.call("createIdentityProvider", { identityProvider: given })).storedIdentityProvider;
    assert.equal(stored.issuer, given.issuer);
    const changed = { ...given, displayName: "Corp", version: stored.version };
    assert.equal((await system.call("updateIdentityProvider", { identityProvider: changed })).storedIdentityProvider.displayName, "Corp");
    const { identityProviders } = await system.call("getIdentityProviders");
    assert.ok(list(identityProviders.identityProvider).some((one) => one.name === name));
    await system.call("deleteIdentityProvider", { name });
    await system.refused("deleteIdentityProvider", { name }, "UnknownCredential");
  });

  test(`${version}: a callback address and what waits for it are managed`, async () => {
    const { system, device } = world();
    const address = `https://partner-${tag}.example/hooks`;
    const made = await system.call("createCallbackAddress", {
      callbackAddress: { address, kind: "WEBHOOK", secret: "0123456789abcdef" },
    });
    const { callbackAddressId } = made.storedCallbackAddress;
    const stored = (await system.call("getCallbackAddressById", { callbackAddressId })).callbackAddress;
    assert.deepEqual([stored.address, stored.secret], [address, undefined]);
    const rotated = await system.call("rotateCallbackSecret", { callbackAddressId, overlapSeconds: 60 });
    const { secret, version: now } = Object.values(rotated).find((one) => one?.callbackAddressId);
    assert.ok(secret.length >= 16);
    const changed = await system.call("updateCallbackAddress", {
      callbackAddress: { callbackAddressId, address, kind: "WEBHOOK", description: "orders", version: now },
    });
    assert.equal(changed.storedCallbackAddress.description, "orders");
    const { callbackAddresses } = await system.call("getCallbackAddresses", { kind: "WEBHOOK" });
    assert.ok(list(callbackAddresses.callbackAddress).some((one) => one.callbackAddressId === callbackAddressId));
    // Its name leads nowhere, so that what is told waits for it.
    await system.call("doOperation", {
      operation: "SESSION", deviceID: device.deviceID, ...asked, testCycle: true, callback: { address: `${address}/1` },
    });
    const { callbackQueues } = await system.call("getCallbackQueues");
    const queue = list(callbackQueues.callbackQueue).find((one) => one.callbackAddressId === callbackAddressId);
    assert.equal(queue.address, `${address}/1`);
    assert.equal(Number((await system.call("getDeadLetters", { callbackAddressId })).deadLetters.totalCount), 0);
    const { replayReceipt } = await system.call("replayDeadLetters", { callbackAddressId });
    assert.equal(Number(replayReceipt.replayedCount), 0);
    await system.call("deleteCallbackAddress", { callbackAddressId });
    await system.refused("getCallbackAddressById", { callbackAddressId }, "UnknownCallbackAddress");
  });

  test(`${version}: what is dangerous waits for a second person`, async () => {
    const { system } = world();
    const [asks, second] = [await principal(`asks-${tag}`, "care"), await principal(`second-${tag}`, "approver")];
    const victim = newDevice();
    await system.call("createDeviceInstance", { deviceInstance: record(victim) });
    const policy = (await system.call("getApprovalPolicy")).approvalPolicy;
    assert.ok(list(policy.rule).some((rule) => rule.operationClass === "FACTORY_RESET" && rule.required));
    const set = await system.call("setApprovalPolicy", { approvalPolicy: { lifeHours: 8 } });
    assert.equal(Number(Object.values(set).find((one) => one?.lifeHours !== undefined).lifeHours), 8);
    const reset = async () => {
      const { taskId } = await asks.call("doOperation", {
        operation: "EXECUTE", deviceID: victim.deviceID, ...asked,
        arguments: { parameter: [{ path: "./LAWMO/Operations/FactoryReset" }] },
      });
      const { approvals } = await second.call("getApprovals", { status: ["PENDING"], taskId });
      return { taskId, approvalId: list(approvals.approval)[0].approvalId };
    };
    const status = async (taskId) => (await asks.call("getTaskById", { taskId })).task.status;

    const approved = await reset();
    await asks.refused("approve", { approvalId: approved.approvalId }, "NotAuthorized");
    const agreed = (await second.call("approve", { approvalId: approved.approvalId, reason: "seen" })).approval;
    assert.deepEqual([agreed.status, agreed.decidedBy], ["APPROVED", `second-${tag}`]);
    assert.equal(await status(approved.taskId), "SCHEDULED");
    await second.refused("approve", { approvalId: approved.approvalId }, "WrongState");

    const refused = await reset();
    await second.call("refuse", { approvalId: refused.approvalId, reason: "no" });
    assert.equal(await status(refused.taskId), "REJECTED");

    const withdrawn = await reset();
    await asks.call("withdraw", { approvalId: withdrawn.approvalId });
    assert.equal((await second.call("getApprovalById", { approvalId: withdrawn.approvalId })).approval.status, "WITHDRAWN");
    for (const other of [asks, second]) for (const name of other.called) system.called.add(name);
  });

  test(`${version}: a quota is set, counted and enforced`, async () => {
    const { system, device } = world();
    const name = `bounded-${tag}`;
    const bounded = await principal(name, "care");
    await system.call("setQuota", { kind: "OPEN_TASKS", limit: 1, principal: name });
    const later = () => bounded.call("doOperation", {
      operation: "SESSION", deviceID: device.deviceID, ...asked,
      schedule: { startTime: new Date(Date.now() + 3_600_000).toISOString() },
    });
    const { taskId } = await later();
    const fault = await later().then(() => assert.fail("was taken"), (it) => it);
    assert.deepEqual([fault.detail.name, fault.detail.messageId], ["QuotaExceeded", "DMP0005"]);
    const { quotas } = await system.call("getQuotas", { principal: name });
    const told = list(quotas.quota).find((one) => one.kind === "OPEN_TASKS");
    assert.deepEqual([Number(told.limit), Number(told.used)], [1, 1]);
    await system.call("cancelTask", { taskId });
  });

  test(`${version}: what was done is audited, charged and can be erased`, async () => {
    const { system } = world();
    const one = newDevice();
    const made = (await system.call("createDeviceInstance", { deviceInstance: record(one) })).storedDeviceInstance;
    const about = { objectKind: "device", objectId: made.oid };
    const entries = async () => list((await system.call("getAuditEntries", about)).auditEntries.auditEntry);
    const [entry] = await entries();
    assert.deepEqual([entry.operation, entry.actor, entry.face], ["createDeviceInstance", "admin", "SOAP"]);
    const verified = (await system.call("verifyAuditLog")).auditVerification;
    assert.deepEqual([verified.valid, verified.complete], [true, true]);
    const { chargeableEvents } = await system.call("getChargeableEvents", { limit: 1 });
    assert.equal(list(chargeableEvents.chargeableEvent).length, 1);
    const receipt = (await system.call("erasePersonalData", { deviceID: [one.deviceID], phoneNumber: [one.phoneNumber] })).erasureReceipt;
    assert.ok(Number(receipt.entryCount) >= 1);
    const [erased] = await entries();
    assert.doesNotMatch(erased.personal ?? "", new RegExp(one.phoneNumber.slice(1)));
    const still = (await system.call("verifyAuditLog", { anchor: verified.head })).auditVerification;
    assert.equal(still.valid, true);
  });
}
