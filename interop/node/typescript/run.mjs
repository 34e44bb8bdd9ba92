// A client generated from the OpenAPI document that a running muster serves: its types are generated, everything is compiled
// strictly, and what came of it does the main job: `node run.mjs --binary ../../../target/debug/muster`.
// Ends with a line `N passed, N failed`; the exit status is 0 only if every test passed.

import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { report } from "../report.mjs";
import { fresh, serve } from "../server.mjs";

const { values } = parseArgs({ options: { binary: { type: "string" } } });
if (!values.binary) {
  console.error("--binary PATH is required: the muster binary");
  process.exit(2);
}
process.env.MUSTER_BINARY = resolve(values.binary);

const folder = dirname(fileURLToPath(import.meta.url));
const packages = join(folder, "..", "node_modules");

function tool(script, ...args) {
  const done = spawnSync(process.execPath, [join(packages, script), ...args], { cwd: folder, stdio: "inherit" });
  if (done.status !== 0) {
    console.log(`${script} failed\n0 passed, 1 failed`);
    process.exit(1);
  }
}

const server = await serve();
const answer = await fetch(`${server.north}/api/v1/openapi.json`);
const document = fresh("openapi.json");
writeFileSync(document, await answer.text());
await server.end();

tool("openapi-typescript/bin/cli.js", document, "--output", join(folder, "schema.d.mts"));
tool("typescript/bin/tsc", "--noEmit", "--strict", "--project", folder);
tool("typescript/bin/tsc", "--project", folder);
report([join(folder, "main-job.test.mjs")]);
