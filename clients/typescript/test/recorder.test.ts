// The recorder against the service itself: killed, started again, unreachable, refusing.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type AuditEvent, type Incident, Recorder, type RecorderOptions, RecordingError } from '../src/index.ts';
import { Service } from './service.ts';

let service: Service;
before(async () => {
  service = await Service.start();
});
after(() => service.remove());

const ada = { kind: 'USER', id: 'usr_7', name: 'Ada Park' } as const;
const assigned = (mark: unknown, more: Partial<AuditEvent> = {}): AuditEvent => ({
  action: 'role.assigned',
  actor: ada,
  metadata: { mark },
  ...more,
});

/** A recorder for an organization of its own, what it tells, and how many requests it makes. */
function recorder(organization: string, options: Partial<RecorderOptions> = {}, of = service) {
  const incidents: Incident[] = [];
  const seen = { requests: 0 };
  const made = new Recorder({
    url: of.url,
    token: of.token(organization),
    onIncident: (incident) => incidents.push(incident),
    fetch: (...request) => {
      seen.requests += 1;
      return fetch(...request);
    },
    ...options,
  });
  return { made, incidents, seen };
}

const folders: string[] = [];
const folder = () => {
  folders.push(mkdtempSync(join(tmpdir(), 'ledgerline-spool-')));
  return folders.at(-1) as string;
};
after(() => folders.forEach((path) => rmSync(path, { recursive: true, force: true })));

const marks = async (organization: string, of = service) =>
  (await of.events(organization)).map(({ mark }) => mark).sort();
const kinds = (incidents: Incident[]) => incidents.map(({ kind }) => kind);

test('an event is recorded, and its receipt says where', async () => {
  const { made, seen } = recorder('org_receipt');
  const first = await made.record(
    assigned(1, { idempotencyKey: 'key-1', occurredAt: '2026-01-02T03:04:05.123456789Z' }),
  );
  assert.equal(first.status, 'RECORDED');
  const again = await made.record(
    assigned(1, { idempotencyKey: 'key-1', occurredAt: '2026-01-02T03:04:05.123456789Z' }),
  );
  assert.ok(first.status === 'RECORDED' && again.status === 'ALREADY_RECORDED');
  assert.equal(again.eventId, first.eventId);
  assert.match(first.sequence, /^\d+$/);
  assert.equal(first.idempotencyKey, 'key-1');
  assert.equal((await service.events('org_receipt'))[0]?.occurredAt, '2026-01-02T03:04:05.123456789Z');
  assert.deepEqual(made.counts, { recorded: 1, alreadyRecorded: 1, refused: 0, failed: 0, spooled: 0, missed: 0 });
  assert.equal(seen.requests, 2);
});

test('one key with another time is other content', async () => {
  const { made } = recorder('org_time');
  await made.record(assigned(1, { idempotencyKey: 'row-1' }));
  await sleep(5);
  await assert.rejects(made.record(assigned(1, { idempotencyKey: 'row-1' })), { code: 'CONFLICT' });
});

test('what the caller changes after the call is not recorded', async () => {
  const { made } = recorder('org_changed');
  const event = assigned('before');
  const recorded = made.record(event);
  event.metadata = { mark: 'after' };
  await recorded;
  assert.deepEqual(await marks('org_changed'), ['before']);
});

test('calls that come at the same time share requests', async () => {
  const { made, seen } = recorder('org_shared');
  await Promise.all(Array.from({ length: 1_000 }, (_, mark) => made.record(assigned(mark))));
  assert.equal((await service.events('org_shared')).length, 1_000);
  assert.ok(seen.requests <= 14, `${seen.requests} requests`);
});

