import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright';
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest';
import { type Watch, watch } from '../support/browsers/pages';
import { PATIENCE } from '../support/patience.mjs';

/** The Chromium that the files of the page's tests share. To close it closes one's own contexts only. */
export const connectToChromium = () => chromium.connect(inject('demo').chromium);

export const DEMO = fileURLToPath(new URL('../../demo', import.meta.url));

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

/** Has the page's workers run some code once they have loaded their own. */
export const runInWorkers = (page: Page, code: string) =>
  page.addInitScript((code) => {
    globalThis.Worker = class extends Worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        const script = `import '${new URL(url, location.href)}'; ${code}`;
        super(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), options);
      }
    };
  }, code);

/** Tests could not answer what a service worker asks for. */
function withoutServiceWorker() {
  Object.defineProperty(navigator, 'serviceWorker', { value: undefined });
}

/** Unfolds what stands beside a picture, the choice of another and its file, and what masks do through many layers. */
function unfold() {
  new MutationObserver(() => {
    for (const one of document.querySelectorAll<HTMLDetailsElement>('.picker, .files, #masks details, .look details')) one.open = true;
  }).observe(document, { subtree: true, childList: true });
}

/**
 * Has the page's panels begin their first work only where a test asks for it, and they are near: else all that happen to be near compute
 * in each page, and most of the time of the tests is theirs.
 */
function beginOnlyWhatIsAsked() {
  const asked = new Set<string>();
  const waiting = new Map<string, () => void>();
  const ask = (id: string) => {
    asked.add(id);
    waiting.get(id)?.();
    waiting.delete(id);
  };
  const askOfAddress = () => ask(location.hash.slice(1).split('?')[0] ?? '');
  askOfAddress();
  addEventListener('hashchange', askOfAddress);
  globalThis.IntersectionObserver = class extends IntersectionObserver {
    override observe(element: Element) {
      if (asked.has(element.id)) super.observe(element);
      else waiting.set(element.id, () => super.observe(element));
    }
  };
  Object.assign(globalThis, { ask });
}

/** Keeps what the page asks of its workers in `window.jobs`. */
function recordJobs() {
  const jobs: unknown[] = [];
  Object.assign(globalThis, { jobs });
  const { postMessage } = Worker.prototype;
  Worker.prototype.postMessage = function (message: { job?: unknown }) {
    if (message.job !== undefined) jobs.push(message.job);
    postMessage.call(this, message);
  };
}

/** Keeps what the page copies in `window.copied`: all pages of a browser share its clipboard. */
function recordCopies() {
  const { clipboard } = navigator;
  const copy = clipboard?.writeText.bind(clipboard);
  if (copy) clipboard.writeText = (text) => copy(text).then(() => Object.assign(globalThis, { copied: text })) as Promise<never>;
}

/** The last text that the page has copied. */
export const copied = (page: Page) => page.evaluate(() => (globalThis as { copied?: string }).copied ?? '');

/** What the page downloads once it is asked to: its name, and its bytes. */
export async function downloadOf(page: Page, ask: () => Promise<void>) {
  const downloading = page.waitForEvent('download');
  await ask();
  const download = await downloading;
  const parts: Uint8Array[] = [];
  for await (const part of await download.createReadStream()) parts.push(part);
  return { name: download.suggestedFilename(), bytes: Buffer.concat(parts) };
}

/** The jobs that {@link recordJobs} has kept. */
export const sentJobs = (page: Page) => page.evaluate(() => (globalThis as unknown as { jobs: Record<string, unknown>[] }).jobs);

/** So many levels, as the page's workers have sent them. */
export const sentLevels = (page: Page, by: 'result' | 'report', count: number) =>
  page.evaluate(
    ([by, count]) => {
      const { answers } = globalThis as unknown as { answers: { [kind in typeof by]?: { levels?: Uint8Array } }[] };
      return [...(answers.find((answer) => answer[by]?.levels?.length === count)?.[by]?.levels ?? [])];
    },
    [by, count] as const,
  );

