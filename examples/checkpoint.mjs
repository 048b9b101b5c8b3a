// Lists a checkpoint, beside the weights of a network with guesses: `node examples/checkpoint.mjs --help`.

import { loadWeights, saveWeights } from 'pixelcnn-layers/weights';
import { command, text } from '../kit/flags.mjs';
import { useBackend } from '../kit/runs/backend.mjs';
import { givenNetwork, makeNetwork, withNetworkFlags } from '../kit/weights/given-network.mjs';
import { guessWeights, isExpected } from '../kit/weights/guess-weights.mjs';
import { joinedWeights } from '../kit/weights/joined-weights.mjs';
import { nameForLoading, reasonToSkip } from '../kit/weights/state-dict.mjs';
import { readTensors } from '../kit/weights/tensor-files.mjs';

const program = command(
  'examples/checkpoint.mjs',
  `Lists the tensors of another program's checkpoint, and guesses which weights of a network they are. Nothing is loaded or
written. Guesses are by shape, names and order, and printed as options of loadWeights. Those marked ? are not the only ones
possible: compare activations.`,
).argument(
  '<file>',
  'safetensors, an .npz, a directory of .npy files, or what Keras saves: .keras, .weights.h5, .h5',
  text('a file of weights'),
);
const flags = withNetworkFlags(program).parse().opts();
const [file] = program.processedArgs;
const network = givenNetwork(flags);

await useBackend('cpu');
const { format, tensors } = await readTensors(file);
const model = network && (await makeNetwork(network));
const skipped = new Map([...tensors.keys()].map((name) => [name, reasonToSkip(name, tensors)]));

if (model === null) {
  list(`${tensors.size} tensors of ${file}, ${format}`, [...tensors.keys()]);
} else {
  compare(saveWeights(model));
  model.dispose();
}

function compare(weights) {
  const usual = /keras/i.test(format) ? 'keras' : 'pytorch';
  const ofWeights = new Map([...tensors].filter(([name]) => skipped.get(name) === null));
  const joined = joinedWeights(ofWeights, weights);
  const inJoined = new Set([...joined.values()].map(({ name }) => name));
  const { guesses, from } = guessWeights(
    new Map([...ofWeights].filter(([name]) => !inJoined.has(name))),
    new Map([...weights].filter(([weight]) => !joined.has(weight))),
    usual,
  );
  const found = new Map(guesses.map((guess) => [guess.weight, guess]));
  console.log(`${weights.size} weights of the network, and tensors of ${file}, ${format}:`);
  for (const [weight, { shape }] of weights) {
    console.log(`  ${weight} [${shape}]  <- ${guessed(found.get(weight), joined.get(weight))}`);
  }
  const used = new Set([...inJoined, ...guesses.map(({ name }) => name)]);
  list('left over', [...tensors.keys()].filter((name) => !used.has(name))); // biome-ignore format: one line
  if (guesses.length > 0) suggest(weights, guesses, from);
  if (joined.size > 0)
    console.log(`
Tensors that are listed with a part of them, or row by row, must be divided or reshaped first. Or let \`names\` return the
names of another GPT that has such: from: 'teddykoker/image-gpt', with kernels [out,in], or 'openai/image-gpt', [in,out].`);
}

/** What a weight may be, in words. */
function guessed(guess, join) {
  if (join) return `${described(join.name)} ${join.words}`;
  if (!guess) return 'nothing of its shape is left';
  const { name, layout, others, isNarrower, isSure } = guess;
  const layouts = [layout, ...others].join(' or ');
  const words = [described(name), layouts, isNarrower ? 'narrower: pad it' : '', isSure ? '' : '?'];
  return words.filter((word) => word !== '').join(' ');
}

/** Prints the guesses as options of loadWeights, and what it says of them. */
function suggest(weights, guesses, from) {
  const names = new Map(
    guesses.map(({ name, weight }) => [from === 'pytorch' ? nameForLoading(name) : name, weight]),
  );
  const others = guesses.filter((guess) => !isExpected(guess, weights.get(guess.weight), from));
  const orders = new Map(others.map(({ weight, order }) => [weight, order]));
  const rows = (map) => [...map].map((row) => `  ${printable(row)},\n`).join('');
  console.log('\nGuessed, to be checked:\n');
  console.log(`const names = new Map([\n${rows(names)}]);`);
  if (orders.size > 0) console.log(`const orders = new Map([\n${rows(orders)}]);`);
  const options = { from, names: (name) => names.get(name) ?? null, axes: (name) => orders.get(name) };
  const axes = orders.size > 0 ? ', axes: (name) => orders.get(name)' : '';
  console.log(
    `loadWeights(model, tensors, { from: '${from}', names: (name) => names.get(name) ?? null${axes} });`,
  );
  try {
    loadWeights(model, tensors, options);
    const unsure = guesses.filter(({ isSure }) => !isSure).length;
    console.log(
      unsure === 0
        ? '\nAll weights are loaded by this.'
        : `\nAll shapes fit, but ${unsure} of ${guesses.length} weights, marked ?, may be others of their shape: compare activations.`,
    );
  } catch ({ message }) {
    console.log(`\nThis says ${printable(message).slice(1, -1)}`);
  }
}

function list(title, names) {
  console.log(`${title}:${names.length === 0 ? ' nothing' : ''}`);
  for (const name of names)
    console.log(`  ${described(name)}${skipped.get(name) ? `  ${skipped.get(name)}` : ''}`);
}

/** A tensor's name, as it must be in a string, with its type and shape. */
function described(name) {
  const { dtype, shape } = tensors.get(name);
  return `${printable(name)} ${dtype} [${shape}]`;
}

/** A value as JSON in which nothing controls a terminal, since names in files may hold anything. */
function printable(value) {
  return JSON.stringify(value).replaceAll(
    /[\x7f-\u{9f}\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu,
    (letter) => `\\u${letter.codePointAt(0).toString(16).padStart(4, '0')}`,
  );
}