test('an event that is refused throws at once, and its neighbours are recorded', async () => {
  const { made, incidents } = recorder('org_refused');
  const calls = [assigned(1), assigned(2, { action: 'role.asigned' }), assigned(3)].map((event) => made.record(event));
  const [first, second, third] = await Promise.allSettled(calls);
  assert.equal(first?.status, 'fulfilled');
  assert.equal(third?.status, 'fulfilled');
  assert.ok(second?.status === 'rejected' && second.reason instanceof RecordingError);
  assert.equal(second.reason.code, 'BAD_USER_INPUT');
  assert.equal(second.reason.mayBeRecorded, false);
  assert.ok(second.reason.fault.suggestions?.includes('role.assigned'));
  assert.deepEqual(kinds(incidents), ['refused']);
  assert.deepEqual(await marks('org_refused'), [1, 3]);
});

test('an event that is too large for a request stands alone, and its neighbours are recorded', async () => {
  const { made, incidents } = recorder('org_large', { failOpen: true, timeoutMs: 60_000 });
  const large = made.record(assigned('x'.repeat(11 * 1024 * 1024)));
  const others = await Promise.all([1, 2, 3].map((mark) => made.record(assigned(mark))));
  assert.deepEqual(new Set(others.map(({ status }) => status)), new Set(['RECORDED']));
  const answer = await large;
  assert.ok(answer.status === 'REFUSED', answer.status);
  assert.equal(answer.fault.code, 'BAD_USER_INPUT');
  assert.match(answer.fault.message, /bytes/);
  assert.deepEqual(kinds(incidents), ['refused']);
});

test('what cannot be written as JSON fails as its action says, and never in the caller’s face where it goes on', async () => {
  const { made, incidents } = recorder('org_json', { failOpen: ['role.*'] });
  const cycle: Record<string, unknown> = {};
  cycle.cycle = cycle;
  for (const bad of [{ metadata: cycle }, { metadata: { big: 1n } }, { occurredAt: new Date(Number.NaN) }]) {
    const answer = await made.record(assigned(1, bad));
    assert.ok(answer.status === 'REFUSED' && answer.fault.code === 'UNREADABLE');
    await assert.rejects(made.record(assigned(1, { ...bad, action: 'member.removed' })), { code: 'UNREADABLE' });
  }
  assert.equal(incidents.length, 6);
});

test('an answer that is lost does not record twice', async () => {
  let lose = 2;
  const { made } = recorder('org_lost', {
    fetch: async (...request) => {
      const response = await fetch(...request);
      if (lose-- > 0) throw new TypeError('the connection was cut');
      return response;
    },
  });
  const answer = await made.record(assigned('once'));
  assert.equal(answer.status, 'ALREADY_RECORDED');
  assert.deepEqual(await marks('org_lost'), ['once']);
});

test('while the service is down, one action throws, one waits on disk and one without a spool is missed aloud', async () => {
  const down = await Service.prepare();
  const token = 'none';
  const spool = folder();
  const told: Incident[] = [];
  const onIncident = (incident: Incident) => told.push(incident);
  const options = { url: down.url, token, timeoutMs: 300, failOpen: ['auth.*'], onIncident };
  await using made = new Recorder({ ...options, spool });
  const isUnreachable = (error: unknown) => error instanceof RecordingError && error.code === 'UNREACHABLE';
  const closed = assert.rejects(made.record(assigned(1)), isUnreachable);
  const open = await made.record(assigned(2, { action: 'auth.login' }));
  assert.ok(open.status === 'SPOOLED' && open.fault.code === 'UNREACHABLE');
  await closed;
  // A call may differ.
  assert.equal((await made.record(assigned(3), { failOpen: true })).status, 'SPOOLED');
  assert.equal(made.spooled.files, 2);
  assert.ok(made.spooled.bytes > 200 && made.spooled.oldest instanceof Date);
  await using without = new Recorder(options);
  const missed = await without.record(assigned(4, { action: 'auth.login' }));
  assert.ok(missed.status === 'MISSED');
  assert.deepEqual(kinds(told), ['down', 'down', 'missed']);
  assert.deepEqual(without.counts, { recorded: 0, alreadyRecorded: 0, refused: 0, failed: 0, spooled: 0, missed: 1 });
  await down.remove();
});

