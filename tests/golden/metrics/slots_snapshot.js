"use strict";
// key 0: disk
// column 0: histogram of latency
const { errors, scratch } = store;
const m0 = plan.instruments[0].midpoints;
const b0 = plan.instruments[0].upperBounds;
function ring() { throw new Error('BUG: a map is no ring'); }
function rows(v, stride, u, valueStride, count) {
  let { table, mask, keys } = store;
  let c0 = store.columns[0].values;
  let s0 = store.columns[0].sums;
  let w0 = 0;
  let id = 1, h = 0, z = 0, slot = 0, k = 0, j = 0, t = 0;
  let x = 0, y = 0, lo = 0, hi = 0, a = 0, b = 0;
  let p = -stride, r = -valueStride;
  for (let row = 0; row < count; row++) {
    p += stride;
    r += valueStride;
    w0 = v.getInt32(p, true);
    h = Math.imul(w0 ^ w0 >>> 15, -1640531535) | 0;
    h = Math.imul(h ^ h >>> 15, 0x2c1b3c6d);
    h ^= h >>> 13;
    slot = h & mask;
    for (;;) {
      id = table[slot];
      if (id === 0) {
        scratch[0] = w0;
        id = store.insert(h);
        ({ table, mask, keys } = store);
        c0 = store.columns[0].values;
        s0 = store.columns[0].sums;
        break;
      }
      k = id * 1;
      if (keys[k + 0] === w0) break;
      slot = slot + 1 & mask;
    }
    // histogram 0
    k = id * 8;
    x = 0;
    for (j = 0; j < 4; j++, k += 2) {
      lo = u.getUint32(r + j * 4, true);
      hi = 0;
      if (lo === 0 && hi === 0) continue;
      t = c0[k] + lo >>> 0;
      c0[k] = t;
      if (t < lo) c0[k + 1]++;
      x += (hi * 4294967296 + lo) * m0[j];
    }
    s0[id] += x;
  }
  store.received += count;
}
function snapshot(v, stride, u, valueStride, count) {
  let { table, mask, keys } = store;
  let c0 = store.columns[0].values;
  let s0 = store.columns[0].sums;
  let w0 = 0;
  let id = 1, h = 0, z = 0, slot = 0, k = 0, j = 0, t = 0;
  let x = 0, y = 0, lo = 0, hi = 0, a = 0, b = 0;
  let p = -stride, r = -valueStride, n = 0;
  const entryScratch = entries.scratch, pass = entries.pass;
  let entryTable, entryMask, entryKeys, previous, previousWords, entrySeries;
  let lastPass, lastChange, entryCount;
  let f0 = 0;
  let e = entries.cursor - 1, same = false;
  ({ table: entryTable, mask: entryMask, keys: entryKeys } = entries);
  ({ valueView: previous, values: previousWords } = entries);
  ({ series: entrySeries, lastPass, lastChange, size: entryCount } = entries);
  for (let row = 0; row < count; row++) {
    p += stride;
    r += valueStride;
    f0 = v.getInt32(p, true);
    e++;
    k = e * 1;
    same = entryKeys[k + 0] === f0;
    if (e >= entryCount || !same) {
      h = Math.imul(f0 ^ f0 >>> 15, -1640531535) | 0;
      h = Math.imul(h ^ h >>> 15, 0x2c1b3c6d);
      h ^= h >>> 13;
      slot = h & entryMask;
      for (;;) {
        e = entryTable[slot] - 1;
        if (e < 0) break;
        k = e * 1;
        same = entryKeys[k + 0] === f0;
        if (same) break;
        slot = slot + 1 & entryMask;
      }
    }
    if (e < 0) {
      same = u.getInt32(r, true) === 0 && u.getInt32(r + 4, true) === 0 && u.getInt32(r + 8, true) === 0 && u.getInt32(r + 12, true) === 0;
      if (same) continue;
      w0 = v.getInt32(p, true);
      h = Math.imul(w0 ^ w0 >>> 15, -1640531535) | 0;
      h = Math.imul(h ^ h >>> 15, 0x2c1b3c6d);
      h ^= h >>> 13;
      slot = h & mask;
      for (;;) {
        id = table[slot];
        if (id === 0) {
          scratch[0] = w0;
          id = store.insert(h);
          ({ table, mask, keys } = store);
          c0 = store.columns[0].values;
          s0 = store.columns[0].sums;
          break;
        }
        k = id * 1;
        if (keys[k + 0] === w0) break;
        slot = slot + 1 & mask;
      }
      entryScratch[0] = f0;
      e = entries.insert(id);
      ({ table: entryTable, mask: entryMask, keys: entryKeys } = entries);
      ({ valueView: previous, values: previousWords } = entries);
      ({ series: entrySeries, lastPass, lastChange, size: entryCount } = entries);
      n = e * 16;
    }
    else {
      lastPass[e] = pass;
      n = e * 16;
      same = u.getInt32(r, true) === previousWords[e * 4 + 0] && u.getInt32(r + 4, true) === previousWords[e * 4 + 1] && u.getInt32(r + 8, true) === previousWords[e * 4 + 2] && u.getInt32(r + 12, true) === previousWords[e * 4 + 3];
      if (same) continue;
      lastChange[e] = pass;
      id = entrySeries[e];
    }
    // histogram 0
    k = id * 8;
    x = 0;
    for (j = 0; j < 4; j++, k += 2) {
      lo = u.getUint32(r + j * 4, true);
      hi = 0;
      a = previous.getUint32(n + j * 4, true);
      b = 0;
      if (hi > b || hi === b && lo >= a) {
        lo -= a;
        hi -= b;
        if (lo < 0) { lo += 4294967296; hi--; }
      }
      if (lo === 0 && hi === 0) continue;
      t = c0[k] + lo >>> 0;
      c0[k] = t;
      if (t < lo) c0[k + 1]++;
      x += (hi * 4294967296 + lo) * m0[j];
    }
    s0[id] += x;
    previousWords[e * 4 + 0] = u.getInt32(r, true);
    previousWords[e * 4 + 1] = u.getInt32(r + 4, true);
    previousWords[e * 4 + 2] = u.getInt32(r + 8, true);
    previousWords[e * 4 + 3] = u.getInt32(r + 12, true);
  }
  entries.cursor = e + 1;
  store.received += count;
}
return { ring, rows, snapshot };
//# sourceURL=kmeter-ingest.js
