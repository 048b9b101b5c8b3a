import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright';
import { chromiumArguments, chromiumPath } from '../../support/browsers/chromium.mjs';
import { listening } from '../../support/node/listening.mjs';

const dist = fileURLToPath(new URL('../../../dist', import.meta.url));

/**
 * Loads a portable file into a page of headless Chromium, from a server on this machine, and draws one image there.
 *
 * @param {string} path of the file
 * @returns {Promise<{ loadMs: number, drawMs: number, peakBytes: number } | undefined>} of the page's own process; undefined where there is no Chromium, or no Linux to tell the memory
 */
export async function drawInPage(path) {
  if (chromiumPath === undefined || process.platform !== 'linux') return undefined;
  const server = await serve(path);
  const browser = await chromium.launch({ executablePath: chromiumPath, args: chromiumArguments });
  try {
    const page = await browser.newPage();
    await page.goto(server.address);
    const times = await page.evaluate(async () => {
      const { readPortable, sample } = await import('/runtime/index.js');
      const start = performance.now();
      const model = readPortable(new Uint8Array(await (await fetch('/model')).arrayBuffer()));
      const loaded = performance.now();
      await sample(model, { seed: 1 });
      return { loadMs: loaded - start, drawMs: performance.now() - loaded };
    });
    return { ...times, peakBytes: await peakOfPages(browser) };
  } finally {
    await browser.close();
    server.close();
  }
}

/** A page that is blank, the runtime, and the file. */
const serve = (path) =>
  listening(async ({ url }, response) => {
    if (url === '/') return response.setHeader('Content-Type', 'text/html').end('<!doctype html>');
    const name = /^\/([\w-]+(?:\/[\w-]+)*\.js)$/.exec(url)?.[1];
    if (name !== undefined) response.setHeader('Content-Type', 'text/javascript');
    try {
      response.end(await readFile(name === undefined ? path : `${dist}/${name}`));
    } catch {
      response.writeHead(404).end();
    }
  });

/** The most memory that a page's process has had, as Linux tells it. */
async function peakOfPages(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  const pages = processInfo.filter(({ type }) => type === 'renderer');
  const peaks = pages.map(async ({ id }) => {
    const status = await readFile(`/proc/${id}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(status)[1]);
  });
  return Math.max(...(await Promise.all(peaks)));
}
