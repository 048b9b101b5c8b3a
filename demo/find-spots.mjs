/**
 * Finds, for each detector of the networks that "Look inside" opens, where its number is largest and where smallest, in pictures that its network draws;
 * and writes what lies around these spots:
 *
 *     node demo/find-spots.mjs
 */
import { fileURLToPath } from 'node:url';
import { loadPortable, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { writeWhole } from '../kit/runs/files.mjs';
import { evaluator } from './worker/evaluator.mjs';
import { numbersOf } from './worker/inside.mjs';
import { conditionOf } from './worker/models.mjs';

/** Pictures of each network, and how many of these show a detector's spot. */
const [DRAWN, SHOWN] = [60, 4];
/** Rows above a spot, and columns on each side of it. */
const [ABOVE, BESIDE] = [4, 3];

/** By the node of a gate, for each channel: patches with the largest numbers, and with the smallest, as text of a character a pixel. */
async function spotsOf(name, numClasses) {
  const model = await loadPortable(modelURL(name));
  const { nodes, imageShape } = model;
  const [height, width] = imageShape;
  const classes = Array.from({ length: DRAWN }, (_, i) => (i * 997) % numClasses);
  const { data } = await sample(model, { ...conditionOf(model, classes), seed: 1 });
  const pictures = classes.map((condition, i) => {
    const levels = data.subarray(i * height * width, (i + 1) * height * width);
    return { levels, at: evaluator(model, levels, numbersOf(model, condition)).at };
  });

  /** One spot of a picture, so that they differ. */
  function furthest(node, channel, sign) {
    const spots = pictures.map(({ levels, at }) => {
      const numbers = Array.from(levels, (_, place) => sign * at(node, place)[channel]);
      const most = Math.max(...numbers);
      return { most, patch: patchOf(levels, width, numbers.indexOf(most)) };
    });
    spots.sort((a, b) => b.most - a.most);
    return spots
      .slice(0, SHOWN)
      .map(({ patch }) => patch)
      .join('');
  }

  const gates = [...nodes.keys()].filter((node) => nodes[node].op === 'gate');
  return Object.fromEntries(
    gates.map((node) => [
      node,
      Array.from({ length: nodes[node].size }, (_, k) => [furthest(node, k, 1), furthest(node, k, -1)]),
    ]),
  );
}

/** The levels around a spot, 0 outside the picture. */
function patchOf(levels, width, place) {
  const columns = 2 * BESIDE + 1;
  const corner = [Math.floor(place / width) - ABOVE, (place % width) - BESIDE];
  return Array.from({ length: (ABOVE + 1) * columns }, (_, k) => {
    const [row, column] = [corner[0] + Math.floor(k / columns), corner[1] + (k % columns)];
    const isInside = row >= 0 && column >= 0 && column < width;
    return (isInside ? levels[row * width + column] : 0).toString(36);
  }).join('');
}

const spots = {
  'syllables-gated': await spotsOf('syllables-gated', 11_172),
  'digits-conditional': await spotsOf('digits-conditional', 10),
};
await writeWhole(fileURLToPath(new URL('spots.json', import.meta.url)), JSON.stringify(spots));