/** How many tensors tfjs held after each job of the worker that trains. */
export const tensorCounts = (page: Page) =>
  page.evaluate(() =>
    (globalThis as unknown as { answers: { tensors?: number }[] }).answers
      .map(({ tensors }) => tensors)
      .filter((tensors) => tensors !== undefined),
  );

/** Has the pages of a context note when they have shown their first picture, in milliseconds since 1970. */
export const noteFirstPicture = (context: BrowserContext) =>
  context.addInitScript(() => {
    const { now } = Date; // goes on, also where the page's clock stands still
    new MutationObserver((_, observer) => {
      if (document.querySelector('.wall-tile:enabled') === null) return;
      observer.disconnect();
      Object.assign(globalThis, { firstPicture: now() });
    }).observe(document, { subtree: true, childList: true, attributes: true });
  });

/** The colours of a canvas, as text, to compare. */
export const pixels = (canvas: Locator) => canvas.evaluate((element: HTMLCanvasElement) => element.toDataURL());

/** All of a canvas: red, green, blue and opacity of each point. Read from a copy, since Chromium complains of canvases that are read often. */
export const pictureOf = (canvas: Locator) =>
  canvas.evaluate((element: HTMLCanvasElement) => {
    const { width, height } = element;
    const copy = new OffscreenCanvas(width, height).getContext('2d') as OffscreenCanvasRenderingContext2D;
    copy.drawImage(element, 0, 0);
    return { width, height, data: new Uint8Array(copy.getImageData(0, 0, width, height).data) }; // which Playwright hands over as it is
  });

/** One colour of a canvas, at a place from 0 to 1. */
export const colourAt = (canvas: Locator, x: number, y: number) =>
  canvas.evaluate(
    (element: HTMLCanvasElement, [x, y]) => {
      const point = new OffscreenCanvas(1, 1).getContext('2d') as OffscreenCanvasRenderingContext2D;
      point.drawImage(element, -Math.floor(x * element.width), -Math.floor(y * element.height));
      return [...point.getImageData(0, 0, 1, 1).data];
    },
    [x, y] as const,
  );

export const status = (panel: Locator) => panel.locator('.report').getByRole('status');
export const button = (panel: Locator, name: string) => panel.getByRole('button', { name, exact: true });
/** Waits until the panel says so. */
export const says = (panel: Locator, text: string | RegExp) => status(panel).filter({ hasText: text }).waitFor();

/** Expects it sooner or later: the machine may be busy. */
export const eventually = <T>(ask: () => T) => expect.poll(ask);

/** Waits for a few frames: Chromium takes the keyboard from a disabled button, or gives it to where a link leads, with the next one. */
export const frames = (page: Page) =>
  page.evaluate(async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
  });

/** The words of what has the keyboard, once Chromium has drawn that. */
export async function focusedAfterFrames(page: Page) {
  await frames(page);
  return page.evaluate(() => document.activeElement?.textContent);
}

/** Stops the page's clock: what the page does after some time waits for `page.clock.runFor`, or `page.clock.resume`. */
export async function stopClock(page: Page) {
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 60_000); // it goes only forward
}

/** The panels of the page, and what each says or shows once it has done its first work. */
export const FIRST_WORK = {
  wall: '.wall-map canvas',
  drawing: '.likeliest',
  completing: '.report:has-text("Six ways")',
  likelihood: '.detail:has-text("each of its")',
  sampling: '.report:has-text("Drew 30 pictures")',
  classifying: '[role=status]:has-text("Likeliest")',
  maps: '.headline:has-text("flaw")',
  magnet: '.report:has-text("Drew 64 squares")',
  training: '.uplot',
  masks: '.layers canvas',
  inside: '.inside-most:not(:empty)',
  'same-bits': '.controls',
  more: 'canvas[data-images="3"]',
};

/** Panels that the page fills as soon as it has their code; each has its work then, or an alert. */
const FILLED_AT_ONCE = 7;

