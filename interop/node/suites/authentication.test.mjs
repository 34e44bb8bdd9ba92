// The ways to say who calls, as the toolkit does them.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { ADMIN, serve } from "../server.mjs";
import { connect } from "../system.mjs";

const DIGEST = { name: "node-digest", password: "a password for digests", role: "reader", digest: true };
const READER = { name: "node-reader", password: "a password of a reader", role: "reader" };

for (const version of ["1.1", "1.2"]) {
  describe(`SOAP ${version}`, () => {
    let server;
    before(async () => {
      server = await serve({ principals: [DIGEST, READER] });
    });
    after(() => server?.end());

    for (const [way, options] of [
      ["UsernameToken with the password as text", { token: READER }],
      ["UsernameToken with a digest", { digest: DIGEST }],
      ["HTTP Basic", { basic: READER }],
      ["userSession", { login: READER }],
    ]) {
      test(`${version}: ${way} is taken, twice in a row`, async () => {
        const system = await connect(server, version, options);
        for (const _ of [1, 2]) assert.ok((await system.call("getServiceInfo")).serviceInfo.serverId);
      });
    }

    test(`${version}: a wrong password is refused in each way, and never says what was wrong`, async () => {
      const wrong = { name: READER.name, password: "wrong" };
      const texts = new Set();
      for (const options of [{ token: wrong }, { basic: wrong }]) {
        const system = await connect(server, version, options);
        const fault = await system.call("getServiceInfo").then(() => assert.fail("was taken"), (it) => it);
        texts.add(fault.message.replace(/[0-9a-f-]{36}/g, ""));
        assert.doesNotMatch(fault.message, /unknown user|wrong password/i);
      }
      const nobody = await connect(server, version, { basic: { name: "nobody", password: "wrong" } });
      const fault = await nobody.call("getServiceInfo").then(() => assert.fail("was taken"), (it) => it);
      assert.ok(texts.has(fault.message.replace(/[0-9a-f-]{36}/g, "")), fault.message);
    });

    test(`${version}: a digest is taken only of who was let in with it`, async () => {
      const system = await connect(server, version, { digest: READER });
      const fault = await system.call("getServiceInfo").then(() => assert.fail("was taken"), (it) => it);
      assert.match(String(fault.code) + String(fault.subcode), /FailedAuthentication/);
    });

    test(`${version}: a session ends with logout`, async () => {
      const system = await connect(server, version, { login: ADMIN });
      await system.call("logout");
      await system.refused("getServiceInfo", {}, "NotAuthenticated");
    });
  });
}
