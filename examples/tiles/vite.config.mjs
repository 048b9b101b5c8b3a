import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // the built files work from any folder
  build: { outDir: '../../out/tiles', emptyOutDir: true, assetsInlineLimit: 0, target: 'es2022' },
  worker: { format: 'es' },
});
