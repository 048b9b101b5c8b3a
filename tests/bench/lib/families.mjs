/**
 * The networks that docs/results/index.md compares: by data set, of about as many weights, with the same steps, outputs and recipe. Each is named by its
 * runs, whose settings and figures lie in docs/results. The first of each data set is what the others' times are compared with.
 *
 * @type {Record<string, string[]>}
 */
export const FAMILIES = {
  'digits 8x8, 17 levels': [
    'digits-2000', 'digits-2000-gated-3', 'digits-2000-plus-plus', 'digits-2000-snail', 'digits-2000-gpt', 'digits-row-lstm',
    'digits-diagonal-bi-lstm',
  ], // biome-ignore format: names
  'Fashion-MNIST 28x28, 16 levels': [
    'fashion-16-2000', 'fashion-16-2000-gated-5', 'fashion-16-2000-plus-plus', 'fashion-16-2000-snail', 'fashion-16-2000-gpt',
    'fashion-16-row-lstm', 'fashion-16-diagonal-bi-lstm', 'fashion-16-conv-next',
  ], // biome-ignore format: names
  'Fashion-MNIST 28x28, 256 levels': [
    'fashion-mixture', 'fashion-mixture-gated', 'fashion-plus-plus', 'fashion-plus-plus-from-data', 'fashion-snail',
    'fashion-row-lstm', 'fashion-diagonal-bi-lstm',
  ], // biome-ignore format: names
  'emoji 16x16 RGB, 256 levels': [
    'emoji-mixture', 'emoji-mixture-gated-5', 'emoji-plus-plus', 'emoji-plus-plus-from-data', 'emoji-snail', 'emoji-row-lstm',
    'emoji-diagonal-bi-lstm',
  ], // biome-ignore format: names
  'emoji 16x16, 64 colours': ['emoji-colours', 'emoji-colours-gated', 'emoji-colours-snail', 'emoji-colours-gpt'],
};
