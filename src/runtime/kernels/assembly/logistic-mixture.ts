import { MIN_LOG_SCALE } from '../limits';
import { clamped, powerOf2, scaledExpm1 } from './exp-f32';
import { ifPositive, withSign } from './gate-f32';
import { log } from './log-f32';
import { transpose, V } from './vector';

// Four pixels are processed at a time, one in each lane, with their parameters interleaved. If
// fewer are left, the last pixel fills the remaining lanes, and is written repeatedly.

/** The size at which numbers are clamped, as in src/ops/logistic-mixture.ts. */
const MOST: f32 = 1e18;
/** An edge so far away that a level has all the mass on that side. */
const NO_EDGE: f32 = 1e20;
/** Up to this width w, 1 - e^-w equals w, but a product with it might underflow. */
const NARROW: f32 = 1e-20;

export function logisticMixtureScratch(_rows: usize, channels: usize, components: usize, numParameters: usize): usize {
  return (numParameters + channels + (channels + 2) * components) * V;
}

/**
 * Nats [rows,channels] of labels, int32 [rows,channels], under mixtures of logistics whose parameters are
 * [rows,numParameters].
 *
 * Also writes what {@link logisticMixtureBack} needs: the posteriors [rows,channels+1,components], a
 * component's probability given no channel, the first, ... and all of them; and the slopes, shaped like the
 * parameters, the derivative of a component's log p of the channel for each of its parameters, 1 for logits.
 *
 * Positions count floats. The first channel's means begin at `components`, and each next channel's `channelStride`
 * later; log scales follow the means. Coefficients of pairs of channels begin at `coefficients`, `pairStride` apart.
 */
