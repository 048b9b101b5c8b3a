import { MODELS } from '../catalogue.mjs';

/** What one image of a group is called, where that is not the group's name. */
const ONE = {
  'T-shirt or top': 'a T-shirt or top',
  pullover: 'a pullover',
  dress: 'a dress',
  coat: 'a coat',
  sandal: 'a sandal',
  shirt: 'a shirt',
  sneaker: 'a sneaker',
  bag: 'a bag',
  'ankle boot': 'an ankle boot',
  8: 'an 8',
};

/**
 * The classes of a model: what each is called, and what one image of it is called.
 *
 * @typedef {{ name: string, one: string }} Class
 *
 * @param {import('../worker/protocol.mjs').ModelName} model
 * @returns {Class[]}
 */
export function classesOf(model) {
  return MODELS[model].groups.map((name) => ({
    name,
    one: ONE[name] ?? (/^\d$/.test(name) ? `a ${name}` : name),
  }));
}
