import { logProb, sample } from 'pixelcnn-layers/runtime';
import { shippedModel } from './models.mjs';

/** Reports come at most each so many milliseconds. */
const REPORT_EVERY = 30;
const TIMED_PASSES = 3;

/**
 * @param {import('./protocol.mjs').SampleJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function drawImages(
  { model: name, numImages, seed, temperature, topK, classes, given, lookAhead },
  { signal, report },
) {
  const model = await shippedModel(name);
  const start = performance.now();
  let reported = 0;
  const { data } = await sample(model, {
    ...(given && repeated(given, [numImages, ...model.imageShape])),
    numImages,
    seed,
    signal,
    ...(temperature !== undefined && { temperature }),
    ...(topK !== undefined && { topK }),
    ...(classes !== undefined && { condition: classes }),
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
  const tile = (values) => {
    const data = new Uint8Array(shape[0] * values.length);
    for (let n = 0; n < shape[0]; n++) data.set(values, n * values.length);
    return { data, shape };
  };
  return { initial: tile(levels), known: tile(known) };
}

/**
 * The median time of a full pass over so many images, once one has warmed it up: sampling by full passes takes one for each value.
 *
 * @param {import('./protocol.mjs').PassJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function timePass({ model: name, numImages, classes }, { signal }) {
  const model = await shippedModel(name);
  const shape = [numImages, ...model.imageShape];
  const images = { data: new Uint8Array(shape.reduce((product, side) => product * side, 1)), shape };
  const times = [];
  for (let pass = 0; pass <= TIMED_PASSES; pass++) {
    const start = performance.now();
    await logProb(model, images, { signal, ...(classes !== undefined && { condition: classes }) });
    if (pass > 0) times.push((performance.now() - start) / 1000);
  }
  return { seconds: times.sort((a, b) => a - b)[Math.floor(times.length / 2)] };
}
