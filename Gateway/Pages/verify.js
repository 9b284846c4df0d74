// Checks what a room's log says about one place, with nothing but the browser's own hashes and signatures: the entry is
// the one of the receipt, its path leads to the root of the checkpoint (RFC 9162 §2.1.3.2), the checkpoint is signed by
// the gateway's log key (C2SP signed-note, Ed25519), and a later checkpoint only adds to an earlier one (§2.1.4.2).
// Nothing here touches the page, so that it runs anywhere WebCrypto is.
(() => {
  'use strict';

  const entryBytes = 24;
  const pathMax = 64;
  const noteBytesMax = 4096;
  const keyName = 'usher-log';
  // The kind of key that a note's key id is made of.
  const ed25519Kind = 1;

  class Flaw extends Error {}
  const need = (holds, what) => { if (!holds) throw new Flaw(what); };

  const text = new TextEncoder();
  const join = (...parts) => {
    const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) { all.set(part, at); at += part.length; }
    return all;
  };
  const areEqual = (a, b) => a.length === b.length && a.every((byte, index) => byte === b[index]);

  function fromHex(hex) {
    need(typeof hex === 'string' && /^([0-9a-f]{2})*$/.test(hex), 'a hash is not hex');
    return Uint8Array.from(hex.match(/../g) || [], (pair) => parseInt(pair, 16));
  }

  // Of either alphabet, padded or not.
  function fromBase64(encoded) {
    need(typeof encoded === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(encoded), 'a text is not base64');
    const plain = encoded.replace(/-/g, '+').replace(/_/g, '/').replace(/=+$/, '');
    try { return Uint8Array.from(atob(plain), (letter) => letter.charCodeAt(0)); } catch { throw new Flaw('a text is not base64'); }
  }

  const hash = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)));
  const leafHash = (entry) => hash([0], entry);
  const nodeHash = (left, right) => hash([1], left, right);

  const isCount = (value) => Number.isSafeInteger(value) && value >= 0;
  const half = (value) => Math.floor(value / 2);
  const isOdd = (value) => value % 2 === 1;

  function hashes(path) {
    need(Array.isArray(path) && path.length <= pathMax, 'the path is not a list of hashes');
    const all = path.map(fromHex);
    need(all.every((one) => one.length === 32), 'a hash of the path has not 32 bytes');
    return all;
  }

  // The root that an entry's path leads to (RFC 9162 §2.1.3.2).
  async function rootOf(entry, index, size, path) {
    need(isCount(index) && isCount(size) && index < size, 'the index is not within the tree');
    let number = index;
    let last = size - 1;
    let root = await leafHash(entry);
    for (const sibling of hashes(path)) {
      need(last > 0, 'the path is too long');
      if (isOdd(number) || number === last) {
        root = await nodeHash(sibling, root);
        while (!isOdd(number) && number !== 0) { number = half(number); last = half(last); }
      } else {
        root = await nodeHash(root, sibling);
      }
      number = half(number);
      last = half(last);
    }
    need(last === 0, 'the path is too short');
    return root;
  }

  // Whether the tree of `to` entries begins with the tree of `from` entries (RFC 9162 §2.1.4.2).
  async function isContinued(from, to, path) {
    need(isCount(from.size) && isCount(to.size) && from.size <= to.size, 'the later checkpoint is smaller');
    if (from.size === to.size) return areEqual(from.root, to.root);
    if (from.size === 0) return true;
    let rest = hashes(path);
    // A whole tree is its own first hash.
    const isWhole = Number.isInteger(Math.log2(from.size));
    if (isWhole) rest = [from.root, ...rest];
    if (rest.length === 0) return false;
    let number = from.size - 1;
    let last = to.size - 1;
    while (isOdd(number)) { number = half(number); last = half(last); }
    let [before] = rest;
    let after = before;
    for (const sibling of rest.slice(1)) {
      if (last === 0) return false;
      if (isOdd(number) || number === last) {
        before = await nodeHash(sibling, before);
        after = await nodeHash(sibling, after);
        while (!isOdd(number) && number !== 0) { number = half(number); last = half(last); }
      } else {
        after = await nodeHash(after, sibling);
      }
      number = half(number);
      last = half(last);
    }
    return last === 0 && areEqual(before, from.root) && areEqual(after, to.root);
  }

  // The parts of a checkpoint note. What is signed is everything up to the blank line.
  function readNote(note) {
    need(typeof note === 'string' && note.length <= noteBytesMax, 'the checkpoint is not a text');
    const end = note.indexOf('\n\n');
    need(end > 0, 'the checkpoint has no signature');
    const body = note.slice(0, end + 1);
    const [origin, size, root, ...rest] = body.split('\n');
    need(/^usher\/[a-z0-9-]{1,40}\/[0-9]{1,19}$/.test(origin), 'the checkpoint is of another kind');
    need(/^(0|[1-9][0-9]{0,15})$/.test(size) && isCount(Number(size)), 'the checkpoint has no size');
    const signatures = note.slice(end + 2).split('\n').filter(Boolean).map((line) => {
      const parts = /^\u2014 ([^ +]+) ([A-Za-z0-9+/=]+)$/.exec(line);
      need(parts, 'a line under the checkpoint is not a signature');
      const bytes = fromBase64(parts[2]);
      return { name: parts[1], keyID: bytes.slice(0, 4), bytes: bytes.slice(4) };
    });
    const bytes = fromBase64(root);
    need(bytes.length === 32, 'the root has not 32 bytes');
    const time = rest.map((line) => /^time ([0-9]{1,15})$/.exec(line)).find(Boolean);
    return { origin, size: Number(size), root: bytes, timeMs: time ? Number(time[1]) : null, body, signatures };
  }

  // 'good' · 'bad' · 'unknown-key' · 'unavailable' where the browser knows no Ed25519.
  async function signatureOf(checkpoint, keySet) {
    let verdict = 'unknown-key';
    for (const key of (keySet && keySet.keys) || []) {
      if (key.kty !== 'OKP' || key.crv !== 'Ed25519') continue;
      const raw = fromBase64(key.x);
      const id = (await hash(text.encode(`${keyName}\n`), [ed25519Kind], raw)).slice(0, 4);
      for (const signature of checkpoint.signatures) {
        if (signature.name !== keyName || !areEqual(signature.keyID, id)) continue;
        let imported;
        try {
          imported = await crypto.subtle.importKey('raw', raw, { name: 'Ed25519' }, false, ['verify']);
        } catch { return 'unavailable'; }
        const body = text.encode(checkpoint.body);
        if (await crypto.subtle.verify({ name: 'Ed25519' }, imported, signature.bytes, body)) return 'good';
        verdict = 'bad';
      }
    }
    return verdict;
  }

  // Everything about one place: `receipt` and `proof` as the room answered them.
  async function checkPlace({ room, receipt, proof, keySet }) {
    const entry = fromBase64(receipt.entry);
    need(entry.length === entryBytes, 'the receipt has not 24 bytes');
    need(proof.index === receipt.index, 'the proof is of another place');
    need(areEqual(fromBase64(proof.entry), entry), 'the list has another entry than the receipt');
    const checkpoint = readNote(proof.checkpoint);
    need(checkpoint.origin.startsWith(`usher/${room}/`), 'the checkpoint is of another room');
    need(checkpoint.size === proof.size, 'the proof is for another checkpoint');
    const root = await rootOf(entry, proof.index, proof.size, proof.path);
    need(areEqual(root, checkpoint.root), 'the path does not lead to the root of the checkpoint');
    const signature = await signatureOf(checkpoint, keySet);
    need(signature !== 'bad', 'the signature of the checkpoint is wrong');
    return { index: proof.index, size: checkpoint.size, timeMs: checkpoint.timeMs, signature };
  }

  // Whether `later` only adds to `earlier`, both notes.
  async function checkGrowth(earlier, later, path) {
    const [from, to] = [readNote(earlier), readNote(later)];
    need(from.origin === to.origin, 'the checkpoints are of two rooms');
    need(await isContinued(from, to, path), 'the list was changed behind a checkpoint');
    return { from: from.size, to: to.size };
  }

  globalThis.usherProof = { Flaw, checkPlace, checkGrowth, isContinued, leafHash, nodeHash, readNote, rootOf, signatureOf };
})();
