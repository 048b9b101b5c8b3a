import { evaluator } from './evaluator.mjs';
import { conditionOf, shippedModel } from './models.mjs';

/** The pixels before one; those from it on are not known. */
const before = (levels, pixel) => Float64Array.from(levels, (level, i) => (i < pixel ? level : Number.NaN));

/**
 * What every node of a network computes, at every pixel, of the pixels before one.
 *
 * @param {import('./protocol.mjs').InsideJob} job
 */
export async function lookInside({ model: name, levels, pixel, condition }) {
  const { nodes, output, weights, ...model } = await shippedModel(name);
  const given = numbersOf(model, condition);
  const { at } = evaluator({ nodes, weights, ...model }, before(levels, pixel), given);
  const places = [...levels.keys()];
  const values = nodes.map((_, node) => places.map((place) => at(node, place)));
  return { nodes, output, weights, values };
}

/**
 * The logits of a pixel, were one pixel before it of the opposite level.
 *
 * @param {import('./protocol.mjs').DependsJob} job
 * @param {import('./protocol.mjs').Context} context
 */
export async function changeEach({ model: name, levels, pixel, condition }, { signal }) {
  const model = await shippedModel(name);
  const image = before(levels, pixel);
  const given = numbersOf(model, condition);
  const { at, values } = evaluator(model, image, given);
  at(model.output, pixel);
  const isRead = levels.map((_, i) => i in values[0]);
  const changed = [];
  for (let i = 0; i < pixel; i++) {
    const other = image.with(i, model.levels - 1 - image[i]);
    changed.push(isRead[i] ? evaluator(model, other, given).at(model.output, pixel) : null);
    await new Promise((resolve) => setTimeout(resolve)); // lets a cancellation in
    signal.throwIfAborted();
  }
  return { changed };
}

/** What the network is given: a class as one number, or a vector. */
export function numbersOf(model, classes) {
  const { condition } = conditionOf(model, classes);
  return condition?.data ?? [condition];
}
