// Loaded before an example with `node --import`: says at its end how many tensors it has left.
import { memory } from '@tensorflow/tfjs-core';

process.on('exit', () => process.stderr.write(`tensors left: ${memory().numTensors}\n`));
