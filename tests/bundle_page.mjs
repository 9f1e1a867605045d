// Checks bundle folders with the code of the page and prints a JSON line each, as
// `xunzheng verify --json` does. Folders come on standard input, one a line.

import { readFileSync, readdirSync } from "node:fs";
import { createInterface } from "node:readline";
import { join } from "node:path";

import { verifyBundle } from "../assets/check/bundle.js";

const filesOf = (folder) => {
  const given = new Map();
  const walk = (below) => {
    for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
      const path = below ? `${below}/${entry.name}` : entry.name;
      if (entry.isDirectory()) walk(path);
      else given.set(path, () => new Uint8Array(readFileSync(join(folder, path))));
    }
  };
  walk("");
  return given;
};

for await (const folder of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(await verifyBundle(filesOf(folder))));
}
