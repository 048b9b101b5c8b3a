/** Coefficients of Chebyshev polynomials of (x - {@link CENTRE}) / (x + {@link CENTRE}) in (1 + 2x) erfcx(x). */
export const ERFCX_SERIES: readonly [number, ...number[]] = [
  1.1775789345674017, -0.004590054580646478, -0.08424913336651792, 0.05920993999819189,
  -0.026658668435305753, 0.009074997670705265, -0.002413163540417608, 0.0004907758365258086,
  -6.916973302501207e-5, 4.13902798607301e-6, 7.74038306619849e-7, -2.1886401049234397e-7,
  1.076499946567091e-8, 4.521959811218287e-9, -7.754400208831351e-10, -6.318088340886684e-11,
  2.86879501093067e-11, 1.9455868545777347e-13, -9.65469674843344e-13, 3.25254814814874e-14,
  3.3478119482868056e-14, -1.864562880419313e-15, -1.2507950530688648e-15,
]; // biome-ignore format: in few lines

/** The x at the middle of the series. */
export const CENTRE = 3.75;

/**
 * e^(x^2) erfc(x) for x >= 0, to 15 digits however large x is. erfc(x) is the mass outside of x standard deviations,
 * times sqrt 2.
 *
 * Source: Shepherd and Laframboise, "Chebyshev Approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf" (1981),
 * https://www.ams.org/journals/mcom/1981-36-153/S0025-5718-1981-0595058-X/, table 1, summed by Clenshaw's recurrence.
 */
export function erfcx(x: number): number {
  const t = (x - CENTRE) / (x + CENTRE);
  let sum = 0;
  let before = 0;
  for (let n = ERFCX_SERIES.length - 1; n > 0; n--) {
    const next = 2 * t * sum - before + (ERFCX_SERIES[n] as number);
    before = sum;
    sum = next;
  }
  return (t * sum - before + ERFCX_SERIES[0]) / (1 + 2 * x);
}
