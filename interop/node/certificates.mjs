// A certificate authority of our own, what it signs and what it revokes, made with the `openssl` of the machine.

import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { fresh } from "./server.mjs";

function openssl(folder, ...args) {
  const done = spawnSync("openssl", args, { cwd: folder, encoding: "utf8" });
  if (done.status !== 0) throw new Error(`openssl ${args.join(" ")}: ${done.error ?? done.stderr}`);
}

/** PEM texts: the certificate of an authority, one that it issued, and the list of what it revoked. */
export function authority(name) {
  const folder = fresh("authority");
  mkdirSync(folder);
  writeFileSync(join(folder, "index.txt"), "");
  writeFileSync(join(folder, "number"), "01\n");
  writeFileSync(join(folder, "ca.cnf"), [
    "[ca]", "default_ca = own",
    "[own]", "database = index.txt", "crlnumber = number", "default_md = sha256", "default_crl_days = 1",
    "[req]", "distinguished_name = name", "[name]",
    "[authority]", "basicConstraints = critical,CA:TRUE", "keyUsage = critical,keyCertSign,cRLSign",
    "subjectKeyIdentifier = hash",
    "[leaf]", "basicConstraints = CA:FALSE", "extendedKeyUsage = clientAuth", `subjectAltName = DNS:${name}.example`,
    "",
  ].join("\n"));
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-config", "ca.cnf"];
  openssl(folder, "req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "1",
    "-subj", `/CN=${name} authority`, "-extensions", "authority");
  openssl(folder, "req", ...key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", `/CN=${name}`);
  openssl(folder, "x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-set_serial", "0x1234",
    "-out", "leaf.pem", "-days", "1", "-extfile", "ca.cnf", "-extensions", "leaf");
  openssl(folder, "ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-out", "crl.pem");
  const read = (file) => readFileSync(join(folder, file), "utf8");
  return { certificate: read("ca.pem"), leaf: read("leaf.pem"), revoked: read("crl.pem") };
}
