// The golden vectors of tests/vectors, made again from their inputs by the rules of tests/vectors/README.md alone.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { canonical, members, string } from "./vectors/form.mjs";

const read = (name) => JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
let compared = 0;
let failed = 0;

function compare(file, name, found, expected) {
  compared += 1;
  if (found === expected) return;
  failed += 1;
  console.error(`${file}, ${name}:\n  made here ${found}\n  written   ${expected}`);
}

const text = (value) => (value === undefined ? undefined : string(value));
const actor = (one) => one && members({ email: text(one.email), id: text(one.id), kind: text(one.kind), name: text(one.name) });
const resources = (list) =>
  list?.length ? `[${list.map((one) => members({ id: text(one.id), name: text(one.name), type: text(one.type) })).join(",")}]` : undefined;
const log = (one) => one && members({ id: text(one.id), level: text(one.level), name: text(one.name), parent: log(one.parent) });
const unlessEmpty = (object) => (object === "{}" ? undefined : object);

// UTC with as many digits of the fraction as needed; a Date has three of the nine.
function instant(at) {
  const [, whole, fraction = "", zone] = /^(.*?)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(at);
  const seconds = new Date(whole + zone).toISOString().slice(0, 19);
  const digits = fraction.replace(/0+$/, "");
  return seconds + (digits && `.${digits}`) + "Z";
}

function content(input) {
  return members({
    v: "1",
    actors: members({ actor: actor(input.actor), onBehalfOf: actor(input.onBehalfOf) }),
    client: unlessEmpty(members({ ipAddress: text(input.ipAddress), userAgent: text(input.userAgent) })),
    event: members({
      action: text(input.action),
      category: text(input.category),
      correlationId: text(input.correlationId),
      log: log(input.log),
      occurredAt: input.occurredAt && text(instant(input.occurredAt)),
      outcome: text(input.outcome),
      source: text(input.source),
      sourceEventId: text(input.sourceEventId),
    }),
    metadata: input.metadataText && unlessEmpty(canonical(input.metadataText)),
    resources: resources(input.resources),
  });
}

for (const { name, input, bytes, hash } of read("canonical")) {
  const made = Buffer.from(`ledgerline event content v1\n${content(input)}`);
  compare("canonical.json", name, made.toString("hex"), bytes);
  compare("canonical.json", `${name}, its hash`, sha256(made).slice(0, 32), hash);
}

console.log(`vectors: ${compared - failed} of ${compared} values made again`);
if (compared === 0 || failed > 0) process.exit(1);
