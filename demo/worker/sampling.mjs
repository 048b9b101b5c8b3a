import { sample } from 'pixelcnn-layers/runtime';
import { conditionOf, shippedModel } from './models.mjs';

/** Reports come at most each so many milliseconds. */
const REPORT_EVERY = 30;

/**
 * @param {import('./protocol.mjs').SampleJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function drawImages(
  { model: name, numImages, seed, temperature, topK, classes, given, rows, lookAhead },
  { signal, report },
) {
  const model = await shippedModel(name, rows);
  const start = performance.now();
  let reported = 0;
  const { data } = await sample(model, {
    ...(given && repeated(given, [numImages, ...model.imageShape])),
    numImages,
    seed,
    signal,
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...conditionOf(model, classes),
    ...(lookAhead !== undefined && { lookAhead }),
    onProgress({ done, total, levels }) {
      if (done === total || performance.now() - reported < REPORT_EVERY) return;
      report({ done, levels: levels.slice() });
      reported = performance.now();
    },
  });
  return { levels: data, seconds: (performance.now() - start) / 1000 };
}

/** `initial` and `known` of the same image for all. */
function repeated({ levels, known }, shape) {
  const size = shape[1] * shape[2] * shape[3];
  const tile = (values) => {
    const data = new Uint8Array(shape[0] * size);
    for (let n = 0; n < shape[0]; n++) data.set(values.subarray(0, size), n * size);
    return { data, shape };
  };
  return { initial: tile(levels), known: tile(known) };
}
