// tfjs-node, as `npm run build:tfjs-node` makes it: outside of node_modules, which knows nothing of it.
import util from 'node:util';

// What Node 23 took away, and Node 22 warns of.
Object.assign(util, {
  isNullOrUndefined: (x: unknown) => x === null || x === undefined,
  isArray: Array.isArray,
});

const built = '../../.tfjs-node/node_modules/@tensorflow/tfjs-node/dist/index.js';
await import(/* @vite-ignore */ built);
