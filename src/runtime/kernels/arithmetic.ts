// Functions of numbers, built from exact operations only, so that they give the same bits on every machine
// and engine. `Math.exp` and the like do not guarantee that. In float64 unless stated otherwise.

const fround = Math.fround;

/** Views of the same eight bytes: a number, and its bits, the lower half first. */
const scratch = /* @__PURE__ */ (() => {
  const { buffer } = new Float64Array(1);
  return { double: new Float64Array(buffer), float: new Float32Array(buffer), bits: new Int32Array(buffer) };
})();

/** 2^k for k = -1022..1023, exact. */
const POWERS = /* @__PURE__ */ (() => {
  const powers = new Float64Array(2046);
  powers[0] = 2 ** -1022;
  for (let i = 1; i < powers.length; i++) powers[i] = 2 * (powers[i - 1] as number);
  return powers;
})();

/** 1.5 2^52 + 1023: adding and subtracting it rounds to an integer. */
const SHIFT = 6755399441056767;

/**
 * e^x, to 11 digits (0 below x = -708).
 *
 * e^x = 2^k e^r with |r| <= ln(2) / 2, and e^r by its series to r^9.
 */
export function exp(x: number): number {
  if (!(x >= -708)) return x < -708 ? 0 : Number.NaN;
  if (x > 709) return Infinity;
  const k = x * Math.LOG2E + SHIFT - SHIFT;
  const r = x - k * Math.LN2;
  const r2 = r * r;
  const r4 = r2 * r2;
  const low = 1 + r + (1 / 2 + r * (1 / 6)) * r2; // in pairs, so that sums do not depend on each other
  const high = 1 / 24 + r * (1 / 120) + (1 / 720 + r * (1 / 5040)) * r2;
  const highest = 1 / 40320 + r * (1 / 362880);
  const series = low + (high + highest * r4) * r4;
  return series * (POWERS[1022 + k] as number);
}

/** {@link exp} to 15 digits, by a step of Newton's method. */
export function preciseExp(x: number): number {
  const y = exp(x);
  return y === 0 ? y : y * (1 + (x - log(y)));
}

/** ln 2 in two parts. The product of k and the first is exact. */
const LN2_HIGH = 0.6931471803691238;
const LN2_LOW = 1.9082149292705877e-10;

/**
 * The natural logarithm, to 15 digits; -Infinity of 0, NaN of negative numbers.
 *
 * ln x = k ln 2 + ln m with m from sqrt(1/2) to sqrt(2), and ln m = 2 artanh s, s = (m - 1) / (m +
 * 1), by fdlibm's polynomial of s^2.
 */
export function log(x: number): number {
  if (!(x > 0)) return x === 0 ? -Infinity : Number.NaN;
  if (x === Infinity) return x;
  const isSubnormal = x < 2 ** -1022;
  const { double, bits } = scratch;
  double[0] = isSubnormal ? x * 2 ** 54 : x;
  const high = bits[1] as number; // sign, exponent, and the first 20 bits of the fraction
  const fraction = high & 0xfffff;
  const isHalved = fraction >= 0x6a09e; // m >= sqrt(2)
  const k = (high >> 20) - 1023 + (isHalved ? 1 : 0) - (isSubnormal ? 54 : 0);
  bits[1] = fraction | (isHalved ? 0x3fe00000 : 0x3ff00000);
  const f = (double[0] as number) - 1;
  const s = f / (2 + f);
  const s2 = s * s;
  const s4 = s2 * s2;
  const odd = s2 * (0.6666666666666735 + s4 * (0.2857142874366239 + s4 * (0.1818357216161805 + s4 * 0.14798198605116586))); // biome-ignore format: one line
  const even = s4 * (0.3999999999940942 + s4 * (0.22222198432149784 + s4 * 0.15313837699209373));
  const half = 0.5 * f * f;
  return k * LN2_HIGH - (half - (s * (half + odd + even) + k * LN2_LOW) - f);
}

/** ln(1 + x) for x above -1, accurate even where 1 + x is close to 1. */
export function log1p(x: number): number {
  const sum = 1 + x;
  return sum === 1 ? x : log(sum) * (x / (sum - 1));
}

// e^x of float32 numbers: e^x = 2^k e^r with |r| <= ln(2) / 2, and e^r - 1 by a polynomial of degree 6. Each
// step is rounded to float32, so that the kernels in WebAssembly, of four numbers at once, give the same
// bits. The constants are float32 numbers too.

const LOG2E_FLOAT32 = 1.4426950216293335;
const LN2_HIGH_FLOAT32 = 0.693145751953125;
const LN2_LOW_FLOAT32 = 1.428606765330187e-6;
/** 1.5 2^23 + 127 */
const SHIFT_FLOAT32 = 12583039;
// Coefficients of r^3 to r^6 in e^r - 1: the best fit over all r. The Taylor series would need one
// more term to be as accurate.
const C3 = 0.16666576266288757;
const C4 = 0.041666556149721146;
const C5 = 0.008363203145563602;
const C6 = 0.0013926213141530752;

/** e^x of float32 numbers of at most 0, to seven digits; 0 below -88, NaN of NaN. */
export function expFloat32(x: number): number {
  const inRange = clamped(x);
  const power = powerOf2(inRange);
  return fround(power + scaledExpm1(inRange, power));
}

/** 1 - e^x of float32 numbers of at most 0, to seven digits, even where e^x is close to 1. */
export function oneMinusExpFloat32(x: number): number {
  const inRange = clamped(x);
  const power = powerOf2(inRange);
  return fround(fround(1 - power) - scaledExpm1(inRange, power));
}

