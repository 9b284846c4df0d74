// Keeps the waiting page up to date, goes in when called, and checks the visitor's entry in the room's public list.
// Without it the page's forms do the same by hand, all but the check.
(() => {
  'use strict';
  let page = document.getElementById('usher');
  if (!page) return;
  const { room, return: back } = page.dataset;
  const address = (action) => `/v1/rooms/${encodeURIComponent(room)}/${action}`;
  const retryMillisMax = 60000;
  const sayEveryMillis = 60000;
  const goInAfterMillis = 5000;
  // A hidden page waits to be looked at, but not so long that the turn passes.
  const hiddenReserveMillis = 20000;
  // The check costs the gateway a few requests: not all at once, and rarely once it has gone well.
  const checkFirstMillis = 5000;
  const checkLaterMillis = 60000;
  const checkAgainMillis = 600000;
  // So many people ahead are worth a word of their own.
  const milestones = [1000, 500, 100, 50, 20, 10, 5, 1];
  let failures = 0;
  // Counts the states of the page: what was begun in an earlier one ends.
  let era = 0;

  const element = (id) => document.getElementById(id);
  const show = (id, text) => {
    const found = element(id);
    if (found && found.textContent !== text) found.textContent = text;
  };
  const later = (seconds, act) => {
    const begun = era;
    setTimeout(() => { if (begun === era) act(); }, seconds * 1000);
  };
  const spread = (seconds) => seconds * (0.8 + Math.random() * 0.4);

  // Waits longer after each failure, never longer than a minute, and not in step with everybody else.
  const again = (act, reply) => {
    failures += 1;
    const asked = Number(reply && reply.headers.get('Retry-After')) * 1000;
    later(spread(Math.min(retryMillisMax, asked || 2000 * 2 ** Math.min(failures, 5)) / 1000), act);
  };

  const send = (action, method, headers) =>
    fetch(address(action), {
      method, credentials: 'same-origin', headers: { Accept: 'application/json', ...headers }, cache: 'no-store',
    });
  const read = (reply) => reply.json().catch(() => null);

  // MARK: What is read aloud

  // A screen reader gets one message a minute, and what is worth one by itself at once.
  let saidAt = -Infinity;
  let lastAhead = null;
  function say(text, isMilestone) {
    const now = performance.now();
    if (!isMilestone && now - saidAt < sayEveryMillis) return;
    saidAt = now;
    show('said', text);
  }

  function sayAhead(ahead, minutes) {
    const passed = lastAhead !== null && milestones.some((mark) => lastAhead > mark && ahead <= mark);
    lastAhead = ahead;
    say(`${ahead} ahead of you${minutes === null ? '' : `, about ${minutes} minutes to go`}.`, passed);
  }

  // MARK: The page in its next state

  // Puts the page as the server now writes it in the place of the old one: nothing is loaded again, and the focus stays
  // where it is as long as its element does.
  async function refresh() {
    era += 1;
    let reply;
    try {
      reply = await fetch(back, { credentials: 'same-origin', headers: { Accept: 'text/html' }, cache: 'no-store' });
    } catch { return again(refresh); }
    const fresh = new DOMParser().parseFromString(await reply.text().catch(() => ''), 'text/html').getElementById('usher');
    if (!fresh) return reply.status === 429 || reply.status >= 500 ? again(refresh, reply) : location.replace(back);
    // A provider's widget comes with a page of its own rules.
    if (fresh.dataset.challenge === 'captcha' && fresh.querySelector('[data-sitekey]')) return location.replace(back);
    const focused = document.activeElement && document.activeElement.id;
    const isOpen = element('receipt') && element('receipt').open;
    const before = page.dataset.state;
    const checked = element('checks');
    const entryText = element('entry-text');
    page.replaceWith(document.adoptNode(fresh));
    page = fresh;
    document.title = element('heading').textContent;
    // What was checked stays checked.
    if (checked && element('checks')) element('checks').replaceWith(checked);
    if (entryText && element('entry-text')) element('entry-text').replaceWith(entryText);
    if (isOpen && element('receipt')) element('receipt').open = true;
    if (focused && element(focused)) element(focused).focus({ preventScroll: true });
    if (before !== page.dataset.state) say(`${element('heading').textContent}. ${element('text').textContent}`, true);
    failures = 0;
    start();
  }

  // MARK: Taking a place

  async function join(answer) {
    const same = () => join(answer);
    let reply;
    try { reply = await send('join', 'POST', answer ? { 'Usher-Challenge': answer } : {}); } catch { return again(same); }
    if (reply.ok) {
      const body = await read(reply);
      if (body && body.receipt) keep(receiptKey, JSON.stringify(body.receipt));
      return refresh();
    }
    if (reply.status === 425 || reply.status === 429 || reply.status >= 500) return again(same, reply);
    if (reply.status === 409 || reply.status === 410) return later(2, refresh);
    const problem = await read(reply) || {};
    if (String(problem.code).startsWith('challenge_')) return again(work);
    if (problem.code === 'account_required' || problem.code === 'token_expired') {
      show('text', 'Sign in to take your place. If you had one on another device, it is still yours.');
    }
  }

  // Joins with the solution of the room's puzzle, or with the ticket of those who wait instead, whichever is there
  // first: a slow device loses no more than the wait.
  async function work() {
    let reply;
    try { reply = await send('challenge', 'GET'); } catch { return again(work); }
    if (reply.status === 429 || reply.status >= 500) return again(work, reply);
    if (!reply.ok) return later(2, refresh);
    const asked = await read(reply);
    if (!asked) return again(work);
    if (asked.kind !== 'pow') return refresh();
    showWork();
    join(await Promise.race([solution(asked.pow), waited(asked.wait)]));
  }

  const waited = ({ seconds, token }) => new Promise((done) => { setTimeout(() => done(token), (seconds + 1) * 1000); });

  // Never ends without a worker: the wait does.
  const solution = (puzzle) => new Promise((done) => {
    let worker;
    try { worker = new Worker('/usher/solver.js'); } catch { return; }
    worker.onmessage = ({ data }) => {
      if (data.tried !== undefined) return showTried(data.tried / puzzle.limit);
      worker.terminate();
      if (data.number !== null) done(`${puzzle.token}.${data.number}`);
    };
    worker.postMessage({ prefix: puzzle.prefix, target: puzzle.target, limit: puzzle.limit });
  });

  function showWork() {
    const form = element('join');
    if (form) form.hidden = true;
    show('text', 'One moment: your browser solves a small puzzle that keeps programs from taking places.');
    showTried(0);
  }

  function showTried(part) {
    const bar = element('progress');
    if (!bar) return;
    bar.hidden = false;
    bar.value = part;
  }

  // MARK: In line

  async function poll() {
    let reply;
    try { reply = await send('place', 'GET'); } catch { return again(poll); }
    if (reply.status === 429 || reply.status >= 500) return again(poll, reply);
    if (!reply.ok) return later(1, refresh);
    const body = await read(reply);
    if (!body) return again(poll);
    failures = 0;
    const state = body.place.state;
    const isSame = state === page.dataset.state && body.phase === page.dataset.phase;
    if (!isSame || body.outlook === 'gone' || (body.outlook === 'unlikely') !== Boolean(element('outlook'))) return refresh();
    const seconds = body.eta && body.eta.p50_s;
    const minutes = seconds == null ? null : Math.max(1, Math.ceil(seconds / 60));
    if (body.place.ahead != null) {
      show('ahead', String(body.place.ahead));
      sayAhead(body.place.ahead, minutes);
    }
    if (minutes !== null) show('minutes', String(minutes));
    later((body.poll && body.poll.after_s) || 5, poll);
  }

  // MARK: Called

  async function claim() {
    let reply;
    try { reply = await send('claim', 'POST'); } catch { return again(claim); }
    if (reply.status === 200) return location.replace(back);
    if (reply.status === 202) {
      const body = await read(reply) || {};
      return later((body.poll && body.poll.after_s) || 3, claim);
    }
    if (reply.status === 429 || reply.status >= 500) return again(claim, reply);
    later(spread(3), refresh);
  }

  let deadline = null;
  let isAsked = false;

  // Goes in by itself, unless the visitor asked for time. Nobody goes in behind a page that is not looked at while there
  // is time left: a pass that nobody uses is lost.
  function goIn() {
    const reserve = document.hidden ? hiddenReserveMillis : 0;
    const left = deadline === null ? Infinity : deadline - Date.now();
    if (isAsked || (document.hidden && left > reserve)) return later(1, goIn);
    claim();
  }

  function called() {
    deadline = Date.parse(page.dataset.deadline) || null;
    showDeadline();
    later(isAsked || document.hidden ? 1 : goInAfterMillis / 1000, goIn);
  }

  function showDeadline() {
    const time = element('deadline');
    if (!time || deadline === null) return;
    time.dateTime = new Date(deadline).toISOString();
    show('deadline', new Date(deadline).toLocaleTimeString());
  }

  async function extend() {
    isAsked = true;
    let reply;
    try { reply = await send('extend', 'POST'); } catch { return say('This did not work. Please try again.', true); }
    const body = await read(reply) || {};
    if (!reply.ok) return reply.status === 410 ? refresh() : say('There is no more time to be had. Please go in now.', true);
    deadline = Date.parse(body.claim.deadline);
    show('extensions', String(body.claim.extensions_left));
    showDeadline();
    if (body.claim.extensions_left === 0) element('extend').hidden = true;
    show('text', 'You have more time. Press the button when you are ready.');
    say(`Your turn now lasts until ${new Date(deadline).toLocaleTimeString()}.`, true);
  }

  // MARK: The draw

  async function showDraw() {
    let reply;
    try { reply = await send('draw', 'GET'); } catch { return; }
    const body = reply.ok ? await read(reply) : null;
    if (!body || !element('draw')) return;
    const { seal, draw, beacon } = body;
    const parts = [];
    if (seal) parts.push(`${seal.count} places take part.`);
    if (draw) {
      parts.push(draw.round ? `Drawn with public random number ${draw.round}.` : 'Drawn with a number the organiser had committed to.');
    } else if (beacon) {
      // The last one named counts: the ones before it did not come.
      const named = (beacon.named || []).slice(-1)[0] || beacon;
      const due = Date.parse(named.due);
      parts.push(`${seal ? 'Waiting for' : 'To be drawn with'} public random number ${named.round}${due ? `, due at ${new Date(due).toLocaleTimeString()}` : ''}.`);
    }
    if (parts.length > 0) show('draw', parts.join(' '));
  }

  // MARK: The public list

  const seenKey = `usher-checkpoint-${room}`;
  const receiptKey = `usher-receipt-${room}`;
  const recall = (key) => { try { return localStorage.getItem(key); } catch { return null; } };
  const keep = (key, value) => { try { localStorage.setItem(key, value); } catch { /* kept for this page only */ } };
  let receipt = null;
  let keySet = null;
  let isProved = false;
  let checks = 0;

  function showCheck(id, verdict, text) {
    const list = element('checks');
    if (!list) return;
    let item = element(`check-${id}`);
    if (!item) {
      item = document.createElement('li');
      item.id = `check-${id}`;
      list.append(item);
    }
    item.className = verdict;
    show(item.id, text);
  }

  // What the join itself answered: nothing that is said later takes its place.
  function promised() {
    const number = Number(element('number') && element('number').textContent);
    try {
      const kept = JSON.parse(recall(receiptKey));
      return kept && kept.index === number - 1 ? kept : null;
    } catch { return null; }
  }

  async function ask(action) {
    const reply = await send(action, 'GET');
    return reply.ok ? reply.json() : null;
  }

  // What the browser can say of the signature, in words.
  const signatures = {
    good: ['ok', 'The list is signed by the gateway; this browser checked the signature.'],
    unavailable: ['', 'This browser cannot check Ed25519 signatures, so the signature of the list was not checked.'],
    'unknown-key': ['', 'The list is signed by a key that is not published any more; the signature was not checked.'],
  };

  // Proves the entry once; from then on looks whether the list only grows.
  async function check() {
    const checker = globalThis.usherProof;
    if (!checker || !element('checks')) return;
    if (!globalThis.crypto || !crypto.subtle) {
      return showCheck('entry', '', 'A browser checks the list on encrypted pages only.');
    }
    if (isProved) {
      const reply = await send('log/checkpoint', 'GET');
      return reply.ok ? checkGrowth(checker, await reply.text()) : undefined;
    }
    receipt = promised() || receipt || await ask('receipt');
    if (!receipt || !element('entry-text')) return;
    element('entry-text').hidden = false;
    show('entry-text', `${receipt.index} ${receipt.entry}`);
    const proof = await ask(`log/proof?number=${receipt.index + 1}`);
    if (!proof) return showCheck('entry', '', 'The next signed list has your entry; the check follows by itself.');
    keySet = keySet || await fetch('/.well-known/jwks.json').then((reply) => (reply.ok ? reply.json() : null));
    const found = await checker.checkPlace({ room, receipt, proof, keySet });
    isProved = true;
    const at = found.timeMs ? ` of ${new Date(found.timeMs).toLocaleTimeString()}` : '';
    showCheck('entry', 'ok', `Your entry is number ${found.index + 1} of ${found.size} in the list${at}; this browser checked its proof.`);
    showCheck('signature', ...signatures[found.signature]);
    await checkGrowth(checker, proof.checkpoint);
  }

  // Against the newest list this browser has seen, so that nobody can show it another one.
  async function checkGrowth(checker, note) {
    const seen = recall(seenKey);
    const later = checker.readNote(note);
    if (await checker.signatureOf(later, keySet) === 'bad') throw new checker.Flaw('the signature of the checkpoint is wrong');
    const earlier = seen ? readOld(checker, seen) : null;
    if (!earlier || earlier.origin !== later.origin) return keep(seenKey, note);
    if (earlier.size === later.size && earlier.body === later.body) return;
    const [from, to] = earlier.size <= later.size ? [seen, note] : [note, seen];
    const sizes = `from=${Math.min(earlier.size, later.size)}&to=${Math.max(earlier.size, later.size)}`;
    const proof = earlier.size === later.size ? { path: [] } : await ask(`log/consistency?${sizes}`);
    if (!proof) return;
    try {
      await checker.checkGrowth(from, to, proof.path);
    } catch (error) {
      // Both are kept: together they prove it.
      keep(`${seenKey}-conflict`, JSON.stringify([from, to]));
      throw error;
    }
    showCheck('growth', 'ok', `The list only grew since this browser saw it with ${earlier.size} entries.`);
    if (later.size > earlier.size) keep(seenKey, note);
  }

  function readOld(checker, note) {
    try { return checker.readNote(note); } catch { return null; }
  }

  async function keepChecking() {
    try {
      await check();
    } catch (error) {
      if (globalThis.usherProof && error instanceof globalThis.usherProof.Flaw) {
        showCheck('flaw', 'bad', `The list does not hold: ${error.message}. Keep a picture of this page and tell the organiser.`);
        if (element('receipt')) element('receipt').open = true;
        say('The public list does not agree with your receipt.', true);
      }
    }
    checks += 1;
    const wait = isProved ? checkAgainMillis : Math.min(checkLaterMillis, checkFirstMillis * 2 ** Math.min(checks, 5));
    setTimeout(keepChecking, spread(wait));
  }

  // MARK: By state

  function start() {
    const { state, challenge } = page.dataset;
    lastAhead = null;
    const form = element('join');
    // With script the button need not wait.
    if (form && challenge === 'pow') form.addEventListener('submit', (event) => { event.preventDefault(); work(); });
    const more = element('extend');
    if (more) more.addEventListener('submit', (event) => { event.preventDefault(); extend(); });
    if (element('draw')) showDraw();
    switch (state) {
      case 'join': case 'join-again': case 'hold-on':
        if (challenge === 'pow') work();
        else if (challenge === 'off') join();
        break;
      case 'waiting': case 'assigning': later(Number(page.dataset.poll) || 5, poll); break;
      case 'called': called(); break;
      case 'not-yet-open': case 'paused': case 'try-later': later(10 + Math.random() * 10, refresh); break;
    }
  }

  start();
  setTimeout(keepChecking, Math.random() * checkFirstMillis);
})();
