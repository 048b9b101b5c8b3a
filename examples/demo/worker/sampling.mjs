import * as tf from '@tensorflow/tfjs-core';
import { normalize, sample } from 'pixelcnn-layers';
import { shippedModel } from './models.mjs';

/** Reports come at most each so many milliseconds. */
const REPORT_EVERY = 30;
const TIMED_PASSES = 3;

/**
 * @param {import('./protocol.mjs').SampleJob} job
 * @param {{ signal: AbortSignal, report: (what: object) => void }} context
 */
export async function drawImages(
  { model: name, numImages, seed, temperature, topK, classes, given, isTimed },
  { signal, report },
) {
  signal.throwIfAborted();
  const model = await shippedModel(name);
  const inputs = given === undefined ? {} : repeated(given, [numImages, ...model.imageShape]);
  try {
    const start = performance.now();
    let reported = 0;
    const images = await sample(model, {
      ...inputs,
      numImages,
      seed,
      signal,
      ...(temperature !== undefined && { temperature }),
      ...(topK !== undefined && { topK }),
      ...(classes !== undefined && { condition: classes }),
      yieldEvery: 40,
      onProgress({ done, total, levels }) {
        if (done === total || performance.now() - reported < REPORT_EVERY) return;
        report({ done, levels });
        reported = performance.now();
      },
    });
    const seconds = (performance.now() - start) / 1000;
    const levels = await images.data();
    images.dispose();
    report({ done: levels.length / numImages, levels, seconds }); // before a pass is timed, which may take much longer
    const passSeconds = isTimed ? await timePass(model, numImages, classes, signal) : null;
    return { levels, seconds, passSeconds };
  } finally {
    tf.dispose(inputs);
  }
}

/** `initial` and `known` of the same image for all. */
function repeated({ levels, known }, shape) {
  const tensor = (values) =>
    tf.tidy(() => tf.tile(tf.tensor4d(values, [1, ...shape.slice(1)], 'int32'), [shape[0], 1, 1, 1]));
  return { initial: tensor(levels), known: tensor(known) };
}

/**
 * The median time of a whole forward pass that has run once before, and of reading back one value's logits, as whole passes draw. Null where that is
 * cancelled: the images are drawn all the same.
 */
async function timePass(model, numImages, classes, signal) {
  const shape = [numImages, ...model.imageShape];
  const inputs = tf.tidy(() => {
    const images = normalize(tf.zeros(shape, 'int32'), model.levels);
    return classes === undefined ? images : [images, tf.tensor2d(classes, [numImages, 1])];
  });
  const times = [];
  try {
    for (let pass = 0; pass <= TIMED_PASSES; pass++) {
      await new Promise((resolve) => setTimeout(resolve)); // lets a cancellation in
      if (signal.aborted) return null;
      const start = performance.now();
      const first = tf.tidy(() => tf.slice(model.apply(inputs), [0, 0, 0, 0, 0], [numImages, 1, 1, 1, -1]));
      await first.data();
      first.dispose();
      if (pass > 0) times.push((performance.now() - start) / 1000);
    }
  } finally {
    tf.dispose(inputs);
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)];
}
