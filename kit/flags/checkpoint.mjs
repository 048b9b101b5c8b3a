import { FACTORY_NAMES, readNetworkFlags } from '../weights/given-network.mjs';
import { parseFlags, pathTo } from './flags.mjs';

const HELP = `Lists the tensors of another program's checkpoint, and guesses which weights of a network they are.

  node examples/checkpoint.mjs FILE
  node examples/checkpoint.mjs FILE --model DIR
  node examples/checkpoint.mjs FILE --factory NAME --args JSON

  FILE             safetensors, an .npz, a directory of .npy files, or what Keras saves: .keras, .weights.h5, .h5
  --model DIR      the network: that of a saved model, or of a run of train.mjs or pytorch/train.py
  --factory NAME   the network: a new one, by ${FACTORY_NAMES.join(', ')}
  --args JSON      its arguments, as {"imageShape":[8,8,1],"levels":17}
  --help           prints this

Nothing is loaded or written. Guesses are by shape, names and order, and printed as options of loadWeights. Those marked ?
are not the only ones possible: compare activations.
`;

const text = { type: 'string' };
const OPTIONS = { model: text, factory: text, args: text, help: { type: 'boolean' } };

/**
 * Reads and checks the command line. Ends the program for `--help` and for errors.
 *
 * @param {string[]} argv
 * @returns {{ file: string, network: null | { directory: string } | { factory: string, args: object } }}
 */
export function readCheckpointFlags(argv) {
  const isFirst = argv.length > 0 && !argv[0].startsWith('-');
  const flags = parseFlags(OPTIONS, HELP, isFirst ? argv.slice(1) : argv);
  return {
    file: pathTo('a file of weights', 'FILE', isFirst ? argv[0] : undefined),
    network: readNetworkFlags(flags),
  };
}