test('through kills of the service every event that failed open is recorded once, with its own time', async () => {
  const own = await Service.start();
  const spool = folder();
  const { made, incidents } = recorder(
    'org_kills',
    { failOpen: true, spool, timeoutMs: 400, requestTimeoutMs: 400 },
    own,
  );
  let next = 0;
  let stop = false;
  const statuses = new Map<string, number>();
  const clients = Array.from({ length: 16 }, async () => {
    while (!stop) {
      const mark = next++;
      const occurredAt = new Date(Date.UTC(2026, 0, 1) + mark * 1_000);
      const { status } = await made.record(assigned(mark, { occurredAt }));
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      await sleep(5);
    }
  });
  for (let round = 0; round < 3; round += 1) {
    await sleep(700);
    await own.kill();
    await sleep(900);
    await own.start();
  }
  await sleep(500);
  stop = true;
  await Promise.all(clients);
  assert.ok(await made.flush(60_000), 'the spool is empty');
  const events = await own.events('org_kills');
  assert.deepEqual(
    events.map(({ mark }) => mark),
    Array.from({ length: next }, (_, mark) => mark),
  );
  assert.ok((statuses.get('SPOOLED') ?? 0) > 0 && (statuses.get('RECORDED') ?? 0) > 0, JSON.stringify([...statuses]));
  assert.equal(statuses.get('MISSED') ?? 0, 0);
  assert.equal(statuses.get('REFUSED') ?? 0, 0);
  const { recorded, alreadyRecorded, spooled } = made.counts;
  assert.ok(recorded + alreadyRecorded >= next, JSON.stringify(made.counts));
  assert.equal(spooled, statuses.get('SPOOLED'));
  // Each outage is told once, and its end.
  const outages = kinds(incidents);
  assert.deepEqual(
    outages,
    outages.map((_, at) => (at % 2 === 0 ? 'down' : 'up')),
  );
  assert.deepEqual(made.spooled, { files: 0, bytes: 0 });
  await made.close();
  await own.remove();
});

test('what a process put on disk before it was killed, the next process sends', async () => {
  const down = await Service.prepare();
  const spool = folder();
  const program = `
    import { Recorder } from ${JSON.stringify(join(import.meta.dirname, '../src/index.ts'))};
    const recorder = new Recorder({ url: ${JSON.stringify(down.url)}, token: 'none', timeoutMs: 200,
      failOpen: true, spool: ${JSON.stringify(spool)}, onIncident() {} });
    for (let mark = 0; ; mark += 1) {
      const { status } = await recorder.record({ action: 'role.assigned', actor: { kind: 'SYSTEM' }, metadata: { mark } });
      console.log(mark, status);
    }`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
    cwd: join(import.meta.dirname, '..'),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (data) => {
    said += data;
    if (said.split('\n').length > 20) child.kill('SIGKILL');
  });
  await once(child, 'exit');
  const told = said.split('\n').filter((line) => line.endsWith(' SPOOLED')).length;
  assert.ok(told >= 19, said);
  writeFileSync(join(spool, 'half.v1.ndjson.1.tmp'), '{"action":');
  const { made, incidents } = recorder('org_next', { spool });
  assert.ok(await made.flush(20_000));
  const found = await marks('org_next');
  // At most one more than was told: the last one may have been put on disk just before the kill.
  assert.ok(found.length === told || found.length === told + 1, `${found.length} of ${told}`);
  assert.deepEqual(incidents, []);
  await down.remove();
});