export function logisticMixture(
  nats: usize, posteriors: usize, slopes: usize, labels: usize, x: usize,
  rows: usize, channels: usize, components: usize, numParameters: usize, channelStride: usize, coefficients: usize,
  pairStride: usize, levels: f32, scratch: usize,
): void {
  const block = components * V, p = scratch;
  const values = p + numParameters * V, sums = values + channels * V, weights = sums + block;
  const rowBytes = numParameters * 4, weightBytes = (channels + 1) * components * 4, labelBytes = channels * 4;
  const top = f32x4.splat(levels - 1), step = f32x4.splat(1 / (levels - 1));
  const logWidth = log(f32x4.splat(2 / (levels - 1)));
  for (let r: usize = 0; r < rows; r += 4) {
    const left = min(4, rows - r);
    gather(p, x + r * rowBytes, rowBytes, left);

    for (let k: usize = 0; k < block; k += V) {
      v128.store(sums + k, v128.load(p + k));
      v128.store(p + k, f32x4.splat(1));
    }
    normalize(weights, sums, block);

    let pair = p + coefficients * V;
    for (let c: usize = 0; c < channels; c++) {
      const level = f32x4.convert_i32x4_s(read(labels + r * labelBytes + c * 4, labelBytes, left));
      const isLowest = f32x4.le(level, f32x4.splat(0)), isHighest = f32x4.ge(level, top);
      const isEdge = v128.or(isLowest, isHighest);
      const value = f32x4.div(f32x4.sub(f32x4.add(level, level), top), top);
      v128.store(values + c * V, value);

      const means = p + (components + c * channelStride) * V;
      for (let k: usize = 0; k < block; k += V) {
        let mean = v128.load(means + k);
        for (let e: usize = 0; e < c; e++) {
          const at = pair + e * pairStride * V + k, earlier = v128.load(values + e * V), a = v128.load(at);
          const minus2a = f32x4.mul(f32x4.abs(a), f32x4.splat(-2)), ea = exp(minus2a), rest = oneMinusExp(minus2a);
          const over = f32x4.div(f32x4.splat(1), f32x4.add(f32x4.splat(1), ea));
          mean = f32x4.add(mean, f32x4.mul(withSign(f32x4.mul(rest, over), a), earlier));
          // 1 - tanh^2 = 4 e^-2|a| / (1 + e^-2|a|)^2
          const slope = f32x4.mul(f32x4.mul(f32x4.splat(4), ea), f32x4.mul(over, over));
          v128.store(at, f32x4.mul(slope, earlier));
        }

        const given = v128.load(means + block + k);
        const logScale = f32x4.pmin(f32x4.pmax(given, f32x4.splat(<f32>MIN_LOG_SCALE)), f32x4.splat(MOST));
        const precision = exp(f32x4.neg(logScale));
        const far = f32x4.mul(f32x4.sub(value, mean), precision);
        const z = f32x4.pmin(f32x4.pmax(far, f32x4.splat(-MOST)), f32x4.splat(MOST));
        const halfWidth = f32x4.mul(precision, step), width = f32x4.add(halfWidth, halfWidth);
        const upper = v128.bitselect(f32x4.splat(NO_EDGE), f32x4.add(z, halfWidth), isHighest); // b
        const lower = v128.bitselect(f32x4.splat(NO_EDGE), f32x4.sub(halfWidth, z), isLowest); // -a

        // log sigmoid(x) = min(x, 0) - log(1 + e^-|x|)
        const eb = exp(f32x4.neg(f32x4.abs(upper))), ea = exp(f32x4.neg(f32x4.abs(lower)));
        const b1 = f32x4.add(eb, f32x4.splat(1)), a1 = f32x4.add(ea, f32x4.splat(1));
        const over = f32x4.div(f32x4.splat(1), f32x4.mul(a1, b1));

        const w = f32x4.pmax(width, f32x4.splat(NARROW)), minusWidth = f32x4.neg(w);
        const ew = exp(minusWidth), rest = oneMinusExp(minusWidth);
        const isNarrow = f32x4.le(width, f32x4.splat(NARROW));
        const factor = v128.bitselect(f32x4.splat(1), rest, v128.or(isEdge, isNarrow));
        const logFactor = v128.and(f32x4.sub(logWidth, logScale), v128.andnot(isNarrow, isEdge));
        const tails = f32x4.add(f32x4.pmin(upper, f32x4.splat(0)), f32x4.pmin(lower, f32x4.splat(0)));
        const logMass = f32x4.add(f32x4.add(tails, logFactor), log(f32x4.mul(factor, over)));
        v128.store(sums + k, f32x4.add(v128.load(sums + k), logMass));

        const one = f32x4.splat(1);
        const above = f32x4.mul(f32x4.mul(ifPositive(upper, eb, one), a1), over); // sigmoid(-b)
        const below = f32x4.mul(f32x4.mul(ifPositive(lower, ea, one), b1), over); // sigmoid(a)
        const byMean = f32x4.mul(f32x4.sub(below, above), precision);
        v128.store(means + k, byMean);
        const edges = f32x4.add(f32x4.mul(lower, below), f32x4.mul(upper, above));
        const byWidth = f32x4.div(f32x4.mul(w, ew), rest);
        const byLogScale = f32x4.neg(f32x4.add(edges, v128.andnot(byWidth, isEdge)));
        v128.store(means + block + k, v128.and(byLogScale, f32x4.ge(given, f32x4.splat(<f32>MIN_LOG_SCALE))));
        for (let e: usize = 0; e < c; e++) {
          const at = pair + e * pairStride * V + k;
          v128.store(at, f32x4.mul(v128.load(at), byMean));
        }
      }
      pair += c * pairStride * V;

      const norm = f32x4.neg(normalize(weights + (c + 1) * block, sums, block));
      write(nats + r * labelBytes + c * 4, norm, labelBytes, left);
    }
    scatter(slopes + r * rowBytes, p, rowBytes, left);
    scatter(posteriors + r * weightBytes, weights, weightBytes, left);
  }
}

/** The gradient for the parameters of {@link logisticMixture}, from dy [rows,channels]. */
export function logisticMixtureBack(
  dx: usize, dy: usize, posteriors: usize, slopes: usize,
  rows: usize, channels: usize, components: usize, numParameters: usize, channelStride: usize, coefficients: usize,
  pairStride: usize, scratch: usize,
): void {
  const block = components * V, p = scratch, weights = p + numParameters * V;
  const rowBytes = numParameters * 4, weightBytes = (channels + 1) * components * 4, dyBytes = channels * 4;
  for (let r: usize = 0; r < rows; r += 4) {
    const left = min(4, rows - r);
    gather(p, slopes + r * rowBytes, rowBytes, left);
    gather(weights, posteriors + r * weightBytes, weightBytes, left);

    // The gradients of the sums of logits and log-masses before each channel, starting at the last channel.
    let after = f32x4.splat(0);
    for (let c = <isize>channels; c >= 0; c--) {
      const before = c == 0 ? f32x4.splat(0) : read(dy + r * dyBytes + (c - 1) * 4, dyBytes, left);
      const slope = f32x4.sub(after, before), at = weights + c * block;
      for (let k: usize = 0; k < block; k += V) {
        const own = f32x4.mul(v128.load(at + k), slope);
        v128.store(at + k, <usize>c == channels ? own : f32x4.add(own, v128.load(at + block + k)));
      }
      after = before;
    }

    multiply(p, weights, block);
    let pair = p + coefficients * V;
    for (let c: usize = 0; c < channels; c++) {
      const means = p + (components + c * channelStride) * V, flow = weights + (c + 1) * block;
      multiply(means, flow, block);
      multiply(means + block, flow, block);
      for (let e: usize = 0; e < c; e++, pair += pairStride * V) multiply(pair, flow, block);
    }
    scatter(dx + r * rowBytes, p, rowBytes, left);
  }
}