/**
 * The demo as built and served, and for each test a page of a fresh browser context, not yet there.
 *
 * @param options `isShared`: all tests have one page, until one fails. `isWhole`: its panels begin as they come near, as they do for visitors; else see {@link beginOnlyWhatIsAsked}. `isKept`: its service worker
 * may keep it. `mayComplain`: its tests may have the page complain, or ask another host
 */
export function useDemo({ isShared = false, isWhole = false, isKept = false, mayComplain = false } = {}) {
  let browser: Browser;
  let context: BrowserContext;
  let isNew = true;
  const { built, origin } = inject('demo');
  const demo = {
    built,
    origin,
    address: `${origin}/some/folder/`,
    page: null as unknown as Page,
    seen: null as unknown as Watch,
    panel: (id: string) => demo.page.locator(`#${id}`),
    /** Waits until the panels are there: none pushes another down any more. */
    arePanelsThere: () =>
      demo.page
        .locator('.panel > .work, .panel > .drawing, .panel > .alert')
        .nth(FILLED_AT_ONCE - 1)
        .waitFor({ state: 'attached' }),
    async bringIntoSight(id: string) {
      await demo.arePanelsThere();
      await demo.page.evaluate((id) => {
        (globalThis as { ask?(id: string): void }).ask?.(id);
        const root = document.getElementById(id);
        if (root instanceof HTMLDetailsElement) root.open = true;
      }, id);
      await demo.panel(id).scrollIntoViewIfNeeded();
    },
    /** Opens the page with a panel in sight, at an address of that panel where one is given; where it is there, as by a link in it. */
    async open(id: string, query = '') {
      if (demo.page.url().startsWith(demo.address)) await demo.page.evaluate(() => history.replaceState(null, '', '#')); // a link leads also to where it is
      await demo.page.goto(`${demo.address}#${id}${query && `?${query}`}`); // the wall does not draw then
      await demo.bringIntoSight(id);
    },
    /** Brings a panel into sight, and waits for its first work. */
    async see(id: keyof typeof FIRST_WORK) {
      await demo.bringIntoSight(id);
      await demo.panel(id).locator(FIRST_WORK[id]).first().waitFor();
    },
    /** All of them, one by one. */
    async seeAll() {
      for (const id of Object.keys(FIRST_WORK)) await demo.see(id as keyof typeof FIRST_WORK);
    },
    /** Holds back what is asked for by such an address, until it is let go. */
    async hold(url: string | RegExp) {
      let letGo = () => {};
      const held = new Promise<void>((resolve) => (letGo = resolve));
      await context.route(url, async (route) => {
        await held;
        await route.continue();
      });
      return letGo;
    },
    /** Whether this test has the page complain, or ask another host; else it must not. */
    mayComplain,
  };

  beforeAll(async () => {
    browser = await connectToChromium();
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    demo.mayComplain = mayComplain;
    if (!isNew) return;
    context = await browser.newContext({ reducedMotion: 'reduce', permissions: ['clipboard-write'] });
    context.setDefaultTimeout(PATIENCE);
    const scripts = [recordAnswers, recordCopies, recordJobs];
    if (!isKept) scripts.push(withoutServiceWorker);
    if (!isWhole) scripts.push(unfold, beginOnlyWhatIsAsked);
    for (const script of scripts) await context.addInitScript(script);
    demo.page = await context.newPage();
    demo.seen = watch(demo.page);
  });
  afterEach(async ({ task }) => {
    for (const routed of [demo.page, context]) await routed.unrouteAll({ behavior: 'ignoreErrors' }); // some may still be on their way
    isNew = !isShared || task.result?.state === 'fail';
    if (isNew) await context.close();
    if (demo.mayComplain) return;
    expect(demo.seen.complaints).toEqual([]);
    expect(demo.seen.requests.filter((url) => new URL(url).origin !== origin)).toEqual([]);
  });
  return demo;
}
