/** 2^k for k = -1022..1023, exact. */
const POWERS = new Float64Array(2046);
POWERS[1022] = 1;
for (let k = 1; k <= 1023; k++) POWERS[1022 + k] = 2 * (POWERS[1021 + k] as number);
for (let k = 1; k <= 1022; k++) POWERS[1022 - k] = (POWERS[1023 - k] as number) / 2;

/** Added and taken away again, rounds to an integer. */
const SHIFT = 1.5 * 2 ** 52 + 1023;

/**
 * e^x in float64, to 11 digits (0 below x = -708), of additions and multiplications only: the same bits on
 * every machine and engine, which `Math.exp` does not promise.
 *
 * e^x = 2^k e^r with |r| <= ln(2) / 2, and e^r by its series to r^9.
 */
export function exp(x: number): number {
  if (!(x >= -708)) return x < -708 ? 0 : Number.NaN;
  if (x > 709) return Number.POSITIVE_INFINITY;
  const k = x * Math.LOG2E + SHIFT - SHIFT;
  const r = x - k * Math.LN2;
  const r2 = r * r;
  const r4 = r2 * r2;
  const low = 1 + r + (1 / 2 + r * (1 / 6)) * r2; // in pairs, so that sums need not wait for each other
  const high = 1 / 24 + r * (1 / 120) + (1 / 720 + r * (1 / 5040)) * r2;
  const highest = 1 / 40320 + r * (1 / 362880);
  const series = low + (high + highest * r4) * r4;
  return series * (POWERS[1022 + k] as number);
}