@inline
function exp(x: v128): v128 {
  return exponential(x, false);
}

/** 1 - e^x, accurate even where e^x is close to 1. */
@inline
function oneMinusExp(x: v128): v128 {
  return exponential(x, true);
}

/** e^x or, if `isRest`, 1 - e^x. The compiler does not inline so large a function, which keeps the module small. */
function exponential(x: v128, isRest: bool): v128 {
  const inRange = clamped(x), power = powerOf2(inRange), scaled = scaledExpm1(inRange, power);
  return isRest ? f32x4.sub(f32x4.sub(f32x4.splat(1), power), scaled) : f32x4.add(power, scaled);
}

/** y *= x */
@inline
function multiply(y: usize, x: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += V) v128.store(y + i, f32x4.mul(v128.load(y + i), v128.load(x + i)));
}

/** Subtracts the logarithm of their total from sums, and returns it. Weights become their softmax. */
function normalize(weights: usize, sums: usize, bytes: usize): v128 {
  let m = f32x4.splat(-Infinity);
  for (let k: usize = 0; k < bytes; k += V) m = f32x4.pmax(m, v128.load(sums + k));
  let total = f32x4.splat(0);
  for (let k: usize = 0; k < bytes; k += V) {
    const e = exp(f32x4.sub(v128.load(sums + k), m));
    v128.store(weights + k, e);
    total = f32x4.add(total, e);
  }
  const scale = f32x4.div(f32x4.splat(1), total), logTotal = log(total);
  for (let k: usize = 0; k < bytes; k += V) {
    v128.store(weights + k, f32x4.mul(v128.load(weights + k), scale));
    v128.store(sums + k, f32x4.sub(f32x4.sub(v128.load(sums + k), m), logTotal));
  }
  return f32x4.add(m, logTotal);
}

// Numbers of up to four pixels, `stride` bytes from pixel to pixel.

/** One number of each pixel. */
function read(x: usize, stride: usize, left: usize): v128 {
  const two = v128.load_lane<f32>(x + min(1, left - 1) * stride, v128.load32_zero(x), 1);
  const three = v128.load_lane<f32>(x + min(2, left - 1) * stride, two, 2);
  return v128.load_lane<f32>(x + (left - 1) * stride, three, 3);
}

function write(y: usize, x: v128, stride: usize, left: usize): void {
  v128.store_lane<f32>(y, x, 0);
  v128.store_lane<f32>(y + min(1, left - 1) * stride, x, 1);
  v128.store_lane<f32>(y + min(2, left - 1) * stride, x, 2);
  v128.store_lane<f32>(y + (left - 1) * stride, x, 3);
}

/** All numbers of each pixel, `bytes` each, interleaved so that the four pixels are adjacent. */
function gather(to: usize, x: usize, bytes: usize, left: usize): void {
  const x1 = min(1, left - 1) * bytes, x2 = min(2, left - 1) * bytes, x3 = (left - 1) * bytes;
  let i: usize = 0;
  for (; i + V <= bytes; i += V, to += 4 * V) transpose(to, V, 2 * V, 3 * V, x + i, x1, x2, x3);
  for (; i < bytes; i += 4, to += V) v128.store(to, read(x + i, bytes, left));
}

/** The inverse of {@link gather}. */
function scatter(y: usize, from: usize, bytes: usize, left: usize): void {
  const y1 = min(1, left - 1) * bytes, y2 = min(2, left - 1) * bytes, y3 = (left - 1) * bytes;
  let i: usize = 0;
  for (; i + V <= bytes; i += V, from += 4 * V) transpose(y + i, y1, y2, y3, from, V, 2 * V, 3 * V);
  for (; i < bytes; i += 4, from += V) write(y + i, v128.load(from), bytes, left);
}
