// Whether a machine computes the bits of the one that made models.json: a list of models, each drawn from, scored, compressed and stepped through.
// Without dependencies, so that it runs wherever there is JavaScript.

/**
 * One model of the list: its program, the shapes of its weights, whose numbers {@link modelOf} makes, and the digest of each result.
 *
 * @typedef {{ name: string, program: object, weights: Record<string, number[]>, precision: 'float32' | 'float16' | 'int8',
 *   condition: null | object, digests?: Record<string, string> }} Entry
 * @typedef {{ name: string, what: string, digest: string, expected: string | undefined }} Line
 */

/** Images of each model: more than one, fewer than a group of the engine. */
const NUM_IMAGES = 3;

/**
 * The model of an entry, as read from its file, with weights that are the same on every machine: integers divided and multiplied in float64, and
 * rounded once.
 *
 * @param {typeof import('pixelcnn-layers/runtime')} runtime
 * @param {Entry} entry
 */
function modelOf(runtime, { program, weights, precision }) {
  const next = numbers();
  const filled = Object.entries(weights).map(([name, shape]) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const inputs = Math.max(1, size / shape[shape.length - 1]);
    const scale = shape.length === 1 ? 0.5 : 2 / Math.sqrt(inputs);
    return [name, { shape, data: Float32Array.from({ length: size }, () => scale * next()) }];
  });
  return runtime.readPortable(runtime.writePortable({ ...program, weights: new Map(filled) }, { weights: precision }));
}

/** Numbers in [-1, 1): Park and Miller's generator, exact in doubles. */
export function numbers() {
  let state = 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return (2 * state) / 2147483647 - 1;
  };
}

/**
 * The digests of what a model gives.
 *
 * @param {typeof import('pixelcnn-layers/runtime')} runtime
 * @param {Entry} entry
 * @returns {Promise<Record<string, string>>}
 */
export async function digestsOf(runtime, entry) {
  const model = modelOf(runtime, entry);
  const given = entry.condition === null ? {} : { condition: entry.condition };
  const drawing = { numImages: NUM_IMAGES, seed: 3, temperature: 0.9, ...given };
  const images = await runtime.sample(model, drawing);
  if (model.symmetry) {
    const nats = await runtime.logProb(model, images, given);
    return { sample: digestOf(images.data), logProb: digestOf(nats) };
  }
  const nats = await runtime.logProb(model, images, { ...given, perValue: true });
  const file = await runtime.compress(model, images, given);
  const same = await runtime.decompress(model, file, given);
  return {
    sample: digestOf(images.data),
    logProb: digestOf(nats),
    compress: digestOf(file),
    decompress: digestOf(same.data),
    stepper: stepped(runtime, model, given),
  };
}

function stepped(runtime, model, given) {
  const channels = model.imageShape[2];
  const steps = runtime.stepper(model, { numImages: NUM_IMAGES, ...given });
  const all = [];
  for (let level = 0; steps.place !== null && all.length < 40 * channels; level = (level + 1) % model.levels) {
    all.push(digestOf(steps.logProbs()));
    steps.put(Array.from({ length: NUM_IMAGES }, (_, n) => (level + n) % model.levels));
  }
  steps.dispose();
  return digestOf(Uint8Array.from(all.join(), (letter) => letter.charCodeAt(0)));
}

/** Whether the runtime computes by WebAssembly here: vectors compile, and a page's policy allows instances. */
export function hasWebAssembly() {
  const body = [0, 0xfd, 0x0c, ...new Array(16).fill(0), 0x1a, 0x0b]; // v128.const, drop, end
  const module = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 3, 2, 1, 0, 10, body.length + 2, 1, body.length, ...body];
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(Uint8Array.from(module))) !== null;
  } catch {
    return false;
  }
}

/** FNV-1a of the bytes of an array. */
function digestOf({ buffer, byteOffset, byteLength }) {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(buffer, byteOffset, byteLength)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/**
 * Computes the digests of some models, and says each as it comes.
 *
 * @param {typeof import('pixelcnn-layers/runtime')} runtime
 * @param {readonly Entry[]} entries
 * @param {(line: Line) => unknown} [onLine] may return a promise, which is awaited
 * @returns {Promise<Line[]>} those that differ
 */
export async function conformance(runtime, entries, onLine = () => {}) {
  const different = [];
  for (const entry of entries) {
    const digests = await digestsOf(runtime, entry).catch((error) => ({ error: `${error.name}: ${error.message}` }));
    for (const what of new Set([...Object.keys(digests), ...Object.keys(entry.digests ?? {})])) {
      const line = { name: entry.name, what, digest: digests[what] ?? 'missing', expected: entry.digests?.[what] };
      await onLine(line);
      if (line.digest !== line.expected) different.push(line);
    }
  }
  return different;
}

/** The runtime, whose work a pool does. */
export const inPool = (runtime, pool) => ({
  ...runtime,
  ...Object.fromEntries(['sample', 'logProb', 'compress', 'decompress'].map((name) => [name, (...args) => pool[name](...args)])),
});
