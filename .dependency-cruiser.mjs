// The order of rooms: each imports only from itself and from rooms above it. docs/architecture.md says what is in them.

/** What knows no tfjs; src/runtime/tsconfig.json also hides pages and Node from it. */
const runtime = [
  'core',
  'kernels',
  'distributions',
  'program',
  'engine',
  'sampling',
  'likelihood',
  'codec',
  'workers',
  'pool',
  'index.ts',
  'worker.ts',
].map((room) => `runtime/${room}`);

const rooms = [
  ...runtime,
  'ops',
  'layers',
  'models',
  'portable',
  'inference',
  'causality',
  'training',
  'data',
  'node',
  'weights',
  'index.ts',
  'register.ts',
  'train-worker.ts',
  'train-thread.ts',
  'script-tag.ts',
].map((room) => `^src/${room.replace('.', '[.]')}(/|$)`);

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...rooms.slice(0, -1).map((room, index) => ({
      name: `${room} imports from no later room`,
      severity: 'error',
      from: { path: room },
      to: { path: rooms.slice(index + 1) },
    })),
    { name: 'every file is in a room', severity: 'error', from: { pathNot: rooms }, to: {} },
    { name: 'every file is in a room', severity: 'error', from: {}, to: { path: '^src/', pathNot: rooms } },
    { name: 'every file is in a room', severity: 'error', from: { orphan: true, pathNot: rooms }, to: {} },
    {
      name: 'nothing is imported that is not there',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    { name: 'no file imports itself by way of others', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'the runtime imports nothing from elsewhere, but for the types of Node in its workers',
      severity: 'error',
      from: { path: '^src/runtime/', pathNot: '^src/runtime/workers/' },
      to: { pathNot: '^src/runtime/' },
    },
    {
      name: 'workers import no packages',
      severity: 'error',
      from: { path: '^src/runtime/workers/' },
      to: { pathNot: '^src/runtime/', dependencyTypesNot: ['core'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true, // types too
    tsConfig: { fileName: 'tsconfig.json' },
    exclude: '^src/runtime/kernels/assembly/', // another language
    doNotFollow: 'node_modules',
  },
};
