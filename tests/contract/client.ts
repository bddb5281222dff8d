// A client in TypeScript, as somebody else would write it: generated from the
// contract, compiled strictly, used against a running service.
//
//   node client.js DEMO.JSON

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { argv } from "node:process";
import { test } from "node:test";

import createClient from "openapi-fetch";
import type { components, paths } from "contract";

type Problem = components["schemas"]["Problem"];
type Person = components["schemas"]["PersonShown"];
type KnownEvent = components["schemas"]["KnownEvent"];

interface Demo {
  base_url: string;
  organisations: { client: string; provider: string };
  tokens: Record<string, string>;
}

const demo = JSON.parse(readFileSync(argv[2] ?? "demo.json", "utf8")) as Demo;
const org = demo.organisations.client;
const as = (role: string) =>
  createClient<paths>({ baseUrl: demo.base_url, headers: { Authorization: `Bearer ${demo.tokens[role]}` } });

const newcomer = { kind: "human", profile: { given_name: "Tamsin", family_name: "Scrypt" } } as const;

test("who am I", async () => {
  const { data } = await as("manager").GET("/v1/me");
  const here = data?.organisations.find((membership) => membership.organisation === org);
  assert.ok(here?.grants.some((grant) => grant.role === "manager"));
});

test("persons come page by page, each once", async () => {
  const manager = as("manager");
  const seen: Person[] = [];
  let cursor: string | undefined;
  do {
    const query: { limit: number; cursor?: string } = { limit: 60, ...(cursor && { cursor }) };
    const { data } = await manager.GET("/v1/organisations/{org}/persons", { params: { path: { org }, query } });
    assert.ok(data && data.items.length <= 60);
    seen.push(...data.items);
    cursor = data.next;
  } while (cursor);
  assert.ok(seen.length > 60);
  assert.equal(new Set(seen.map((person) => person.id)).size, seen.length);
});

test("a write with a key is done once, and a change needs the version seen", async () => {
  const manager = as("manager");
  const params = { path: { org }, header: { "Idempotency-Key": randomUUID() } };
  const first = await manager.POST("/v1/organisations/{org}/persons", { params, body: newcomer });
  const again = await manager.POST("/v1/organisations/{org}/persons", { params, body: newcomer });
  assert.equal(first.response.status, 201);
  assert.equal(again.response.headers.get("Idempotent-Replayed"), "true");
  const person = made(first.data);
  assert.equal(made(again.data).id, person.id);

  const change = await manager.POST("/v1/organisations/{org}/persons/{person}/profile", {
    params: { path: { org, person: person.id }, header: { "If-Match": first.response.headers.get("ETag") ?? "" } },
    body: { given_name: "Tamsin", family_name: "Scrypt-Node" },
  });
  assert.equal(change.response.status, 200);
  assert.equal(made(change.data).version, person.version + 1);
});

test("a refusal is a problem with a type", async () => {
  const manager = as("manager");
  const { data } = await manager.POST("/v1/organisations/{org}/persons", { params: { path: { org } }, body: newcomer });
  const { error, response } = await manager.POST("/v1/organisations/{org}/persons/{person}/profile", {
    params: { path: { org, person: made(data).id }, header: { "If-Match": '"9999"' } },
    body: newcomer.profile,
  });
  assert.equal(response.status, 412);
  assert.equal(response.headers.get("Content-Type"), "application/problem+json");
  const problem: Problem | undefined = error;
  assert.equal(problem?.code, "version_stale");
  assert.equal(problem?.version, made(data).version);
});

test("the feed has every position, in order", async () => {
  const inspector = as("inspector");
  const kinds = new Set<components["schemas"]["PersonKind"]>();
  let position = 0;
  for (let page = 0; page < 3; page += 1) {
    const query = { after: position, limit: 10 };
    const { data } = await inspector.GET("/v1/organisations/{org}/events", { params: { path: { org }, query } });
    // What this contract does not know yet matches none of the types asked for.
    for (const event of (data?.items ?? []) as KnownEvent[]) {
      assert.equal(event.position, (position += 1));
      // Told apart by its type, an event says what its data holds.
      if (event.type === "PersonRegistered") kinds.add(event.data.kind);
    }
  }
  assert.ok(position > 10);
  assert.ok(kinds.has("human"));
});

test("what is not ours to read is its position and that alone", async () => {
  const query = { limit: 200 };
  const { data } = await as("hr_system").GET("/v1/organisations/{org}/events", { params: { path: { org }, query } });
  const withheld = (data?.items ?? []).filter((event) => !("type" in event));
  assert.ok(withheld.length > 0 && withheld.length < 200);
  for (const event of withheld) assert.deepEqual(event, { position: event.position });
  assert.deepEqual(
    data?.items.map((event) => event.position),
    Array.from({ length: 200 }, (_, index) => index + 1),
  );
});

/** What a command made: shown at once, not only promised for later. */
function made<T extends { allowed_actions: object[] }>(data: T | components["schemas"]["Receipt"] | undefined): T {
  assert.ok(data && "allowed_actions" in data);
  return data;
}
