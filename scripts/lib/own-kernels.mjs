import { readFile } from 'node:fs/promises';

/** Rooms of the package whose exports may run operations that have kernels of their own on wasm. */
const ROOMS = ['layers', 'models', 'tensors', 'causality', 'training'];

const EXPORTS = new RegExp(`^export \\{([^}]*)\\} from ('\\./(?:${ROOMS.join('|')})/[^']*');$`, 'gm');

/**
 * A plugin of esbuild. It makes each value that `src/index.ts` exports from these rooms a call without side effects,
 * `const MaskedConv2D = withOwnKernels(…)`, of the very same value. A bundler drops such a call, and the kernels with
 * it, unless the name is imported. The class itself it must keep either way, since importing the package registers it.
 */
export const ownKernels = {
  name: 'own-kernels',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/]index\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      const lines = text.replaceAll(EXPORTS, (_, names, room) => exported(valuesOf(names), room));
      return { contents: `import { withOwnKernels } from './ops/own-kernels';\n${lines}`, loader: 'ts' };
    });
  },
};

/** The names that are not those of types. */
const valuesOf = (names) =>
  names
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && !name.startsWith('type '));

function exported(names, room) {
  const imports = names.map((name) => `${name} as $${name}`).join(', ');
  const calls = names.map((name) => `export const ${name} = /* @__PURE__ */ withOwnKernels($${name});`);
  return [`import { ${imports} } from ${room};`, ...calls].join('\n');
}
