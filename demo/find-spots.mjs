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
import { patchOf } from './parts/patch.mjs';
import { evaluator } from './worker/evaluator.mjs';
import { numbersOf } from './worker/inside.mjs';
import { conditionOf } from './worker/models.mjs';

/** Pictures of each network, and how many of these show a detector's spot. */
const [DRAWN, SHOWN] = [60, 4];

/** By the node of a gate, for each channel: the largest number and the smallest; and patches with the largest ones, and the smallest, as text of a character a pixel. */
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
    const texts = spots.slice(0, SHOWN).map(({ patch }) => patch.map((level) => level.toString(36)).join(''));
    return { number: sign * Number(spots[0].most.toFixed(2)), text: texts.join('') };
  }

  function ends(node, channel) {
    const [largest, smallest] = [1, -1].map((sign) => furthest(node, channel, sign));
    return [largest.number, smallest.number, largest.text, smallest.text];
  }

  const gates = [...nodes.keys()].filter((node) => nodes[node].op === 'gate');
  return Object.fromEntries(
    gates.map((node) => [node, Array.from({ length: nodes[node].size }, (_, k) => ends(node, k))]),
  );
}

const spots = {
  'syllables-gated': await spotsOf('syllables-gated', 11_172),
  'digits-conditional': await spotsOf('digits-conditional', 10),
};
await writeWhole(fileURLToPath(new URL('spots.json', import.meta.url)), JSON.stringify(spots));
