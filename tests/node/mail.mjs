// Mail of alerts, received by a server that was not written here: npm `smtp-server`, and read by `mailparser`. Each part
// starts a demo of its own with scripts/with-demo, since the demo is told where the server is.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { simpleParser } from 'mailparser';
import selfsigned from 'selfsigned';
import { SMTPServer } from 'smtp-server';

const withDemo = new URL('../../scripts/with-demo', import.meta.url).pathname;
const PASSWORD = 'correct horse @ battery';

/** A server on a free port. `refuse(address, tries)` may answer with an error. */
async function server(options, refuse = () => undefined) {
  const letters = [];
  const tries = new Map();
  const smtp = new SMTPServer({
    authMethods: ['PLAIN', 'LOGIN'],
    logger: false,
    onAuth({ username, password }, session, done) {
      const known = username === 'ledgerline' && password === PASSWORD;
      done(known ? null : new Error('who?'), { user: username });
    },
    onRcptTo({ address }, session, done) {
      tries.set(address, (tries.get(address) ?? 0) + 1);
      done(refuse(address, tries.get(address)));
    },
    onData(stream, { envelope }, done) {
      const at = Date.now();
      simpleParser(stream).then((letter) => {
        letters.push({
          at,
          letter,
          to: envelope.rcptTo.map(({ address }) => address),
          from: envelope.mailFrom.address,
        });
        done();
      }, done);
    },
    ...options,
  });
  smtp.on('error', () => {});
  await new Promise((resolve) => smtp.listen(0, '127.0.0.1', resolve));
  const port = smtp.server.address().port;
  return { letters, tries, port, close: () => new Promise((resolve) => smtp.close(resolve)) };
}

/** Runs `use` against a demo that sends mail by a server. */
async function demo(smtpUrl, use) {
  const env = {
    ...process.env,
    PRODUCT: 'scim-platform',
    ORGANIZATION: 'org_mail',
    SMTP_URL: smtpUrl,
    MAIL_FROM: 'Audit log ✓ <audit@ledgerline.example>',
  };
  const command = [withDemo, 'sh', '-c', 'echo "$BASE_URL $TOKEN"; cat >/dev/null'];
  const child = spawn(command[0], command.slice(1), { env, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      const [url, token] = line.split(' ');
      await use(async (query, variables = {}) => {
        const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
        const body = JSON.stringify({ query, variables });
        const { data, errors } = await (await fetch(`${url}/graphql`, { method: 'POST', headers, body })).json();
        assert.equal(errors, undefined, JSON.stringify(errors));
        return data;
      });
      break;
    }
  } finally {
    child.stdin.end();
    await ended;
  }
}

async function until(what, holds, seconds = 20) {
  for (const end = Date.now() + seconds * 1000; Date.now() < end; await sleep(20)) {
    const held = await holds();
    if (held) return held;
  }
  throw new Error(`${what}: not within ${seconds} s`);
}

const rule = async (ask, input) => {
  const query = `mutation ($input: CreateAlertRuleInput!) { createAlertRule(input: $input) { rule { id } } }`;
  return (await ask(query, { input })).createAlertRule.rule.id;
};
const state = async (ask, id) => {
  const fields = 'id firings waitingMessages lastSentAt sendTrouble trouble lastFiring { id action }';
  return (await ask(`{ auditAlertRules { ${fields} } }`)).auditAlertRules.find((known) => known.id === id);
};
const record = (ask, actor, count) => {
  const event = { action: 'auth.login_failed', ipAddress: '203.0.113.9', actor: { kind: 'USER', ...actor } };
  const query = `mutation ($input: RecordAuditEventsInput!) { recordAuditEvents(input: $input) { refused } }`;
  return ask(query, { input: { events: Array(count).fill(event) } });
};

