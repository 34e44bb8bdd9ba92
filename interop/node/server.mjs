// Starts and ends a server and fleets of simulated devices on free ports of the loopback. Ends only what it started.

import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const ADMIN = { name: "admin", password: "correct horse battery staple" };

const START_MS_MAX = 60_000;
const folder = mkdtempSync(join(tmpdir(), "muster-node-"));
const running = new Set();
let number = 0;

function start(args, environment = {}) {
  const child = spawn(process.env.MUSTER_BINARY, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.log = "";
  child.stderr.on("data", (octets) => (child.log += octets));
  child.ended = new Promise((done) => child.on("exit", done)).then(() => running.delete(child));
  return child;
}

async function end(child) {
  const patience = setTimeout(() => child.kill("SIGKILL"), 15_000);
  child.kill("SIGTERM");
  await child.ended;
  clearTimeout(patience);
}

process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

/** A file or folder name that nothing else has. */
export function fresh(name) {
  number += 1;
  return join(folder, `${number}-${name}`);
}

/** Lets in a caller on a data folder that no server uses. */
export function putPrincipal(data, { name, password, role, tenant, digest }) {
  const args = ["principal", "--data", data, "put", name, "--role", role];
  if (tenant) args.push("--tenant", tenant);
  if (digest) args.push("--digest");
  const done = spawnSync(process.env.MUSTER_BINARY, args, { input: `${password}\n`, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`muster ${args.join(" ")}: ${done.stderr}`);
}

/** `muster serve`, ready when the promise is kept; `principals` are let in before. */
export async function serve({ principals = [], config } = {}) {
  const data = fresh("data");
  mkdirSync(data);
  for (const principal of principals) putPrincipal(data, principal);
  const args = ["serve", "--data", data, "--ready-json"];
  for (const side of ["north", "south", "admin"]) args.push(`--${side}`, "127.0.0.1:0");
  if (config) {
    const file = fresh("muster.toml");
    writeFileSync(file, config);
    args.push("--config", file);
  }
  const child = start(args, { MUSTER_ADMIN_PASSWORD: ADMIN.password });
  const lines = createInterface({ input: child.stdout });
  const addresses = await new Promise((listening, failed) => {
    const patience = setTimeout(() => failed(new Error(`the server does not start: ${child.log}`)), START_MS_MAX);
    child.on("exit", (code) => failed(new Error(`the server ended with ${code}: ${child.log}`)));
    lines.on("line", (line) => {
      if (!line.startsWith("{")) return;
      const event = JSON.parse(line);
      if (event.event !== "listening") return;
      clearTimeout(patience);
      listening(event);
    });
  });
  return { ...addresses, data, log: () => child.log, end: () => end(child) };
}

/** A device nobody has used before: identifier, number and account. */
export function newDevice(more = {}) {
  number += 1;
  const body = `35000000${String(process.pid % 1000).padStart(3, "0")}${String(number).padStart(3, "0")}`;
  return {
    deviceID: `IMEI:${body}${luhn(body)}`,
    phoneNumber: `+1556${String(process.pid % 1000).padStart(3, "0")}${String(number).padStart(4, "0")}`,
    clientName: `node-client-${process.pid}-${number}`,
    ...more,
  };
}

/** The record an External System makes for a device. */
export function record(device, more = {}) {
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

/** `muster sim` with these devices, which connect every 200 ms until the fleet ends. */
export function fleet(server, devices) {
  const file = fresh("fleet.json");
  const entries = devices.map((device) => ({
    device_id: device.deviceID,
    client_name: device.clientName,
    client_secret: "device secret",
    server_name: "muster",
    server_secret: "server secret",
    auth: "MD5",
    encoding: "wbxml",
    behaviour: device.behaviour ?? "well_behaved",
  }));
  writeFileSync(file, JSON.stringify({ devices: entries, poll_ms: 200 }));
  const child = start(["sim", "--server", `${server.south}/dm`, "--fleet", file]);
  child.stdout.resume();
  return { end: () => end(child) };
}

function luhn(digits) {
  let sum = 0;
  [...digits].reverse().forEach((digit, place) => {
    const value = Number(digit) * (place % 2 === 0 ? 2 : 1);
    sum += Math.floor(value / 10) + (value % 10);
  });
  return (10 - (sum % 10)) % 10;
}

/** The whole of a file of the repository, for inputs that others made. */
export function read(path) {
  return readFileSync(path, "utf8");
}
