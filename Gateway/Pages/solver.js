// Finds the number of a join's puzzle, off the page's own thread: the number below `limit` for which
// SHA-256(prefix ‖ number in four bytes) is the target. Prefix (28 bytes) and number fill half of one block.
'use strict';

const constants = new Int32Array([
  0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
  0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
  0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
  0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
  0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
  0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
  0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
  0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
]);
const start = new Int32Array([
  0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
]);
const schedule = new Int32Array(64);
const digest = new Int32Array(8);

function words(hex) {
  const found = new Int32Array(hex.length / 8);
  for (let index = 0; index < found.length; index += 1) found[index] = parseInt(hex.slice(index * 8, index * 8 + 8), 16);
  return found;
}

function hash(prefix, number) {
  const w = schedule;
  for (let i = 0; i < 7; i += 1) w[i] = prefix[i];
  w[7] = number;
  w[8] = 0x80000000;
  for (let i = 9; i < 15; i += 1) w[i] = 0;
  w[15] = 256;
  for (let i = 16; i < 64; i += 1) {
    const x = w[i - 15];
    const y = w[i - 2];
    const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
    const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
    w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
  }
  let a = start[0], b = start[1], c = start[2], d = start[3], e = start[4], f = start[5], g = start[6], h = start[7];
  for (let i = 0; i < 64; i += 1) {
    const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const t1 = (h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i]) | 0;
    const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + t1) | 0; d = c; c = b; b = a; a = (t1 + t2) | 0;
  }
  digest[0] = a + start[0]; digest[1] = b + start[1]; digest[2] = c + start[2]; digest[3] = d + start[3];
  digest[4] = e + start[4]; digest[5] = f + start[5]; digest[6] = g + start[6]; digest[7] = h + start[7];
}

const reportEvery = 10000;

onmessage = ({ data: { prefix, target, limit } }) => {
  const before = words(prefix);
  const wanted = words(target);
  for (let number = 0; number < limit; number += 1) {
    hash(before, number);
    if (digest[0] === wanted[0] && digest.every((word, index) => word === wanted[index])) {
      postMessage({ number });
      return;
    }
    if (number % reportEvery === 0) postMessage({ tried: number });
  }
  postMessage({ number: null });
};