test('two recorders with one spool record each event once, and what is refused is put aside once', async () => {
  const spool = folder();
  const down = await Service.prepare();
  const away = new Recorder({ url: down.url, token: 'none', timeoutMs: 100, failOpen: true, spool, onIncident() {} });
  for (let mark = 0; mark < 30; mark += 1) {
    const action = mark % 10 === 3 ? 'role.asigned' : 'role.assigned';
    assert.equal((await away.record(assigned(mark, { action }))).status, 'SPOOLED');
  }
  await away.close();
  const [one, other] = [recorder('org_two', { spool }), recorder('org_two', { spool })];
  assert.deepEqual(await Promise.all([one.made.flush(30_000), other.made.flush(30_000)]), [true, true]);
  assert.deepEqual(
    await marks('org_two'),
    Array.from({ length: 30 }, (_, mark) => mark)
      .filter((mark) => mark % 10 !== 3)
      .sort(),
  );
  const refused = readdirSync(join(spool, 'refused'));
  const lines = refused.flatMap((name) =>
    readFileSync(join(spool, 'refused', name), 'utf8')
      .trim()
      .split('\n'),
  );
  const aside = lines.map((line) => JSON.parse(line));
  assert.deepEqual(aside.map(({ event }) => event.metadata.mark).sort(), [13, 23, 3]);
  assert.ok(aside.every(({ error }) => error.code === 'BAD_USER_INPUT'));
  const told = [...one.incidents, ...other.incidents];
  assert.ok(told.length >= 3 && told.every((incident) => incident.kind === 'refused' && incident.spooled));
  await down.remove();
});

test('a file that cannot be read is put aside aloud, and the others are sent', async () => {
  const spool = folder();
  const down = await Service.prepare();
  const away = new Recorder({ url: down.url, token: 'none', timeoutMs: 100, failOpen: true, spool, onIncident() {} });
  await away.record(assigned('good'));
  await away.close();
  writeFileSync(join(spool, '2020-01-01T000000000Z-000000-00000000.v1.ndjson'), '{"action":"role.assigned","idem');
  writeFileSync(join(spool, '2020-01-01T000000001Z-000000-00000000.v1.ndjson'), '{"event":{}}\n');
  const { made, incidents } = recorder('org_torn', { spool });
  assert.ok(await made.flush(20_000));
  assert.deepEqual(await marks('org_torn'), ['good']);
  assert.deepEqual(kinds(incidents), ['spool', 'spool']);
  assert.equal(readdirSync(join(spool, 'refused')).length, 2);
  await down.remove();
});

test('a spool that is full or cannot be written is a miss that is told, and has room again once it was sent', async () => {
  const own = await Service.prepare();
  const spool = folder();
  const told: Incident[] = [];
  const token = own.token('org_full');
  const options = {
    url: own.url,
    token,
    timeoutMs: 200,
    failOpen: true,
    spool,
    onIncident: (i: Incident) => told.push(i),
  };
  await using made = new Recorder({ ...options, spoolMaxBytes: 1_000 });
  const statuses: string[] = [];
  for (let mark = 0; mark < 6; mark += 1) statuses.push((await made.record(assigned(mark))).status);
  const kept = statuses.filter((status) => status === 'SPOOLED').length;
  assert.ok(kept > 0 && kept < 6, statuses.join());
  const missed = told.filter(({ kind }) => kind === 'missed');
  assert.equal(missed.length, 6 - kept);
  assert.ok(missed.every((incident) => 'fault' in incident && incident.fault.code === 'SPOOL_FULL'));
  await own.start();
  assert.ok(await made.flush(40_000));
  assert.equal((await own.events('org_full')).length, kept);
  await own.kill();
  assert.equal((await made.record(assigned('again'))).status, 'SPOOLED');
  // Nobody but root may write to what nobody may write to.
  if (process.getuid?.() !== 0) {
    chmodSync(spool, 0o500);
    assert.equal((await made.record(assigned('no'))).status, 'MISSED');
    chmodSync(spool, 0o700);
  }
  rmSync(spool, { recursive: true });
  assert.equal((await made.record(assigned('made anew'))).status, 'SPOOLED');
  rmSync(spool, { recursive: true });
  writeFileSync(spool, 'no folder');
  const gone = await made.record(assigned('gone'));
  assert.ok(gone.status === 'MISSED' && gone.fault.code === 'SPOOL_FAILED');
  await own.remove();
});

