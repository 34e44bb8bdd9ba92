// Plays an External System written with node `soap` against a running muster:
// `node run.mjs --binary ../../target/debug/muster [word …]`.
// Ends with a line `N passed, N failed`; the exit status is 0 only if every test passed.

import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  options: { binary: { type: "string" } },
  allowPositionals: true,
});
if (!values.binary) {
  console.error("--binary PATH is required: the muster binary");
  process.exit(2);
}
process.env.MUSTER_BINARY = resolve(values.binary);

const folder = join(dirname(fileURLToPath(import.meta.url)), "suites");
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".test.mjs"))
  .filter((name) => positionals.length === 0 || positionals.some((word) => name.includes(word)))
  .map((name) => join(folder, name));

let passed = 0;
let failed = 0;
const stories = [];
const stream = run({ files, concurrency: 1 });

// A test is a leaf: what only groups others, and the file itself, is counted by its parts.
function isLeaf(event) {
  return event.details.type !== "suite" && event.name !== event.file;
}

stream.on("test:pass", (event) => {
  if (!isLeaf(event)) return;
  if (event.skip || event.todo) {
    failed += 1;
    stories.push(`${event.name}\nskipped, and nothing may be`);
    return;
  }
  passed += 1;
  console.log(`ok     ${event.details.duration_ms.toFixed(0).padStart(6)} ms  ${event.name}`);
});
stream.on("test:fail", (event) => {
  if (event.details.type === "suite" && event.details.error?.failureType === "subtestsFailed") return;
  failed += 1;
  const cause = event.details.error?.cause ?? event.details.error;
  stories.push(`${event.name}\n${cause?.stack ?? cause}`);
  console.log(`FAILED ${event.details.duration_ms.toFixed(0).padStart(6)} ms  ${event.name}`);
});
stream.on("test:stderr", (event) => process.stderr.write(event.message));
stream.on("end", () => {
  for (const story of stories) console.log(`\n${"=".repeat(78)}\n${story}`);
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = passed > 0 && failed === 0 ? 0 : 1;
});
stream.resume();