/** At least -88, where e^x is 0 because 2^k underflows. Keeps NaN. */
const clamped = (x: number) => Math.max(x, -88);

const exponent = (x: number) => fround(fround(fround(x * LOG2E_FLOAT32) + SHIFT_FLOAT32) - SHIFT_FLOAT32);

/** 2^k, of its biased exponent. */
function powerOf2(x: number): number {
  scratch.bits[0] = (exponent(x) + 127) << 23;
  return scratch.float[0] as number;
}

/** 2^k (e^r - 1) */
function scaledExpm1(x: number, power: number): number {
  const k = exponent(x);
  const r = fround(fround(x - k * LN2_HIGH_FLOAT32) - fround(k * LN2_LOW_FLOAT32));
  const r2 = fround(r * r);
  const low = fround(0.5 + fround(r * C3));
  const high = fround(fround(C4 + fround(r * C5)) + fround(C6 * r2));
  const sum = fround(low + fround(high * r2));
  return fround(power * fround(r + fround(sum * r2)));
}

/** max(x, y) as f32x4.pmax defines it, which keeps NaN in x. */
// biome-ignore lint/complexity/useMathMinMax: Math.max would lose the sign of -0
export const pmax = (x: number, y: number): number => (x < y ? y : x);

/** tanh(a) sigmoid(b) of float32 numbers, each step rounded to float32. */
export function tanhTimesSigmoid(a: number, b: number): number {
  const ma = oneMinusExpFloat32(-2 * Math.abs(a));
  const eb = expFloat32(-Math.abs(b));
  const above = b >= 0 ? ma : fround(ma * eb);
  const below = fround(fround(2 - ma) * fround(1 + eb));
  return Math.sign(a) * fround(above / below);
}

/** a sigmoid(b) of float32 numbers, each step rounded to float32. */
export function timesSigmoid(a: number, b: number): number {
  const eb = expFloat32(-Math.abs(b));
  const above = b >= 0 ? a : fround(a * eb);
  return fround(above / fround(1 + eb));
}

const sigmoid = (x: number): number => 1 / (1 + exp(-x));

/** Uses the series to x^5 if x is so small that 1 - e would lose digits. */
export const tanh = (x: number): number => {
  const x2 = x * x;
  if (Math.abs(x) < 1 / 64) return x * (1 + x2 * (x2 * (2 / 15) - 1 / 3));
  const e = exp(-2 * Math.abs(x));
  return Math.sign(x) * ((1 - e) / (1 + e));
};

/** 1 + the level round(x last) of x in [0, 1], halves rounded up, in float32; 0 if it is not one of 0..last. */
function levelNumber(x: number, last: number): number {
  const level = Math.floor(fround(fround(x * last) + 0.5));
  return level >= 0 && level <= last ? level + 1 : 0;
}

/** alpha (e^x - 1) below 0. */
const elu = (x: number, alpha = 1): number => (x > 0 ? x : alpha * (exp(x) - 1));

/** ln(1 + e^x), without overflow, and accurate even where 1 + e^x is close to 1. */
export const softplus = (x: number): number => Math.max(x, 0) + log1p(exp(-Math.abs(x)));

/** x tanh(softplus(x)), computed without a logarithm: with n = e^x it is x (n^2 + 2n) / (n^2 + 2n + 2). */
function mish(x: number): number {
  const e = exp(-Math.abs(x));
  const above = x > 0 ? 1 + 2 * e : e * (e + 2); // over e^2x where x > 0
  const rest = x > 0 ? 2 * e * e : 2;
  return x * (above / (above + rest));
}

const GELU = /* @__PURE__ */ [0.1274148, -0.14224836, 0.7107069, -0.726576, 0.5307027].map(fround) as [number, number, number, number, number]; // biome-ignore format: one line
const GELU_SCALE = /* @__PURE__ */ fround(0.23164189);

/** x times its normal distribution function, to 7.5e-8 x (Abramowitz and Stegun, 7.1.26), each step in float32. */
function gelu(x: number): number {
  const t = fround(1 / fround(1 + fround(GELU_SCALE * Math.abs(x))));
  let series = GELU[4];
  for (let i = 3; i >= 0; i--) series = fround(fround(series * t) + (GELU[i as 0] as number));
  const power = expFloat32(fround(fround(-0.5 * x) * x));
  const tail = fround(fround(series * t) * power); // of the distribution, beyond |x|
  return fround(x * (x > 0 ? fround(1 - tail) : tail));
}

/** Functions of a number and an instruction's parameter, by operation. Activations follow tfjs-layers, and keep NaN. */
export const activations = {
  sigmoid,
  tanh,
  elu,
  softplus,
  mish,
  gelu,
  levelNumber,
  /** The approximation of GELU by tanh, with sqrt(2 / pi). */
  geluNew: (x: number) => 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))),
  selu: (x: number) => 1.0507009873554805 * elu(x, 1.6732632423543772),
  leakyRelu: (x: number, alpha: number) => (x > 0 ? x : alpha * x),
  thresholdedRelu: (x: number, theta: number) => (x <= theta ? 0 : x),
  clippedRelu: (x: number, max: number) => Math.min(max, Math.max(0, x)),
  hardSigmoid: (x: number) => Math.min(1, Math.max(0, 0.2 * x + 0.5)),
  softsign: (x: number) => x / (1 + Math.abs(x)),
  swish: (x: number) => x * sigmoid(x),
  log: (x: number, least: number) => log(Math.max(x, least)),
};
