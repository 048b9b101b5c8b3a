import { readFile } from 'node:fs/promises';

/** By this, all of src/index.ts brings the kernels along where it is not built. */
const IMPORT = "import './ops/own-kernels';";

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
      if (!text.includes(IMPORT)) throw new Error(`wanted ${IMPORT} in ${path}`);
      const named = text.replace(IMPORT, "import { withOwnKernels } from './ops/own-kernels';");
      const contents = named.replaceAll(EXPORTS, (_, names, room) => exported(valuesOf(names), room));
      return { contents, loader: 'ts' };
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
