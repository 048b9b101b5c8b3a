import { defineConfig } from 'vitepress';
import { BASE, makeRelocatable } from './relocatable.mjs';

const isBuilt = process.argv.includes('build');

export default defineConfig({
  title: 'pixelcnn-layers',
  outDir: '../site',
  base: isBuilt ? BASE : '/',
  srcExclude: ['api/**'],
  ignoreDeadLinks: true,
  buildEnd: ({ outDir }) => makeRelocatable(outDir),
  themeConfig: { search: { provider: 'local' }, sidebar: [{ text: 'x', items: [{ text: 'Masks', link: '/masks' }, { text: 'Models', link: '/models' }] }] },
});
