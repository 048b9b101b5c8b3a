// Takes the pictures of the interactive page that README shows, in headless Chromium, into docs/images: `node scripts/page-pictures.mjs`.

import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { build, preview } from 'vite';
import { chromiumArguments, chromiumPath } from '../tests/support/chromium.mjs';

const root = fileURLToPath(new URL('../examples/demo', import.meta.url));
const images = fileURLToPath(new URL('../docs/images', import.meta.url));

if (chromiumPath === undefined) throw new Error('There is no Chromium: apt-get install chromium');
await build({ root, logLevel: 'error' });
const server = await preview({ root, preview: { host: '127.0.0.1', port: 0 }, logLevel: 'error' });
const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });
const page = await browser.newPage({ viewport: { width: 1280, height: 720 }, reducedMotion: 'reduce' });

await page.goto(server.resolvedUrls.local[0]);
await page.locator('.mask-figures').waitFor();
await page.waitForTimeout(3000); // until the first digits are drawn
await page.screenshot({ path: `${images}/page.png` });
console.log('docs/images/page.png');

await page.locator('.mask-figures').screenshot({ path: `${images}/page-masks.png` });
console.log('docs/images/page-masks.png');

await browser.close();
await server.close();
