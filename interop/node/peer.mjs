// A server of node `soap` on the published WSDL, for `muster bench wsi`: it takes doOperation and answers with a
// constant task, without credentials and without keeping anything. Prints where it listens; ended by its parent.

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as soap from "soap";

const wsdl = fileURLToPath(new URL("../../docs/api/dmwsi.wsdl", import.meta.url));
const { version } = createRequire(import.meta.url)("soap/package.json");
const taskId = "t000-00000000000000000000000000000000";

const services = {
  DeviceManagementWebServices: {
    IDeploymentBrokerServicesPort: { doOperation: () => ({ taskId }) },
  },
};

// The package looks for an operation in the first port of an address alone.
const xml = readFileSync(wsdl, "utf8").replace(/<wsdl:port name="(?!IDeploymentBroker)[^]*?<\/wsdl:port>/g, "");

// The package answers only once it has read the description.
const ready = (error) => {
  if (error) throw error;
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    console.log(JSON.stringify({ address: `127.0.0.1:${port}`, name: `node ${process.version}, soap ${version}` }));
  });
};

const server = createServer((request, response) => response.writeHead(404).end());
soap.listen(server, { path: "/wsi", services, xml, uri: wsdl, callback: ready });
