// Keeps the waiting page up to date, and goes in when called. Without it the page's forms do the same by hand.
(() => {
  'use strict';
  const page = document.getElementById('usher');
  if (!page) return;
  const { room, state, challenge, return: back } = page.dataset;
  const address = (action) => `/v1/rooms/${encodeURIComponent(room)}/${action}`;
  const retryMillisMax = 60000;
  let failures = 0;

  const show = (id, text) => {
    const element = document.getElementById(id);
    if (element && element.textContent !== text) element.textContent = text;
  };
  const later = (seconds, act) => setTimeout(act, seconds * 1000);
  const reload = () => location.reload();

  // Waits longer after each failure, never longer than a minute, and not in step with everybody else.
  const again = (act, reply) => {
    failures += 1;
    const asked = Number(reply && reply.headers.get('Retry-After')) * 1000;
    const wait = Math.min(retryMillisMax, asked || 2000 * 2 ** Math.min(failures, 5));
    setTimeout(act, wait * (0.8 + Math.random() * 0.4));
  };

  const send = (action, method, headers) =>
    fetch(address(action), {
      method, credentials: 'same-origin', headers: { Accept: 'application/json', ...headers }, cache: 'no-store',
    });

  async function join(answer) {
    const same = () => join(answer);
    let reply;
    try { reply = await send('join', 'POST', answer ? { 'Usher-Challenge': answer } : {}); } catch { return again(same); }
    if (reply.ok) return reload();
    if (reply.status === 425 || reply.status === 429 || reply.status >= 500) return again(same, reply);
    if (reply.status === 409 || reply.status === 410) return later(2, reload);
    const problem = await reply.json().catch(() => ({}));
    if (String(problem.code).startsWith('challenge_')) return again(work);
  }

  // Joins with the solution of the room's puzzle, or with the ticket of those who wait instead, whichever is there
  // first: a slow device loses no more than the wait.
  async function work() {
    let reply;
    try { reply = await send('challenge', 'GET'); } catch { return again(work); }
    if (reply.status === 429 || reply.status >= 500) return again(work, reply);
    if (!reply.ok) return later(2, reload);
    const asked = await reply.json().catch(() => null);
    if (!asked) return again(work);
    if (asked.kind !== 'pow') return reload();
    showWork();
    join(await Promise.race([solution(asked.pow), waited(asked.wait)]));
  }

  const waited = ({ seconds, token }) => new Promise((done) => later(seconds + 1, () => done(token)));

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

  const form = document.getElementById('join');
  // With script the button need not wait.
  if (form && challenge === 'pow') form.addEventListener('submit', (event) => { event.preventDefault(); work(); });

  function showWork() {
    if (form) form.hidden = true;
    show('text', 'One moment: your browser solves a small puzzle that keeps programs from taking places.');
    showTried(0);
  }

  // Outside of what is read aloud: a screen reader would read every percent.
  function showTried(part) {
    const bar = document.getElementById('progress');
    if (!bar) return;
    bar.hidden = false;
    bar.value = part;
  }

  async function claim() {
    let reply;
    try { reply = await send('claim', 'POST'); } catch { return again(claim); }
    if (reply.status === 200) return location.replace(back);
    if (reply.status === 202) {
      const body = await reply.json().catch(() => ({}));
      return later((body.poll && body.poll.after_s) || 3, claim);
    }
    if (reply.status === 429 || reply.status >= 500) return again(claim, reply);
    later(3 + Math.random() * 3, reload);
  }

  async function poll() {
    let reply;
    try { reply = await send('place', 'GET'); } catch { return again(poll); }
    if (reply.status === 429 || reply.status >= 500) return again(poll, reply);
    if (!reply.ok) return later(1, reload);
    const body = await reply.json().catch(() => null);
    if (!body) return again(poll);
    failures = 0;
    if (body.place.state !== 'waiting' || body.outlook === 'gone') {
      if (body.place.state === 'called' || body.place.state === 'admitted') return claim();
      return reload();
    }
    show('ahead', String(body.place.ahead));
    const seconds = body.eta && body.eta.p50_s;
    if (seconds != null) show('minutes', String(Math.max(1, Math.ceil(seconds / 60))));
    later((body.poll && body.poll.after_s) || 5, poll);
  }

  switch (state) {
    case 'join': case 'join-again': case 'hold-on':
      if (challenge === 'pow') work();
      else if (challenge === 'off') join();
      break;
    case 'waiting': later(Number(page.dataset.poll) || 5, poll); break;
    case 'called': claim(); break;
    case 'not-yet-open': case 'paused': case 'try-later': later(10 + Math.random() * 10, reload); break;
  }
})();
