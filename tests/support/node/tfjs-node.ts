// tfjs-node, as `npm run build:tfjs-node` makes it, in a folder of its own beside node_modules.
import util from 'node:util';

// tfjs-node calls these: Node 22 warns of them, and Node 23 has no isNullOrUndefined.
Object.assign(util, { isNullOrUndefined: (x: unknown) => x === null || x === undefined, isArray: Array.isArray });

const built = '../../../.tfjs-node/node_modules/@tensorflow/tfjs-node/dist/index.js';
await import(/* @vite-ignore */ built);
