"use strict";
// column 0: counter of records
const { errors, scratch } = store;
function ring(v, begin, end) {
  let { table, mask, keys } = store;
  let c0 = store.columns[0].values;
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
      continue;
    }
    received++;
    if (!(!(v.getUint8(p) === 115 && v.getUint8(p + 1) === 104 && v.getUint8(p + 2) === 0))) { store.filtered++; continue; }
    // counter 0
    k = id << 1;
    t = c0[k] + 1 >>> 0;
    c0[k] = t;
    if (t === 0) c0[k + 1]++;
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
  let id = 1, h = 0, z = 0, slot = 0, k = 0, j = 0, t = 0;
  let x = 0, y = 0, lo = 0, hi = 0, a = 0, b = 0;
  let p = -stride, r = -valueStride;
  for (let row = 0; row < count; row++) {
    p += stride;
    r += valueStride;
    if (!(!(v.getUint8(p) === 115 && v.getUint8(p + 1) === 104 && v.getUint8(p + 2) === 0))) { store.filtered++; continue; }
    // counter 0
    k = id << 1;
    t = c0[k] + 1 >>> 0;
    c0[k] = t;
    if (t === 0) c0[k + 1]++;
  }
  store.received += count;
}
function snapshot() { throw new Error('BUG: no entries to compare with'); }
return { ring, rows, snapshot };
//# sourceURL=kmeter-ingest.js
