/** What the files of a data set lack where they have no classes and could have them. */
const LACKING = { npy: ': wanted train-labels.npy and test-labels.npy in the directory --path' };

/**
 * How many classes the images of a data set have.
 *
 * @param {{ name: string, train: import('pixelcnn-layers/data').ImageSet }} dataset
 */
export function classesOf({ name, train: { labels } }) {
  if (labels === undefined) throw new Error(`${name} has no classes${LACKING[name] ?? ''}`);
  return 1 + labels.reduce((most, label) => Math.max(most, label), 0);
}

/**
 * What a model is conditioned on with images of these classes: them, or nothing, where it takes no condition.
 *
 * @param {import('./image-model.mjs').ImageModel} model
 * @param {Uint8Array | undefined} labels of these images
 * @returns {number[] | undefined}
 */
export function conditionOf(model, labels) {
  if ((model.conditions ?? model.inputs.slice(1)).length === 0) return undefined; // the inputs of tfjs's begin with the images
  if (labels === undefined) throw new Error('the model is conditioned on classes, and the images have none');
  return Array.from(labels);
}
