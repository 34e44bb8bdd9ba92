// Runs test files one after the other, a line for each test, and `N passed, N failed` at the end.

import { run } from "node:test";

// A test is a leaf: what only groups others, and the file itself, is counted by its parts.
function isLeaf(event) {
  return event.details.type !== "suite" && event.name !== event.file;
}

/** Sets the exit status: 0 only if there were tests and every one passed. */
export function report(files) {
  let passed = 0;
  let failed = 0;
  const stories = [];
  const stream = run({ files, concurrency: 1 });

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
}
