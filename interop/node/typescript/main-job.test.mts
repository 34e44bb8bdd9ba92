// What an External System does all day, by a client that knows nothing but the OpenAPI document.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import createClient, { type Client } from "openapi-fetch";

import { ADMIN, type Device, fleet, newDevice, serve, type Server } from "../server.mjs";
import type { components, paths } from "./schema.mjs";

type Task = components["schemas"]["TaskData"];
type Problem = components["schemas"]["Problem"];
type NewDevice = components["schemas"]["NewDeviceInstance"];
type Operation = components["schemas"]["DoOperationParameters"];

const APN = "./Vendor/Example/ApnName";
const FINAL: Task["status"][] = ["SUCCEEDED", "FAILED", "REJECTED", "CANCELLED", "EXPIRED"];

let server: Server;
let client: Client<paths>;

before(async () => {
  server = await serve();
  const baseUrl = `${server.north}/api/v1`;
  const { data, error } = await createClient<paths>({ baseUrl }).POST("/sessions", {
    body: { userName: ADMIN.name, password: ADMIN.password },
  });
  assert.ok(data, error?.detail);
  client = createClient<paths>({ baseUrl, headers: { Authorization: `Bearer ${data.sessionId}` } });
});
after(() => server?.end());

function record(device: Device, more: Partial<NewDevice> = {}): NewDevice {
  return {
    deviceID: device.deviceID,
    phoneNumber: device.phoneNumber,
    dmAccount: {
      authType: "DIGEST",
      clientName: device.clientName,
      clientSecret: "device secret",
      serverName: "muster",
      serverSecret: "server secret",
    },
    ...more,
  };
}

function operation(device: Device, more: Partial<Operation> = {}): Operation {
  return {
    operation: "QUERY", deviceID: device.deviceID, bOptin: false, acceptDevicePolicy: 20, testCycle: false, ...more,
  };
}

async function known(more: Partial<NewDevice> = {}): Promise<Device> {
  const device = newDevice();
  const { response, error } = await client.POST("/devices", { body: record(device, more) });
  assert.equal(response.status, 201, error?.detail);
  return device;
}

/** Makes a task; its identifier, from the body and from the address alike. */
async function order(body: Operation, key: string): Promise<string> {
  const { data, error, response } = await client.POST("/tasks", {
    params: { header: { "Idempotency-Key": key } }, body,
  });
  assert.ok(data, error?.detail);
  assert.equal(response.status, 202);
  assert.equal(response.headers.get("location"), `/api/v1/tasks/${data.taskId}`);
  return data.taskId;
}

async function finished(taskId: string): Promise<Task> {
  const until = Date.now() + 30_000;
  for (;;) {
    const { data, error } = await client.GET("/tasks/{taskId}", { params: { path: { taskId } } });
    assert.ok(data, error?.detail);
    if (FINAL.includes(data.status)) return data;
    assert.ok(Date.now() < until, `task ${taskId} is still ${data.status}`);
    await new Promise((wait) => setTimeout(wait, 50));
  }
}

/** The problem that a call must end with. */
function refused(answer: { error?: Problem; response: Response }, status: number, name: Problem["name"]): Problem {
  assert.equal(answer.response.status, status);
  assert.equal(answer.response.headers.get("content-type"), "application/problem+json");
  assert.ok(answer.error);
  assert.equal(answer.error.name, name, answer.error.detail);
  assert.equal(answer.error.status, status);
  assert.match(answer.error.messageId, /^DM[SP]\d{4}$/);
  assert.ok(answer.error.correlationId);
  return answer.error;
}

test("a device is enrolled, written to and read, and the true value comes back", async () => {
  const device = await known();
  const running = fleet(server, [device]);
  try {
    const value = `typescript-${Date.now()}`;
    const written = await order(
      operation(device, { operation: "UPDATE", arguments: { parameter: [{ path: APN, value }] } }), "write-1",
    );
    assert.equal((await finished(written)).status, "SUCCEEDED");
    const read = await order(operation(device, { arguments: { parameter: [{ path: APN }] } }), "read-1");
    const task = await finished(read);
    assert.equal(task.status, "SUCCEEDED");
    assert.deepEqual(task.result?.map(({ path, value }) => ({ path, value })), [{ path: APN, value }]);
  } finally {
    await running.end();
  }
});

test("the same key is the same request, and never another one", async () => {
  const device = await known();
  const first = await order(operation(device), "once");
  assert.equal(await order(operation(device), "once"), first);
  const { data } = await client.GET("/tasks", { params: { query: { deviceID: device.deviceID } } });
  assert.deepEqual(data?.items.map((task) => task.taskId), [first]);
  const other = await client.POST("/tasks", {
    params: { header: { "Idempotency-Key": "once" } }, body: operation(device, { bOptin: true }),
  });
  refused(other, 409, "RequestIdReused");
});

test("a list is filtered and comes in pages to its end", async () => {
  const model = "Paged";
  const made: string[] = [];
  for (let number = 0; number < 3; number += 1) made.push((await known({ model })).deviceID);
  await known({ model: "Other" });
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const query: { model: string; limit: number; cursor?: string } = { model, limit: 2 };
    if (cursor !== undefined) query.cursor = cursor;
    const { data, error } = await client.GET("/devices", { params: { query } });
    assert.ok(data, error?.detail);
    assert.equal(data.totalCount, 3);
    assert.ok(data.items.length <= 2);
    for (const device of data.items) found.push(device.deviceID ?? "");
    cursor = data.nextCursor;
  } while (cursor !== undefined);
  assert.deepEqual(found.sort(), made.sort());
});

test("a change goes through with the tag that was read, and not with an older one", async () => {
  const device = await known({ model: "M1" });
  const path = { deviceID: device.deviceID };
  const read = await client.GET("/devices/{deviceID}", { params: { path } });
  const tag = read.response.headers.get("etag") ?? "";
  assert.match(tag, /^".+"$/);
  const held = await client.GET("/devices/{deviceID}", { params: { path, header: { "If-None-Match": tag } } });
  assert.equal(held.response.status, 304);

  const body = { ...record(device), model: "M2" };
  const change = () => client.PUT("/devices/{deviceID}", { params: { path, header: { "If-Match": tag } }, body });
  const changed = await change();
  assert.equal(changed.data?.model, "M2", changed.error?.detail);
  assert.notEqual(changed.response.headers.get("etag"), tag);
  refused(await change(), 412, "OutdatedVersion");
});

test("a refusal is a problem document that says which parameter it is about", async () => {
  const path = { deviceID: "NOBODY:1" };
  refused(await client.GET("/devices/{deviceID}", { params: { path } }), 404, "UnknownDevice");
  const query = { limit: 0 };
  const invalid = refused(await client.GET("/devices", { params: { query } }), 400, "InvalidArgument");
  assert.deepEqual(invalid.variables.slice(0, 2), ["limit", "0"]);
  const nobody = createClient<paths>({ baseUrl: `${server.north}/api/v1` });
  refused(await nobody.GET("/devices"), 401, "NotAuthenticated");
});

test("the page that is served for people has every operation of the document", async () => {
  const page = await (await fetch(`${server.north}/api/v1/docs`)).text();
  const document = await (await fetch(`${server.north}/api/v1/openapi.json`)).json() as {
    paths: Record<string, Record<string, { operationId: string }>>;
  };
  const ids = Object.values(document.paths).flatMap((methods) => Object.values(methods).map((one) => one.operationId));
  assert.ok(ids.length > 90, `${ids.length} operations`);
  for (const id of ids) assert.ok(page.includes(`id="${id}"`), id);
});
