// Runs Gateway/Pages/verify.js outside a browser. Arguments: path of verify.js. Standard input: a list of cases
// {"name", "kind": "place" | "growth" | "signature", …arguments}; standard output: one line a case, `name: verdict`.
// Without cases it builds every tree of up to 33 entries by the definitions of RFC 6962 §2.1 and checks all of them.
import { readFileSync } from 'node:fs';
import { webcrypto } from 'node:crypto';

globalThis.crypto ??= webcrypto;
(0, eval)(readFileSync(process.argv[2], 'utf8'));
const proof = globalThis.usherProof;
const hex = (bytes) => Buffer.from(bytes).toString('hex');

const split = (count) => { let k = 1; while (k * 2 < count) k *= 2; return k; };
const empty = async () => new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array()));

async function root(entries) {
  if (entries.length === 0) return empty();
  if (entries.length === 1) return proof.leafHash(entries[0]);
  const k = split(entries.length);
  return proof.nodeHash(await root(entries.slice(0, k)), await root(entries.slice(k)));
}
async function path(index, entries) {
  if (entries.length <= 1) return [];
  const k = split(entries.length);
  return index < k
    ? [...await path(index, entries.slice(0, k)), await root(entries.slice(k))]
    : [...await path(index - k, entries.slice(k)), await root(entries.slice(0, k))];
}
async function growth(m, entries, isWhole = true) {
  if (m === entries.length) return isWhole ? [] : [await root(entries)];
  const k = split(entries.length);
  return m <= k
    ? [...await growth(m, entries.slice(0, k), isWhole), await root(entries.slice(k))]
    : [...await growth(m - k, entries.slice(k), false), await root(entries.slice(0, k))];
}

async function all() {
  const countMax = 33;
  const entries = Array.from({ length: countMax }, (_, index) => new Uint8Array(24).fill(index + 1));
  let checks = 0;
  const expect = (holds, what) => { checks += 1; if (!holds) { console.log(`FAIL ${what}`); process.exit(1); } };
  const refuses = async (make) => { try { return !await make(); } catch (error) { return error instanceof proof.Flaw; } };
  for (let size = 1; size <= countMax; size += 1) {
    const list = entries.slice(0, size);
    const whole = await root(list);
    for (let index = 0; index < size; index += 1) {
      const steps = (await path(index, list)).map(hex);
      const leads = async (...given) => hex(await proof.rootOf(...given)) === hex(whole);
      expect(await leads(list[index], index, size, steps), `entry ${index} of ${size}`);
      expect(await refuses(() => leads(new Uint8Array(24), index, size, steps)), `another entry at ${index} of ${size}`);
      expect(await refuses(() => leads(list[index], index, size, [...steps, hex(whole)])), `long path ${index} of ${size}`);
      if (steps.length > 0) {
        expect(await refuses(() => leads(list[index], index, size, steps.slice(1))), `short path ${index} of ${size}`);
        const other = index + 1 < size ? index + 1 : 0;
        expect(await refuses(() => leads(list[index], other, size, steps)), `wrong index ${index} of ${size}`);
      }
    }
    for (let from = 1; from <= size; from += 1) {
      const earlier = { size: from, root: await root(list.slice(0, from)) };
      const later = { size, root: whole };
      const steps = (await growth(from, list)).map(hex);
      expect(await proof.isContinued(earlier, later, steps), `${from} to ${size}`);
      const forged = { size: from, root: await proof.leafHash(new Uint8Array(24)) };
      expect(await refuses(() => proof.isContinued(forged, later, steps)), `forged ${from} to ${size}`);
      expect(await refuses(() => proof.isContinued(earlier, { size, root: forged.root }, steps)), `${from} to forged ${size}`);
    }
  }
  console.log(`ok ${checks}`);
}

async function verdict(test) {
  try {
    if (test.kind === 'place') {
      const found = await proof.checkPlace(test);
      return `entry ${found.index} of ${found.size}, signature ${found.signature}`;
    }
    if (test.kind === 'growth') {
      const found = await proof.checkGrowth(test.earlier, test.later, test.path);
      return `${found.from} to ${found.to}`;
    }
    return await proof.signatureOf(proof.readNote(test.note), test.keySet);
  } catch (error) {
    return error instanceof proof.Flaw ? `flaw: ${error.message}` : `error: ${error}`;
  }
}

const input = readFileSync(0, 'utf8').trim();
if (input === '') await all();
else for (const test of JSON.parse(input)) console.log(`${test.name}: ${await verdict(test)}`);
