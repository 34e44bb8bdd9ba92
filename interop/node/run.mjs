// Plays an External System written with node `soap` against a running muster:
// `node run.mjs --binary ../../target/debug/muster [word …]`.
// Ends with a line `N passed, N failed`; the exit status is 0 only if every test passed.

import { readdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { report } from "./report.mjs";

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

report(files);
