import { logProb, stepper } from 'pixelcnn-layers/runtime';
import { conditionOf, shippedModel } from './models.mjs';

/**
 * The bits that the model spends on each value of an image: -log2 of the probability that it gives to it. And the probabilities of all levels.
 *
 * @param {import('./protocol.mjs').LikelihoodJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function measure({ model: name, levels, condition }, { signal }) {
  const model = await shippedModel(name);
  const steps = stepper(model, conditionOf(model, condition));
  const bits = new Float32Array(levels.length);
  const probabilities = new Float32Array(levels.length * model.levels);
  try {
    for (const [i, level] of levels.entries()) {
      const logProbs = steps.logProbs(); // [L]
      bits[i] = -logProbs[level] * Math.LOG2E;
      for (let l = 0; l < model.levels; l++) probabilities[i * model.levels + l] = Math.exp(logProbs[l]);
      steps.put([level]);
      if (i % 256 === 255) {
        await new Promise((resolve) => setTimeout(resolve)); // lets a cancellation in
        signal.throwIfAborted();
      }
    }
  } finally {
    steps.dispose();
  }
  return { bits, probabilities };
}

/**
 * The log-likelihood of an image given each class, in nats, and by a background model.
 *
 * @param {import('./protocol.mjs').ClassifyJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function classify({ model: name, levels, numClasses, besideBackground }, { signal }) {
  const model = await shippedModel(name);
  const data = new Uint8Array(numClasses * levels.length);
  for (let k = 0; k < numClasses; k++) data.set(levels, k * levels.length);
  const condition = Array.from({ length: numClasses }, (_, k) => k);
  const nats = await logProb(
    model,
    { data, shape: [numClasses, ...model.imageShape] },
    { condition, signal },
  );
  if (!besideBackground) return { nats, background: null };
  const one = { data: levels, shape: [1, ...model.imageShape] };
  const [background] = await logProb(await shippedModel(`${name}-background`), one, { signal });
  return { nats, background };
}
