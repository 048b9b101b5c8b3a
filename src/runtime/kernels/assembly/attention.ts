import { Word } from '../encoding';
import { exp } from './exp-f32';
import { floats, parameter } from './instruction';
import { largestOfLanes, storeFirst, sumOfLanes, V } from './vector';

// Attention of one query over the places before it; ../javascript.ts is the JavaScript equivalent.

/** y = sum of softmax(a k scale) v over the places in [first, end) */
export function attend(at: usize, y: usize, a: usize, first: usize, end: usize): void {
  const bytes = floats(at, Word.length), room = floats(at, Word.weights), ofKey = floats(at, Word.weightStride);
  const places = (end - first) / ofKey, weights = room + places * 4, values = first + floats(at, Word.inputs);
  let total: f32 = 1;
  if (places != 0) {
    const max = writeScores(room, a, first, places, ofKey, <f32>parameter(at));
    total = toPowers(room, weights, max);
  }
  for (let o: usize = 0; o < bytes; ) {
    // The last vector may extend beyond the head. If there are fewer vectors, the last one is
    // repeated. This costs little, since each addition to a sum waits for the previous one.
    const last = (bytes - 1 - o) & ~(V - 1), v = values + o, to = y + o, left = bytes - o;
    const first = min(V, last), second = min(2 * V, last), third = min(3 * V, last);
    let y0 = f32x4.splat(0), y1 = y0, y2 = y0, y3 = y0;
    for (let p = room, vp = v; p < weights; p += 4, vp += bytes) {
      const w = v128.load32_splat(p);
      y0 = f32x4.add(y0, f32x4.mul(w, v128.load(vp)));
      y1 = f32x4.add(y1, f32x4.mul(w, v128.load(vp + first)));
      y2 = f32x4.add(y2, f32x4.mul(w, v128.load(vp + second)));
      y3 = f32x4.add(y3, f32x4.mul(w, v128.load(vp + third)));
    }
    write(to, y0, total, left);
    write(to + first, y1, total, left - first);
    write(to + second, y2, total, left - second);
    write(to + third, y3, total, left - third);
    o += 4 * V;
  }
}

/** Writes `bytes` bytes of sum / total. */
function write(y: usize, sum: v128, total: f32, bytes: usize): void {
  storeFirst(y, f32x4.div(sum, f32x4.splat(total)), bytes);
}

/**
 * a k scale for each place, -Infinity in the padding. Four places share loads of a, one of each quarter of all places, since processors
 * prefetch several streams of memory at once. Returns each lane's maximum.
 */
function writeScores(room: usize, a: usize, k: usize, places: usize, bytes: usize, scale: f32): v128 {
  const whole = i32x4.splat(-1), factor = f32x4.splat(scale);
  const tail = i32x4.ge_s(i32x4.splat(<i32>(bytes - 4 & V - 1) >> 2), i32x4(0, 1, 2, 3)); // the lanes of the last vector that belong to the head
  const quarter = (places + 3) >> 2, next = quarter * 4, last = k + (places - 1) * bytes;
  let max = f32x4.splat(-Infinity);
  for (const end = room + next; room < end; room += 4, k += bytes) {
    const k1 = min(k + quarter * bytes, last), k2 = min(k + 2 * quarter * bytes, last), k3 = min(k + 3 * quarter * bytes, last);
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let i: usize = 0; i < bytes; i += V) {
      const q = v128.load(a + i), isIn = i + V < bytes ? whole : tail;
      s0 = f32x4.add(s0, v128.and(f32x4.mul(q, v128.load(k + i)), isIn));
      s1 = f32x4.add(s1, v128.and(f32x4.mul(q, v128.load(k1 + i)), isIn));
      s2 = f32x4.add(s2, v128.and(f32x4.mul(q, v128.load(k2 + i)), isIn));
      s3 = f32x4.add(s3, v128.and(f32x4.mul(q, v128.load(k3 + i)), isIn));
    }
    // Adds the lanes of each sum: 0 + 2 and 1 + 3, then both.
    const s01 = f32x4.add(v128.shuffle<f32>(s0, s1, 0, 1, 4, 5), v128.shuffle<f32>(s0, s1, 2, 3, 6, 7));
    const s23 = f32x4.add(v128.shuffle<f32>(s2, s3, 0, 1, 4, 5), v128.shuffle<f32>(s2, s3, 2, 3, 6, 7));
    const sums = f32x4.add(v128.shuffle<f32>(s01, s23, 0, 2, 4, 6), v128.shuffle<f32>(s01, s23, 1, 3, 5, 7));
    const scores = f32x4.mul(sums, factor);
    v128.store_lane<f32>(room, scores, 0);
    v128.store_lane<f32>(room + next, scores, 1);
    v128.store_lane<f32>(room + 2 * next, scores, 2);
    v128.store_lane<f32>(room + 3 * next, scores, 3);
    max = f32x4.pmax(max, scores);
  }
  for (; places < 4 * quarter; places++) store<f32>(room + (places - quarter) * 4, -Infinity);
  return max;
}

/** Replaces scores by e^(score - largest score), and returns their sum. */
function toPowers(room: usize, end: usize, m: v128): f32 {
  m = largestOfLanes(m);
  let sums = f32x4.splat(0);
  for (; room < end; room += V) {
    const e = exp(f32x4.sub(v128.load(room), m));
    v128.store(room, e);
    sums = f32x4.add(sums, e);
  }
  return sumOfLanes(sums);
}
