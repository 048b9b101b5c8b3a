const PARTS = 64; // of a doubling of e^x
const STEP = Math.LN2 / PARTS;
const PER_STEP = PARTS * Math.LOG2E; // a product is faster than a quotient

/** 2^(j / PARTS), by the series of e^x, for j = 0..PARTS - 1. */
const FRACTIONS = Float64Array.from({ length: PARTS }, (_, j) => {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < 20; k++) {
    term *= (j * STEP) / k;
    sum += term;
  }
  return sum;
});

/** 2^k for k = -1022..1023, exact. */
const POWERS = new Float64Array(2046);
POWERS[1022] = 1;
for (let k = 1; k <= 1023; k++) POWERS[1022 + k] = 2 * (POWERS[1021 + k] as number);
for (let k = 1; k <= 1022; k++) POWERS[1022 - k] = (POWERS[1023 - k] as number) / 2;

/**
 * e^x in float64, to 12 digits (0 below x = -708), of additions, multiplications, divisions and `floor` only: the same bits on every machine and
 * engine, which `Math.exp` does not promise.
 *
 * e^x = 2^whole 2^(part/64) e^r with |r| <= ln 2 / 128, and e^r by its series.
 */
export function exp(x: number): number {
  if (!(x > -708)) return x <= -708 ? 0 : Number.NaN;
  if (x > 709) return Number.POSITIVE_INFINITY;
  const steps = Math.floor(x * PER_STEP + 0.5);
  const r = x - steps * STEP;
  const series = 1 + r * (1 + r * (1 / 2 + r * (1 / 6 + r * (1 / 24))));
  const whole = steps >> 6;
  return series * (FRACTIONS[steps & 63] as number) * (POWERS[1022 + whole] as number);
}
