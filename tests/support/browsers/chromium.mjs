import { existsSync } from 'node:fs';

/** The Chromium that tests run in, if possible without a window's frame, which takes a third less time; undefined where none is installed. */
export const chromiumPath = [
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:/Program Files/Google/Chrome/Application/chrome.exe',
].find(existsSync);

/** No connections of the browser's own. */
const quiet = [
  '--no-sandbox',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Without WebGL and WebGPU: their emulation would draw the pages, too, and take half as long again. */
export const chromiumArguments = [...quiet, '--disable-gpu'];

/** With both, in software. */
export const gpuArguments = [
  ...quiet,
  '--disable-gpu-sandbox',
  '--use-gl=angle',
  '--use-angle=swiftshader',
  '--enable-unsafe-swiftshader',
  '--enable-unsafe-webgpu',
  '--enable-features=Vulkan,WebGPU',
  '--use-webgpu-adapter=swiftshader',
];
