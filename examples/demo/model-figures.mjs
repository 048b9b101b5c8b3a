/** What examples/data/page-figures.mjs has measured of models that are trained anew from time to time; it writes this file. */
export const FIGURES = {
  clothes: { testBits: 0.983, usualBits: [0.46, 1.751], usualRatio: [0.161, 0.394] },
  'digits-28': { testBits: 0.42, usualBits: [0.197, 0.602], usualRatio: [0.125, 0.197] },
  'binarized-mnist': { nats: 80.53 },
};
