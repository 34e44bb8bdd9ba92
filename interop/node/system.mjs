// The External System: clients of node `soap` on the served WSDL, and what their faults say.

import assert from "node:assert/strict";
import * as soap from "soap";

const SERVICE = "DeviceManagementWebServices";

/** A client of one SOAP version with one way to authenticate: `{ token }`, `{ digest }`, `{ basic }` or a login. */
export async function connect(server, version, { token, digest, basic, login } = {}) {
  const wsdl = `${server.north}/wsi?${version === "1.1" ? "wsdl" : "wsdl12"}`;
  const client = await soap.createClientAsync(wsdl, { forceSoap12Headers: version === "1.2" });
  const security =
    (token && new soap.WSSecurity(token.name, token.password, { passwordType: "PasswordText" })) ||
    (digest && new soap.WSSecurity(digest.name, digest.password, { passwordType: "PasswordDigest" })) ||
    (basic && new soap.BasicAuthSecurity(basic.name, basic.password));
  if (security) client.setSecurity(security);
  const system = new System(client, version);
  if (login) await system.login(login);
  return system;
}

/** Names of the operations of each port type, as the WSDL describes them. */
export function described(client) {
  const ports = client.describe()[SERVICE];
  return Object.fromEntries(Object.entries(ports).map(([port, operations]) => [port, Object.keys(operations)]));
}

export class System {
  constructor(client, version) {
    this.client = client;
    this.version = version;
    this.session = undefined;
    this.called = new Set();
    this.ports = new Map();
    for (const [port, names] of Object.entries(described(client))) {
      for (const name of names) this.ports.set(name, client[SERVICE][port]);
    }
  }

  async login({ name, password, tenant }) {
    const answer = await this.call("login", { userName: name, password, tenant });
    this.session = { sessionId: answer.userSession.sessionId };
    return answer.userSession;
  }

  /** The parsed body of the answer. `userSession` is given once there is one. */
  call(operation, parameters = {}) {
    const port = this.ports.get(operation);
    assert.ok(port, `the WSDL has no ${operation}`);
    this.called.add(operation);
    const given = this.session && operation !== "login" ? { userSession: this.session, ...parameters } : parameters;
    return new Promise((done, failed) => {
      port[operation](given, (error, result) => (error ? failed(readFault(error)) : done(result ?? {})));
    });
  }

  /** The fault that a call must end with. */
  async refused(operation, parameters, name) {
    const fault = await this.call(operation, parameters).then(
      (answer) => assert.fail(`${operation} was taken: ${JSON.stringify(answer)}`),
      (fault) => fault,
    );
    assert.ok(fault.detail, `${operation}: ${fault.message}`);
    assert.equal(fault.detail.name, name, fault.detail.text);
    assert.match(fault.detail.messageId, /^DM[SP]\d{4}$/);
    assert.ok(fault.detail.correlationId, "every fault leads to the log");
    return fault.detail;
  }

  /** A task once its status is final. */
  async finished(taskId) {
    const ends = ["SUCCEEDED", "FAILED", "REJECTED", "CANCELLED", "EXPIRED"];
    return (await this.seen("getTaskById", { taskId }, ({ task }) => ends.includes(task.status))).task;
  }

  /** What an operation answers once it is as it is waited for. */
  async seen(operation, args, isThere) {
    const until = Date.now() + 30_000;
    for (;;) {
      const answer = await this.call(operation, args);
      if (isThere(answer)) return answer;
      assert.ok(Date.now() < until, `${operation} still answers ${JSON.stringify(answer)}`);
      await new Promise((wait) => setTimeout(wait, 50));
    }
  }
}

/** The toolkit keeps a fault of each version in its own shape. */
function readFault(error) {
  const fault = error.root?.Envelope?.Body?.Fault;
  const detail = fault?.detail ?? fault?.Detail;
  const exceptions = detail ? Object.values(detail).filter((it) => it && typeof it === "object") : [];
  const problem = new Error(error.message);
  problem.status = error.response?.status;
  problem.code = fault?.faultcode ?? fault?.Code?.Value;
  problem.subcode = fault?.Code?.Subcode?.Value;
  problem.detail = exceptions.find((it) => it.messageId);
  return problem;
}
