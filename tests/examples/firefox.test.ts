import { cp, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as runtime from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import type { Browser, Page } from 'puppeteer-core';
import { build, type InlineConfig } from 'vite';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FIRST_WORK, recordAnswers } from '../demo/open-page';
import { answerOfCdn, CDN } from '../support/browsers/cdn';
import { makeConformancePage } from '../support/browsers/conformance-page';
import { firefoxPath, launchFirefox, openUndriven, watchFirefox } from '../support/browsers/firefox';
import { serve, type Watch } from '../support/browsers/pages';
import { tellsOfTraining, trainAndTell, visitUndriven } from '../support/browsers/undriven';
import { docBlocks } from '../support/docs/doc-blocks';
import { temporaryFolder } from '../support/node/temporary-folder';
import { PATIENCE } from '../support/patience.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

const SCRIPT = 'pixelcnn-layers.min.js';

// Tried again as what Chromium runs, and for the same reason: see vitest.everywhere.config.ts.
describe.skipIf(firefoxPath === undefined)('in Firefox', { retry: 1 }, () => {
  const folder = temporaryFolder();
  let browser: Browser;
  let page: Page;
  let seen: Watch;

  beforeAll(async () => {
    browser = await launchFirefox();
  });
  afterAll(async () => {
    await browser?.close();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    seen = watchFirefox(page);
  });
  afterEach(() => page.close());

  /** Builds a page, opens it and has `work` look at it; nothing may go wrong in the page. */
  async function visit(config: InlineConfig, work: () => Promise<void>) {
    const outDir = join(await mkdtemp(join(folder, 'built-')), 'page');
    await build({ ...config, logLevel: 'silent', build: { outDir } });
    await visitBuilt(outDir, work);
  }

  async function visitBuilt(built: string, work: () => Promise<void>) {
    const { server, origin } = await serve(built);
    try {
      await page.goto(`${origin}/some/folder/`);
      await work();
      expect(seen.complaints).toEqual([]);
    } catch (error) {
      throw new Error(`the page complained of ${JSON.stringify(seen.complaints)}`, { cause: error });
    } finally {
      await page.goto('about:blank'); // ends the page's workers
      server.close();
    }
  }

  /** Waits until some element of the page says so; the error says what it says instead. */
  const says = (selector: string, pattern: RegExp) =>
    expect
      .poll(() =>
        page.evaluate((selector) => [...document.querySelectorAll(selector)].map(({ textContent }) => textContent).join(' '), selector),
      )
      .toMatch(pattern);
  const scrollTo = (id: string) =>
    page.$eval(`#${id}`, (panel) => {
      if (panel instanceof HTMLDetailsElement) panel.open = true;
      panel.scrollIntoView();
    });

  it('the runtime gives the bits of all machines, alone and in a pool', async () => {
    const project = join(folder, 'project');
    await makeConformancePage(
      project,
      `{ workers: 2, createWorker: () => new Worker(new URL('pixelcnn-layers/worker', import.meta.url), { type: 'module' }) }`,
    );
    await visit({ root: project, base: './', configFile: false, worker: { format: 'es' } }, async () => {
      await says('title', /./);
      expect(await page.title()).toBe('the same bits by WebAssembly');
    });
  });

  describe('the demo', () => {
    let built: string;
    beforeAll(async () => {
      built = join(folder, 'demo');
      await build({ root: join(root, 'demo'), logLevel: 'silent', build: { outDir: built } });
    });

    it('fills all its panels, draws by hand, and draws the images that Node draws', async () => {
      await page.evaluateOnNewDocument(recordAnswers);
      await visitBuilt(built, async () => {
        await page.waitForSelector('#wall .wall-map canvas');
        for (const [id, firstWork] of Object.entries(FIRST_WORK)) {
          await scrollTo(id);
          const [selector, words] = firstWork.split(':has-text(');
          await page.waitForSelector(`#${id} ${(selector as string).replace(':enabled', ':not([disabled])')}`);
          if (words !== undefined) await says(`#${id} ${selector}`, new RegExp(words.slice(1, -2)));
        }
        const bars = '#drawing .next-bar';
        const drawn = () => page.$eval('#drawing [role=img]', (picture) => picture.getAttribute('aria-label'));
        const before = await drawn();
        await page.click(bars);
        await expect.poll(drawn).not.toBe(before);
        const levels = await page.evaluate(() => {
          const { answers } = globalThis as unknown as { answers: { result?: { levels?: Uint8Array } }[] };
          const found = answers.find(({ result }) => result?.levels?.length === 30 * 576);
          return [...(found?.result?.levels ?? [])];
        });
        const file = await readFile(modelURL('characters'));
        const { data } = await runtime.sample(runtime.readPortable(file), { numImages: 30, seed: 1 });
        expect(levels).toEqual([...data]);
      });
    });

    it('trains on all cores', () => {
      const script = `(${trainAndTell})(tell, '${FIRST_WORK.training}')`;
      return visitUndriven(openUndriven, built, script, tellsOfTraining, '#training');
    });
  });

  it('script tags train and draw in the page of the docs', async () => {
    const [html] = (await docBlocks()).filter(({ isForPage, code }) => isForPage && code.includes(SCRIPT));
    const built = await mkdtemp(join(folder, 'script-tags-'));
    await writeFile(join(built, 'index.html'), html?.code ?? '');
    await cp(join(root, 'dist', SCRIPT), join(built, SCRIPT));
    await page.setRequestInterception(true);
    page.on('request', async (request) => {
      if (request.url().startsWith(CDN)) await request.respond(await answerOfCdn(request.url()));
      else if (request.url().endsWith('/favicon.ico')) await request.respond({ status: 204 });
      else await request.continue();
    });
    await visitBuilt(built, async () => {
      const levels = () =>
        page.evaluate(() => {
          const canvas = document.querySelector('canvas');
          const pixels = canvas?.getContext('2d')?.getImageData(0, 0, 8, 8).data ?? [];
          return [...pixels].filter((_, i) => i % 4 === 0); // red
        });
      await expect.poll(levels).toEqual(Array.from({ length: 64 }, (_, i) => 255 * (i % 2)));
    });
  });
});
