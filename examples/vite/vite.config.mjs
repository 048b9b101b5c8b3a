import { defineConfig } from 'vite';

export default defineConfig({
  base: './', // the built files work from any folder
});