// What arrives, how soon, and from whom; an address that is refused keeps no other one waiting; a server that is busy is
// tried again with the same letter.
{
  const answer = (code, text) => Object.assign(new Error(text), { responseCode: code });
  const smtp = await server({ allowInsecureAuth: true }, (address, tries) => {
    if (address === 'gone@example.com') return answer(550, 'no such mailbox');
    if (address === 'busy@example.com' && tries === 1) return answer(451, 'try again later');
    return undefined;
  });
  const password = encodeURIComponent(PASSWORD);
  await demo(`smtp://ledgerline:${password}@127.0.0.1:${smtp.port}`, async (ask) => {
    const label = 'Failed sign-ins ☃\r\nBcc: thief@example.com\r\n\r\nHello';
    const id = await rule(ask, {
      label,
      question: { filter: { actions: ['auth.login_failed'] } },
      threshold: 5,
      per: 'ACTOR',
      target: { emails: ['gone@example.com', 'security@example.com', 'busy@example.com'] },
    });
    await record(ask, { id: 'usr_1', name: 'Mallory\nBcc: thief@example.com' }, 4);
    await record(ask, { id: 'usr_2' }, 4);
    await sleep(1500);
    assert.equal((await state(ask, id)).firings, '0');
    assert.equal(smtp.letters.length, 0);

    await record(ask, { id: 'usr_1', name: 'Mallory\nBcc: thief@example.com' }, 1);
    const committed = Date.now();
    const first = await until('a letter', () => smtp.letters.find(({ to }) => to.includes('security@example.com')));
    const lag = first.at - committed;
    assert.ok(lag < 5000, `${lag} ms`);
    const { letter } = first;
    assert.deepEqual(first.to, ['security@example.com']);
    assert.equal(first.from, 'audit@ledgerline.example');
    assert.equal(letter.from.text, '"Audit log ✓" <audit@ledgerline.example>');
    assert.equal(letter.to.text, 'security@example.com');
    assert.equal(letter.subject, 'Alert: Failed sign-ins ☃  Bcc: thief@example.com Hello (org_mail)');
    for (const name of ['bcc', 'cc']) assert.equal(letter.headers.get(name), undefined);
    assert.equal(letter.headers.get('auto-submitted'), 'auto-generated');
    assert.match(letter.text, /5 events were recorded of one actor within 60 seconds\./);
    assert.match(letter.text, /Action: .+ \(auth\.login_failed\)\n/);
    assert.match(letter.text, /Actor: Mallory Bcc: thief@example\.com, usr_1 \(.+\)\n/);
    assert.match(letter.text, /IP address: 203\.0\.113\.9\n/);
    const fired = (await state(ask, id)).lastFiring;
    assert.equal(fired.action, 'audit_log.alert_fired');
    assert.ok(letter.text.includes(fired.id));
    assert.equal(letter.messageId, `<${fired.id}@ledgerline.example>`);

    const later = await until('the letter to busy', () =>
      smtp.letters.find(({ to }) => to.includes('busy@example.com')),
    );
    assert.equal(smtp.tries.get('busy@example.com'), 2);
    assert.equal(later.letter.messageId, letter.messageId);
    // The one that is gone is still tried, and says why.
    const waiting = await until('two that arrived', async () => {
      const known = await state(ask, id);
      return known.waitingMessages === 1 && known.lastSentAt && known;
    });
    assert.equal(waiting.firings, '1');
    await record(ask, { id: 'usr_1' }, 5);
    await sleep(1500);
    assert.equal((await state(ask, id)).firings, '1', 'one burst fires once');
    assert.deepEqual(smtp.letters.flatMap(({ to }) => to).sort(), ['busy@example.com', 'security@example.com']);
    console.log(`a letter arrived ${lag} ms after the commit; the busy mailbox took the second try, the gone one none`);
  });
  await smtp.close();
}

// A server whose certificate nobody knows is sent neither a letter nor the password.
{
  const { private: key, cert } = await selfsigned.generate([{ name: 'commonName', value: '127.0.0.1' }]);
  const smtp = await server({ key, cert, secure: false, authOptional: true });
  const password = encodeURIComponent(PASSWORD);
  await demo(`smtp://ledgerline:${password}@127.0.0.1:${smtp.port}?tls=required`, async (ask) => {
    const id = await rule(ask, { label: 'All', target: { emails: ['security@example.com'] } });
    await record(ask, { id: 'usr_1' }, 1);
    const { sendTrouble } = await until('a failure', async () => {
      const known = await state(ask, id);
      return known.sendTrouble && known;
    });
    assert.match(sendTrouble, /certificate/i);
    assert.ok(!sendTrouble.includes(PASSWORD) && !sendTrouble.includes(password), sendTrouble);
    assert.equal(smtp.letters.length, 0);
    console.log(`an unknown certificate: ${sendTrouble}`);
  });
  await smtp.close();
}
