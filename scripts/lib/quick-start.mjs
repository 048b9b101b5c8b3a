import { readFileSync } from 'node:fs';

/** The program that README trains with. */
function quickStart() {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const [, program] = readme.match(/^## Train\n.*?^```js\n(.*?)^```$/ms) ?? [];
  if (program === undefined) throw new Error('README.md: wanted a program under "## Train", got none');
  return program;
}

/**
 * That program, followed by checks that it has trained and drawn, with the library's own kernels on wasm.
 */
export const checkedQuickStart = () => `${quickStart()}
import assert from 'node:assert/strict';
import { kernelsInUse } from 'pixelcnn-layers';

assert.equal(tf.getBackend(), 'wasm');
assert(kernelsInUse());
const [bits] = await model.evaluate(levels).data();
assert(bits < 0.3, bits + ' bits/dim, of 2 before training');
assert.deepEqual(images.shape, [1, 8, 8, 1]);
assert((await images.data()).every((level) => [0, 1, 2, 3].includes(level)));
`;