test('a token that is refused is renewed once, and one that cannot be is told at once', async () => {
  const asked: boolean[] = [];
  const { made } = recorder('org_token', {
    token: (renew) => {
      asked.push(renew);
      return renew ? service.token('org_token') : 'stale';
    },
  });
  assert.equal((await made.record(assigned(1))).status, 'RECORDED');
  assert.deepEqual(asked, [false, true]);
  const started = Date.now();
  for (const [token, code] of [
    ['stale', 'UNAUTHENTICATED'],
    [service.token('org_token', 'audit:read'), 'FORBIDDEN'],
    ['secret-of-mine\nx', 'NO_TOKEN'],
    [() => Promise.reject(new Error('no vault')), 'NO_TOKEN'],
  ] as const) {
    const { made, incidents } = recorder('org_token', { token, timeoutMs: 60_000 });
    await assert.rejects(made.record(assigned(2)), { code, mayBeRecorded: false });
    assert.doesNotMatch(JSON.stringify(incidents), /secret-of-mine/);
  }
  assert.ok(Date.now() - started < 60_000);
  assert.deepEqual(await marks('org_token'), [1]);
});

test('an address that is not the service’s is told at once, with what answers there', async () => {
  const { made } = recorder('org_address', { url: `${service.url}/elsewhere`, timeoutMs: 60_000 });
  await assert.rejects(made.record(assigned(1)), { code: 'HTTP_405' });
  for (const url of ['ftp://audit.example', 'https://user:password@audit.example', 'audit']) {
    assert.throws(() => recorder('org_address', { url }), TypeError);
  }
  assert.throws(() => recorder('org_address', { timeoutMs: 0 }), RangeError);
  assert.throws(() => recorder('org_address', { failOpen: ['a*b'] }), TypeError);
});

test('an organization that records too much waits alone', async () => {
  const own = await Service.start({ LEDGERLINE_RECORD_RATE: '5' });
  const { made, incidents } = recorder('org_any', { token: own.token(undefined), timeoutMs: 2_500 }, own);
  const record = (mark: number) => made.record(assigned(mark, { organization: 'org_busy' }));
  // A burst of a thousand is taken; then each has to wait.
  await Promise.all(Array.from({ length: 1_000 }, (_, mark) => record(mark)));
  const busy = Array.from({ length: 60 }, (_, at) => record(1_000 + at));
  const settled = Promise.allSettled(busy);
  const others = [];
  for (let mark = 0; mark < 3; mark += 1) {
    others.push(await made.record(assigned(mark, { organization: `org_other_${mark}` })));
  }
  assert.deepEqual(
    others.map(({ status }) => status),
    ['RECORDED', 'RECORDED', 'RECORDED'],
  );
  const refused = (await settled).filter(({ status }) => status === 'rejected') as PromiseRejectedResult[];
  assert.ok(refused.length > 0);
  assert.deepEqual(new Set(refused.map(({ reason }) => reason.code)), new Set(['RATE_LIMITED']));
  assert.deepEqual(incidents, [], 'the service is not down for one organization’s sake');
  await own.remove();
});

test('closing takes no more, and waits for what was taken', async () => {
  const { made } = recorder('org_closed');
  const recorded = [1, 2, 3].map((mark) => made.record(assigned(mark)));
  await made.close();
  assert.deepEqual(
    (await Promise.all(recorded)).map(({ status }) => status),
    ['RECORDED', 'RECORDED', 'RECORDED'],
  );
  await assert.rejects(made.record(assigned(4)), { code: 'CLOSED' });
  assert.equal(made.waiting, 0);
});
