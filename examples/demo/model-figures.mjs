/** What examples/data/page-figures.mjs has measured of models that are trained anew from time to time; it writes this file. */
export const FIGURES = {
  clothes: { testBits: 0.983, usualRatio: 2.027 },
  'digits-28': { testBits: 0.437, usualRatio: 3.323 },
  'binarized-mnist': { testNats: 83.08 },
};
