import { defineConfig } from 'tsup';

export default defineConfig({
  entry: { index: 'src/index.ts', node: 'src/node/index.ts', data: 'src/data/index.ts' },
  format: ['esm', 'cjs'],
  target: 'es2022',
  dts: true,
  clean: true,
  // The entries for Node and data hold no class, so all can be whole files; scripts/check-package.mjs watches that classes are shared.
  splitting: false,
  minify: true, // names that tfjs or users see are strings; the types keep the docstrings
});
