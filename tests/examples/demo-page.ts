import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Locator, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';
import { launchChromium, serve, type Watch, watch } from '../support/pages';

export const EXAMPLE = fileURLToPath(new URL('../../examples/demo', import.meta.url));

/** Keeps what the page's workers say in `window.answers`. */
export function recordAnswers() {
  const answers: unknown[] = [];
  Object.assign(globalThis, { answers });
  globalThis.Worker = class extends Worker {
    constructor(...args: ConstructorParameters<typeof Worker>) {
      super(...args);
      this.addEventListener('message', ({ data }) => answers.push(data));
    }
  };
}

/** Keeps what the page asks of its workers in `window.jobs`. */
export function recordJobs() {
  const jobs: unknown[] = [];
  Object.assign(globalThis, { jobs });
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message: { job?: unknown }) {
    if (message.job !== undefined) jobs.push(message.job);
    postMessage.call(this, message);
  };
}

/** The jobs that {@link recordJobs} has kept. */
export const sentJobs = (page: Page) =>
  page.evaluate(() => (globalThis as unknown as { jobs: Record<string, unknown>[] }).jobs);

/** How many tensors tfjs held after each job of the worker that trains. */
export const tensorCounts = (page: Page) =>
  page.evaluate(() =>
    (globalThis as unknown as { answers: { tensors?: number }[] }).answers
      .map(({ tensors }) => tensors)
      .filter((tensors) => tensors !== undefined),
  );

/** The colours of a canvas, as text, to compare. */
export const pixels = (canvas: Locator) =>
  canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());

/** One colour of a canvas, at a place from 0 to 1. */
export const colourAt = (canvas: Locator, x: number, y: number) =>
  canvas.evaluate(
    (element: HTMLCanvasElement, [x, y]) => {
      const { width, height } = element;
      const context = element.getContext('2d');
      return [...(context?.getImageData(Math.floor(x * width), Math.floor(y * height), 1, 1).data ?? [])];
    },
    [x, y] as const,
  );

export const status = (panel: Locator) => panel.locator('.report').getByRole('status');
export const button = (panel: Locator, name: string) => panel.getByRole('button', { name, exact: true });
/** Waits until the panel says so. */
export const says = (panel: Locator, text: string | RegExp) =>
  status(panel).filter({ hasText: text }).waitFor({ timeout: 20_000 });

/** Expects it sooner or later: the machine may be busy. */
export const eventually = <T>(ask: () => T) => expect.poll(ask, { timeout: 20_000 });

/** The words of what has the keyboard: Chromium takes it from a disabled button when it draws the next frame. */
export const focusedAfterFrames = (page: Page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    return document.activeElement?.textContent;
  });

/** The panels of the page, and what each says or shows once it has done its first work. */
const FIRST_WORK = {
  drawing: '.likeliest',
  sampling: '.report:has-text("Drew 30 pictures")',
  completing: '.report:has-text("Six ways")',
  likelihood: '.headline:has-text("bits")',
  compressing: '[role=status]:has-text("bytes")',
  classifying: '[role=status]:has-text("Likeliest")',
  maps: '.headline:has-text("flaw")',
  training: '.uplot',
  masks: '.mask-figures',
};

/** Brings every panel into sight, and waits for its first work. */
export async function openAllPanels({ panel }: { panel: (id: string) => Locator }) {
  for (const [id, found] of Object.entries(FIRST_WORK)) {
    await panel(id).scrollIntoViewIfNeeded();
    await panel(id).locator(found).first().waitFor({ timeout: 20_000 });
  }
}

/** The demo as built and served, and for each test a page of a fresh browser context, not yet there. */
export function useDemo() {
  let server: Server;
  let browser: Browser;
  let context: BrowserContext;
  const demo = {
    folder: '',
    built: '',
    origin: '',
    address: '',
    page: null as unknown as Page,
    seen: null as unknown as Watch,
    panel: (id: string) => demo.page.locator(`#${id}`),
    /** Opens the page with a panel in sight. */
    async open(id: string) {
      await demo.page.goto(demo.address);
      await demo.panel(id).locator('.work').waitFor({ state: 'attached' }); // panels above have grown by then
      await demo.panel(id).scrollIntoViewIfNeeded();
    },
    /** Nothing was asked of another host, nothing went wrong. */
    expectClean() {
      expect(demo.seen.complaints).toEqual([]);
      const urls = demo.seen.requests.filter((url) => !url.startsWith('blob:'));
      expect([...new Set(urls.map((url) => new URL(url).origin))]).toEqual([demo.origin]);
    },
  };

  beforeAll(async () => {
    demo.folder = await mkdtemp(join(tmpdir(), 'demo-'));
    demo.built = inject('builtDemo');
    const served = await serve(demo.built);
    server = served.server;
    demo.origin = served.origin;
    demo.address = `${served.origin}/some/folder/`;
    browser = await launchChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    await rm(demo.folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    context = await browser.newContext({ reducedMotion: 'reduce' });
    demo.page = await context.newPage();
    demo.seen = watch(demo.page);
    await demo.page.addInitScript(recordAnswers);
  });
  afterEach(async () => {
    await demo.page.unrouteAll({ behavior: 'ignoreErrors' }); // some may still be on their way
    await context.close();
  });
  return demo;
}
