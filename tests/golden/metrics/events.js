"use strict";
// key 0: comm
// key 1: pid
// column 0: counter of bytes
// column 1: counter of records
const { errors, scratch } = store;
function ring(v, begin, end) {
  let { table, mask, keys } = store;
  let c0 = store.columns[0].values;
  let c1 = store.columns[1].values;
  let w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0;
  let id = 1, h = 0, z = 0, slot = 0, k = 0, j = 0, t = 0;
  let x = 0, y = 0, lo = 0, hi = 0, a = 0, b = 0;
  let q = begin, p = 0, header = 0, received = 0;
  const u = v, r = 0;
  while (q < end) {
    header = v.getInt32(q, true);
    if (header < 0) break; // still being written
    p = q + 8;
    q = p + ((header & 1073741823) + 7 & -8);
    if ((header & 1073741824) !== 0) continue;
    if ((header & 1073741823) < 32) {
      short(v, p, header & 1073741823);
      ({ table, mask, keys } = store);
      c0 = store.columns[0].values;
      c1 = store.columns[1].values;
      continue;
    }
    received++;
    w0 = v.getInt32(p, true);
    w1 = v.getInt32(p + 4, true);
    w2 = v.getInt32(p + 8, true);
    w3 = v.getInt32(p + 12, true);
    z = w0 - 0x01010101 & ~w0 & 0x80808080;
    if (z !== 0) { w0 &= ((z & -z) >>> 7) - 1; w1 = w2 = w3 = 0; }
    else {
      z = w1 - 0x01010101 & ~w1 & 0x80808080;
      if (z !== 0) { w1 &= ((z & -z) >>> 7) - 1; w2 = w3 = 0; }
      else {
        z = w2 - 0x01010101 & ~w2 & 0x80808080;
        if (z !== 0) { w2 &= ((z & -z) >>> 7) - 1; w3 = 0; }
        else {
          z = w3 - 0x01010101 & ~w3 & 0x80808080;
          if (z !== 0) { w3 &= ((z & -z) >>> 7) - 1; }
        }
      }
    }
    w4 = v.getInt32(p + 16, true);
    h = Math.imul(w0 ^ w0 >>> 15, -1640531535) + Math.imul(w1 ^ w1 >>> 15, -1182451447) + Math.imul(w2 ^ w2 >>> 15, -781059641) + Math.imul(w3 ^ w3 >>> 15, -383862277) + Math.imul(w4 ^ w4 >>> 15, 12208605) | 0;
    h = Math.imul(h ^ h >>> 15, 0x2c1b3c6d);
    h ^= h >>> 13;
    slot = h & mask;
    for (;;) {
      id = table[slot];
      if (id === 0) {
        scratch[0] = w0;
        scratch[1] = w1;
        scratch[2] = w2;
        scratch[3] = w3;
        scratch[4] = w4;
        id = store.insert(h);
        ({ table, mask, keys } = store);
        c0 = store.columns[0].values;
        c1 = store.columns[1].values;
        break;
      }
      k = id * 5;
      if (keys[k + 0] === w0 && keys[k + 1] === w1 && keys[k + 2] === w2 && keys[k + 3] === w3 && keys[k + 4] === w4) break;
      slot = slot + 1 & mask;
    }
    // counter 0
    lo = v.getUint32(p + 24, true);
    hi = v.getUint32(p + 28, true);
    k = id << 1;
    t = c0[k] + lo >>> 0;
    c0[k] = t;
    if (t < lo) c0[k + 1]++;
    if (hi !== 0) c0[k + 1] += hi;
    // counter 1
    k = id << 1;
    t = c1[k] + 1 >>> 0;
    c1[k] = t;
    if (t === 0) c1[k + 1]++;
  }
  store.received += received;
  return q;
}
const padded = new Uint8Array(32);
const paddedView = new DataView(padded.buffer);
function short(v, p, length) {
  errors.shortRecords++;
  padded.fill(0);
  padded.set(new Uint8Array(v.buffer, v.byteOffset + p, length));
  rows(paddedView, 32, paddedView, 0, 1);
}
function rows(v, stride, u, valueStride, count) {
  let { table, mask, keys } = store;
  let c0 = store.columns[0].values;
  let c1 = store.columns[1].values;
  let w0 = 0, w1 = 0, w2 = 0, w3 = 0, w4 = 0;
  let id = 1, h = 0, z = 0, slot = 0, k = 0, j = 0, t = 0;
  let x = 0, y = 0, lo = 0, hi = 0, a = 0, b = 0;
  let p = -stride, r = -valueStride;
  for (let row = 0; row < count; row++) {
    p += stride;
    r += valueStride;
    w0 = v.getInt32(p, true);
    w1 = v.getInt32(p + 4, true);
    w2 = v.getInt32(p + 8, true);
    w3 = v.getInt32(p + 12, true);
    z = w0 - 0x01010101 & ~w0 & 0x80808080;
    if (z !== 0) { w0 &= ((z & -z) >>> 7) - 1; w1 = w2 = w3 = 0; }
    else {
      z = w1 - 0x01010101 & ~w1 & 0x80808080;
      if (z !== 0) { w1 &= ((z & -z) >>> 7) - 1; w2 = w3 = 0; }
      else {
        z = w2 - 0x01010101 & ~w2 & 0x80808080;
        if (z !== 0) { w2 &= ((z & -z) >>> 7) - 1; w3 = 0; }
        else {
          z = w3 - 0x01010101 & ~w3 & 0x80808080;
          if (z !== 0) { w3 &= ((z & -z) >>> 7) - 1; }
        }
      }
    }
    w4 = v.getInt32(p + 16, true);
    h = Math.imul(w0 ^ w0 >>> 15, -1640531535) + Math.imul(w1 ^ w1 >>> 15, -1182451447) + Math.imul(w2 ^ w2 >>> 15, -781059641) + Math.imul(w3 ^ w3 >>> 15, -383862277) + Math.imul(w4 ^ w4 >>> 15, 12208605) | 0;
    h = Math.imul(h ^ h >>> 15, 0x2c1b3c6d);
    h ^= h >>> 13;
    slot = h & mask;
    for (;;) {
      id = table[slot];
      if (id === 0) {
        scratch[0] = w0;
        scratch[1] = w1;
        scratch[2] = w2;
        scratch[3] = w3;
        scratch[4] = w4;
        id = store.insert(h);
        ({ table, mask, keys } = store);
        c0 = store.columns[0].values;
        c1 = store.columns[1].values;
        break;
      }
      k = id * 5;
      if (keys[k + 0] === w0 && keys[k + 1] === w1 && keys[k + 2] === w2 && keys[k + 3] === w3 && keys[k + 4] === w4) break;
      slot = slot + 1 & mask;
    }
    // counter 0
    lo = v.getUint32(p + 24, true);
    hi = v.getUint32(p + 28, true);
    k = id << 1;
    t = c0[k] + lo >>> 0;
    c0[k] = t;
    if (t < lo) c0[k + 1]++;
    if (hi !== 0) c0[k + 1] += hi;
    // counter 1
    k = id << 1;
    t = c1[k] + 1 >>> 0;
    c1[k] = t;
    if (t === 0) c1[k + 1]++;
  }
  store.received += count;
}
function snapshot() { throw new Error('BUG: no entries to compare with'); }
return { ring, rows, snapshot };
//# sourceURL=kmeter-ingest.js
