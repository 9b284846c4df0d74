// Looks at the waiting page in a real browser: fills the template for each state, answers as a room would (with a small
// log of its own), and checks what the page then says. Arguments: folder of the pages, and, to keep pictures, a folder.
import { createServer } from 'node:http';
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { webcrypto as crypto } from 'node:crypto';

const [folder, pictures] = process.argv.slice(2);
const file = (name) => readFileSync(join(folder, name));
const escaped = (text) => String(text).replace(/[&<>"']/g, (mark) => `&#${mark.charCodeAt(0)};`);

// The template's rules: {{name}}, {{#name}}…{{/name}}.
function filled(source, values) {
  const sections = /\{\{#(\w+)\}\}((?:(?!\{\{[#/]\1\}\})[\s\S])*)\{\{\/\1\}\}/g;
  let text = source;
  for (let before = ''; before !== text;) {
    before = text;
    text = text.replace(sections, (_, name, inner) => (values[name] === undefined ? '' : inner));
  }
  return text.replace(/\{\{(\w+)\}\}/g, (_, name) => escaped(values[name] ?? ''));
}

// A log of 700 entries by the definitions of RFC 6962.
const size = 700;
const mine = 300;
const sha = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', Buffer.concat(parts.map((part) => Buffer.from(part)))));
const entries = Array.from({ length: size }, (_, index) => {
  const entry = Buffer.alloc(24, index & 255);
  entry.writeBigUInt64BE(BigInt(1770000000000 + index), 16);
  return entry;
});
const split = (count) => { let k = 1; while (k * 2 < count) k *= 2; return k; };
async function root(list) {
  if (list.length === 1) return sha([0], list[0]);
  const k = split(list.length);
  return sha([1], await root(list.slice(0, k)), await root(list.slice(k)));
}
async function path(index, list) {
  if (list.length <= 1) return [];
  const k = split(list.length);
  return index < k
    ? [...await path(index, list.slice(0, k)), await root(list.slice(k))]
    : [...await path(index - k, list.slice(k)), await root(list.slice(0, k))];
}
async function growth(m, list, isWhole = true) {
  if (m === list.length) return isWhole ? [] : [await root(list)];
  const k = split(list.length);
  return m <= k
    ? [...await growth(m, list.slice(0, k), isWhole), await root(list.slice(k))]
    : [...await growth(m - k, list.slice(k), false), await root(list.slice(0, k))];
}
const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
const keyID = (await sha(Buffer.from('usher-log\n'), [1], publicKey)).slice(0, 4);
async function note(whole, count = size) {
  const text = `usher/summer/1\n${count}\n${Buffer.from(whole).toString('base64')}\ntime 1770000001000\n`;
  const signature = await crypto.subtle.sign('Ed25519', pair.privateKey, Buffer.from(text));
  return `${text}\n\u2014 usher-log ${Buffer.concat([keyID, Buffer.from(signature)]).toString('base64')}\n`;
}
const hex = (bytes) => Buffer.from(bytes).toString('hex');
const whole = await root(entries);
const receipt = { index: mine, arrived_at_ms: 1770000000000 + mine, entry: entries[mine].toString('base64') };
const proof = {
  index: mine, size, entry: receipt.entry, path: (await path(mine, entries)).map(hex), checkpoint: await note(whole),
};
const seen = 320;
const consistency = { from: seen, to: size, path: (await growth(seen, entries)).map(hex) };
const earlier = await note(await root(entries.slice(0, seen)), seen);
const forged = await note(await root(entries.slice(1, seen + 1)), seen);
const keySet = { keys: [{ kty: 'OKP', crv: 'Ed25519', x: Buffer.from(publicKey).toString('base64url'), kid: 'log-1' }] };

const place = (state, more = {}) => ({
  room: 'summer', phase: 'active', policy: { method: 'first_come', version: 1, hash: 'h' },
  place: { number: mine + 1, rank: mine + 1, state, ahead: 42 }, eta: { p50_s: 250, p90_s: 400, reason: null },
  serving: { cursor: 258, per_minute: 10 }, claim: { deadline: null, extensions_left: null }, outlook: 'open',
  poll: { after_s: 1 }, message: null, as_of: '2026-11-21T12:00:00.000Z', ...more,
});
const base = { room: 'summer', return: '/sessions/ses_a', challenge: 'off', phase: 'active' };
const inLine = {
  ...base, state: 'waiting', heading: 'You are in line', title: 'You are in line', number: mine + 1, ahead: 57, minutes: 6,
  poll: 1, text: 'Keep this page open. Your place is kept, even if you close the window for a while.',
};
const soon = new Date(Date.now() + 90000).toISOString();
const later = new Date(Date.now() + 210000).toISOString();
const called = {
  ...base, state: 'called', heading: 'It is your turn', title: 'It is your turn', number: mine + 1, claim: '',
  deadline: soon, extensions: 10, text: 'Go in now: your turn lasts a short while only.',
};
const checked = ['Your entry is number 301 of 700', 'this browser checked the signature'];

// name: what the server writes, how the room answers, what the page must say, and what it must not.
const states = {
  waiting: { page: inLine, says: ['>42<', '>5</span> min', 'You are in line', ...checked], not: ['class="bad"'] },
  unlikely: {
    page: { ...inLine, unlikely: 'Seats will probably be gone before it is your turn.' },
    answers: { place: place('waiting', { outlook: 'unlikely' }) }, says: ['Seats will probably be gone'],
  },
  tampered: {
    page: inLine, answers: { proof: { ...proof, path: [...proof.path].reverse() } },
    says: ['class="bad"', 'The list does not hold', 'does not agree with your receipt'],
  },
  'other-entry': {
    page: inLine, answers: { proof: { ...proof, entry: entries[mine + 1].toString('base64') } },
    says: ['another entry than the receipt'],
  },
  grown: { page: inLine, remembered: earlier, says: [...checked, 'The list only grew since this browser saw it with 320'] },
  rewritten: {
    page: inLine, remembered: forged,
    says: ['class="bad"', 'the list was changed behind a checkpoint', 'does not agree with your receipt'],
  },
  uncovered: { page: inLine, answers: { proof: null }, says: ['The next signed list has your entry'] },
  draw: {
    page: {
      ...base, state: 'assigning', phase: 'prequeue', heading: 'You are in the draw', title: 'You are in the draw',
      number: 301, poll: 1, draw: 'The draw can be checked by anybody afterwards.',
      text: 'Everybody who is here before the sale opens takes part in a draw. When you came makes no difference.',
    },
    answers: { place: place('assigning', { phase: 'prequeue' }), draw: { seal: null, draw: null, beacon: { round: 12345, due: soon, named: [] } } },
    says: ['You are in the draw', 'To be drawn with public random number 12345, due at'],
  },
  sealed: {
    page: {
      ...base, state: 'assigning', phase: 'sealed', heading: 'The list is closed', title: 'The list is closed',
      number: 301, poll: 1, draw: 'The draw can be checked by anybody afterwards.',
      text: 'Nobody can join the draw or leave it any more.',
    },
    answers: {
      place: place('assigning', { phase: 'sealed' }),
      draw: { seal: { count: 700, at: soon }, beacon: { round: 12325, due: soon, named: [{ round: 12345, at: soon, due: soon }] } },
    },
    says: ['The list is closed', '700 places take part', 'Waiting for public random number 12345, due at'],
  },
  drawn: {
    page: { ...inLine, rank: 17, draw: 'The draw gave you this rank. Anybody can check it.' },
    answers: { draw: { seal: { count: 700 }, draw: { round: 12345, seed: 'ab' }, beacon: { round: 12345, due: soon, named: [] } } },
    says: ['id="rank">17<', 'Drawn with public random number 12345'],
  },
  called: { page: called, answers: { claim: 202 }, says: ['Go in', 'I need more time', 'Your turn lasts until'] },
  extended: {
    page: called, query: 'press=extend', answers: { claim: null, extend: { room: 'summer', claim: { deadline: later, extensions_left: 9 } } },
    says: ['You have more time', '>9</span> more times', 'Your turn now lasts until'],
  },
  'not-yet-open': {
    page: { ...base, state: 'not-yet-open', heading: 'The sale has not opened yet', text: 'This page tells you when it does.' },
    says: ['has not opened yet'],
  },
  'sold-out': { page: { ...base, state: 'sold-out', heading: 'Sold out', text: 'All seats are taken.' }, says: ['Sold out'] },
  account: {
    page: { ...base, state: 'join', heading: 'Many people want in at once', text: 'Take a place in line.', join: '',
      recover: 'Your place belongs to your account: sign in on another device and it is there, too.' },
    answers: { join: 401 }, says: ['Sign in to take your place', 'sign in on another device'],
  },
};

let now = null;
const template = file('waiting.html').toString();
const types = { js: 'text/javascript', css: 'text/css' };
const policy = "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; connect-src 'self';"
  + " img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const server = createServer((request, reply) => {
  const url = new URL(request.url, 'http://localhost');
  const json = (body) => {
    if (body === null) return reply.writeHead(404, { 'Content-Type': 'application/json' }).end('{}');
    if (body === 202) return reply.writeHead(202, { 'Content-Type': 'application/json' }).end('{"poll":{"after_s":60}}');
    if (body === 401) return reply.writeHead(401, { 'Content-Type': 'application/json' }).end('{"code":"account_required"}');
    return reply.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
  };
  const answers = { place: place('waiting'), receipt, proof, draw: null, claim: null, ...now.answers };
  if (url.pathname.startsWith('/usher/') && existsSync(join(folder, url.pathname.slice(7)))) {
    const name = url.pathname.slice(7);
    return reply.writeHead(200, { 'Content-Type': types[name.split('.').pop()] }).end(file(name));
  }
  if (url.pathname === '/press.js') {
    const script = "addEventListener('load', () => document.querySelector('#extend button').click());";
    return reply.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script);
  }
  if (url.pathname === '/remember.js') {
    const script = `localStorage.setItem('usher-checkpoint-summer', ${JSON.stringify(now.remembered)});`;
    return reply.writeHead(200, { 'Content-Type': 'text/javascript' }).end(script);
  }
  if (url.pathname === '/.well-known/jwks.json') return json(keySet);
  if (url.pathname.endsWith('/log/proof')) return json(answers.proof);
  if (url.pathname.endsWith('/log/consistency')) return json(consistency);
  if (url.pathname.endsWith('/log/checkpoint')) return reply.writeHead(200, { 'Content-Type': 'text/plain' }).end(proof.checkpoint);
  const action = /^\/v1\/rooms\/summer\/(\w+)$/.exec(url.pathname);
  if (action) return json(answers[action[1]] ?? null);
  let html = filled(template, now.page);
  if (now.query === 'press=extend') html = html.replace('</head>', '<script src="/press.js"></script></head>');
  if (now.remembered) html = html.replace('<script', '<script src="/remember.js"></script><script');
  return reply.writeHead(200, { 'Content-Type': 'text/html', 'Content-Security-Policy': policy }).end(html);
});
await new Promise((done) => { server.listen(0, '127.0.0.1', done); });
const address = `http://127.0.0.1:${server.address().port}/sessions/ses_a`;

function browse(...options) {
  const profile = mkdtempSync(join(tmpdir(), 'usher-page-'));
  return new Promise((done) => {
    const browser = spawn('chromium', [
      '--headless', '--no-sandbox', '--disable-gpu', `--user-data-dir=${profile}`, '--virtual-time-budget=9000',
      '--window-size=560,1000', ...options, address,
    ], { stdio: ['ignore', 'pipe', 'ignore'] });
    let told = '';
    browser.stdout.on('data', (data) => { told += data; });
    const timer = setTimeout(() => browser.kill('SIGKILL'), 60000);
    browser.on('close', () => { clearTimeout(timer); rmSync(profile, { recursive: true, force: true }); done(told); });
  });
}

let failures = 0;
for (const [name, state] of Object.entries(states)) {
  now = state;
  const html = await browse('--dump-dom');
  const missing = state.says.filter((text) => !html.includes(text));
  const wrong = (state.not ?? []).filter((text) => html.includes(text));
  if (missing.length > 0 || wrong.length > 0) {
    failures += 1;
    console.log(`FAIL ${name}: missing ${JSON.stringify(missing)}, wrong ${JSON.stringify(wrong)}`);
    if (pictures) console.log(html);
  } else {
    console.log(`ok ${name}`);
  }
  if (pictures) await browse(`--screenshot=${join(pictures, `${name}.png`)}`);
}
server.close();
process.exit(failures > 0 ? 1 : 0);
