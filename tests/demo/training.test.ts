import { beforeEach, describe, expect, it } from 'vitest';
import { button, eventually, focusedAfterFrames, pixels, runInWorkers, says, sentJobs, stopClock, tensorCounts, useDemo } from './open-page'; // biome-ignore format: a line

describe('training in the demo', () => {
  const demo = useDemo();
  const training = () => demo.panel('training');
  /** Opens the page, and waits until the panel has done its first work: a click before that may be lost. */
  async function open(address = demo.address) {
    await demo.page.goto('about:blank');
    await demo.page.goto(`${address}#training`); // the wall does not draw then
    await demo.see('training');
    await eventually(() => button(training(), 'Train').isEnabled()).toBe(true);
  }
  const tfjsRequests = () => demo.seen.requests.filter((url) => /tfjs|backend-/.test(url));
  const slider = () => training().getByRole('slider', { name: 'Step' });
  const curves = () => training().getByRole('img', { name: /^Loss curve/ });
  const curve = () => curves().getAttribute('aria-label');
  const recorded = () => training().getByText(/^A recorded run/);
  const canvases = () => training().locator('.run-samples canvas:visible');
  const stepOf = async () => Number((await training().locator('.report').textContent())?.match(/step (\d+)/)?.[1]);
  async function stop() {
    await button(training(), 'Stop').press('Enter');
    await says(training(), /Stopped: step \d+\. Not saved/);
    return stepOf();
  }

  it('opens on a recorded run, which the slider looks through, with the keyboard too; nothing moves when it comes', async () => {
    const letCome = await demo.hold(/\.bits$|loss-chart/);
    await demo.open('training');
    const height = () => training().evaluate((panel) => panel.getBoundingClientRect().height);
    const before = await height();
    letCome();
    await demo.see('training');
    expect(await height()).toBe(before);
    expect(await training().getByText('A recorded run: Digits, 8×8').isVisible()).toBe(true);
    expect(await training().getByText('averaged over about 50 steps').isVisible()).toBe(true);
    expect(await slider().getAttribute('aria-valuetext')).toBe('0');
    const bitsOf = (text: string | null) => [...(text ?? '').matchAll(/([\d.]+) bits/g)].map(([, bits]) => Number(bits));
    const [plain, gated] = bitsOf(await curve());
    expect(Math.min(plain as number, gated as number)).toBeGreaterThan(4);
    const noise = await pixels(canvases().first());
    await slider().press('End');
    expect(await slider().getAttribute('aria-valuetext')).toBe('3044');
    expect(await pixels(canvases().first())).not.toBe(noise);
    expect(Math.max(...bitsOf(await curve()))).toBeLessThan(1.83);
    expect(await canvases().evaluateAll((all) => all.map((one) => one.getAttribute('aria-label')))).toEqual([
      'PixelCNN: 16 samples at step 3044',
      'Gated PixelCNN: 16 samples at step 3044',
    ]);
    await slider().press('Home');
    expect(await pixels(canvases().first())).toBe(noise);
    expect(tfjsRequests()).toEqual([]);
  });

  it('plays the recorded run to its end once it is seen', async () => {
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    await open();
    await slider().scrollIntoViewIfNeeded();
    await stopClock(demo.page);
    await eventually(async () => {
      await demo.page.clock.runFor(2500);
      return slider().getAttribute('aria-valuetext');
    }).toBe('3044');
  });

  it('trains a gated PixelCNN, saves it, and goes on after a reload', async () => {
    const network = 'Gated PixelCNN';
    const legend = () => training().locator('.u-legend').textContent();
    await open();
    expect(await button(training(), 'Load').isVisible()).toBe(false);
    expect(tfjsRequests()).toEqual([]);
    await training().getByLabel(network, { exact: true }).check();
    await button(training(), 'Train').click();
    await eventually(stepOf).toBeGreaterThan(50);
    expect(await button(training(), 'Save').isVisible()).toBe(false);
    const stopped = await stop();
    expect(await focusedAfterFrames(demo.page)).toBe('Continue');
    const label = await curve();
    expect(label).toMatch(new RegExp(`^Loss curve: ${network}, [\\d.]+ bits per pixel on test images at step ${stopped}$`));
    expect(Number(label?.match(/([\d.]+) bits/)?.[1])).toBeLessThan(Math.log2(17) - 0.5);
    expect(await legend()).toMatch(new RegExp(`^step${stopped}${network}, training\\d\\.\\d{3}test\\d\\.\\d{3}$`));
    expect(await canvases().count()).toBe(1);
    const markers = training().locator('.u-marker');
    const swatches = () => markers.evaluateAll((all) => all.map((swatch) => getComputedStyle(swatch).borderTopColor));
    const light = await swatches();
    await demo.page.emulateMedia({ colorScheme: 'dark' });
    expect((await swatches()).slice(1)).not.toEqual(light.slice(1));
    const drawn = await pixels(canvases());
    await slider().press('Home');
    expect(await slider().getAttribute('aria-valuetext')).toBe('0');
    expect(await pixels(canvases())).not.toBe(drawn);
    await button(training(), 'Save').click();
    await says(training(), `Saved in this browser: step ${stopped}`);
    await button(training(), 'Use my network').click();
    await eventually(() => demo.panel('drawing').getByLabel('Draw', { exact: true }).inputValue()).toBe('mine');
    for (const id of ['likelihood', 'completing'] as const) await demo.see(id);
    await demo.panel('likelihood').getByText('for each of its 64 pixels').waitFor();
    const models = (await sentJobs(demo.page)).map(({ kind, model }) => `${kind} ${String(model).slice(0, 5)}`);
    for (const kind of ['likelihood', 'compress', 'sample']) expect(models).toContain(`${kind} blob:`);
    const loaded = tfjsRequests().length;
    expect(loaded).toBeGreaterThan(0);
    await open();
    await says(training(), `A run is saved in this browser: step ${stopped}`);
    expect(tfjsRequests().length).toBe(loaded); // to see what is kept takes no tfjs
    await button(training(), 'Load').click();
    await says(training(), `Loaded: step ${stopped}`);
    expect(await training().getByLabel(network, { exact: true }).isChecked()).toBe(true);
    const counts = await tensorCounts(demo.page);
    await button(training(), 'Continue').click();
    await eventually(stepOf).toBeGreaterThan(stopped + 20);
    const stoppedAgain = await stop();
    const after = await tensorCounts(demo.page);
    expect(after.at(-1)).toBe(counts.at(-1));
    const answer = async (isYes: boolean) => {
      const asked = demo.page.waitForEvent('dialog').then(async (dialog) => {
        await (isYes ? dialog.accept() : dialog.dismiss());
        return dialog.message();
      });
      await button(training(), 'Start over').click();
      return asked;
    };
    expect(await answer(false)).toBe(`The run at step ${stoppedAgain} is not saved. Go on without it?`);
    expect(await button(training(), 'Continue').isEnabled()).toBe(true);
    await answer(true);
    await eventually(() => button(training(), 'Train').isEnabled()).toBe(true);
    expect(await focusedAfterFrames(demo.page)).toBe('Train'); // beside it
    expect(await recorded().isVisible()).toBe(true);
    expect((await tensorCounts(demo.page)).at(-1)).toBe(0);
  });

  it('trains both side by side on syllables, as wide and as deep as is asked, saves them, and loads them', async () => {
    await open();
    await training().getByLabel('Images', { exact: true }).selectOption('syllables');
    await training().getByLabel('Both', { exact: true }).check();
    await training().getByRole('slider', { name: 'Channels' }).fill('8');
    await training().getByRole('slider', { name: 'Blocks' }).fill('2');
    expect(await training().getByText('2,722 and 3,186 weights').isVisible()).toBe(true);
    await button(training(), 'Train').click();
    await eventually(stepOf).toBeGreaterThan(5);
    const stopped = await stop();
    const both = new RegExp(`^Loss curve: PixelCNN, [\\d.]+ bits .* step ${stopped}; Gated PixelCNN, [\\d.]+ bits .* step ${stopped}$`);
    expect(await curve()).toMatch(both);
    const captions = ['PixelCNN, 2,722 weights', 'Gated PixelCNN, 3,186 weights'];
    expect(await training().locator('figcaption:visible').allTextContents()).toEqual(captions);
    const drawn = await Promise.all([0, 1].map((i) => pixels(canvases().nth(i))));
    expect(drawn[0]).not.toBe(drawn[1]);
    await button(training(), 'Save').click();
    await says(training(), 'Saved in this browser');
    await open();
    await button(training(), 'Load').click();
    await says(training(), `Loaded: step ${stopped}`);
    expect(await curve()).toMatch(both);
    expect(await training().getByLabel('Images', { exact: true }).inputValue()).toBe('syllables');
    expect(await training().locator('figcaption:visible').allTextContents()).toEqual(captions);
    await button(training(), 'Start over').click();
    await recorded().waitFor();
    expect((await tensorCounts(demo.page)).at(-1)).toBe(0);
  });

  it("trains on the visitor's drawings, which stay in the browser", async () => {
    await open();
    await training().getByLabel('Images', { exact: true }).selectOption('drawings');
    expect(await button(training(), 'Train').isDisabled()).toBe(true);
    const grid = training().getByRole('application', { name: 'Your drawing' });
    await button(training(), 'Add').click();
    expect(await training().getByText('Drawings: 0.').isVisible()).toBe(true); // nothing is drawn
    for (const key of ['ArrowDown', ' ', 'ArrowRight', ' ', 'ArrowRight', ' ']) await grid.press(key);
    expect(await training().getByText('Row 2, column 3: ink').isVisible()).toBe(true);
    await button(training(), 'Add').click();
    expect(await training().getByText('Drawings: 1.').isVisible()).toBe(true);
    await grid.click();
    await button(training(), 'Add').click();
    await button(training(), 'Remove last').click();
    await open();
    await training().getByLabel('Images', { exact: true }).selectOption('drawings');
    expect(await training().getByText('Drawings: 1.').isVisible()).toBe(true);
    await button(training(), 'Train').click();
    await eventually(stepOf).toBeGreaterThan(10);
    const stopped = await stop();
    expect(await curve()).toMatch(/^Loss curve: PixelCNN, 0\.\d+ bits per pixel on training images at step \d+$/);
    expect(stopped).toBeGreaterThan(10);
    const sent = await sentJobs(demo.page);
    const { drawings } = sent.find(({ kind }) => kind === 'train') as { drawings: Record<string, number> };
    expect(Object.keys(drawings).length).toBe(25 * 256); // one, and its shifts
  });

  it('saves over what another tab has saved only where the visitor knows of it', async () => {
    await open();
    await button(training(), 'Train').click();
    await eventually(stepOf).toBeGreaterThan(0);
    await stop();
    const other = await demo.page.context().newPage();
    await other.goto(demo.address);
    await other.evaluate(
      ([key, saved]) => localStorage.setItem(key as string, saved as string),
      ['pixelcnn-layers-run', JSON.stringify({ step: 7, date: '2026-01-01T00:00:00.000Z' })],
    );
    await other.close();
    await eventually(() => button(training(), 'Load').isEnabled()).toBe(true); // it has heard of it
    await button(training(), 'Save').click();
    await says(training(), /^Not saved: another tab has saved step 7, .*\. Save again to replace that, or load it\.$/);
    await button(training(), 'Save').click();
    await says(training(), 'Saved in this browser');
    await button(training(), 'Save').click(); // its own, which it knows of
    await says(training(), 'Saved in this browser');
  });

  describe('on a machine of four cores', () => {
    const report = () => training().locator('.report').textContent();
    const trainWorkers = () => demo.seen.requests.filter((url) => url.includes('/train-worker-'));
    beforeEach(() => demo.page.addInitScript(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 })));

    it.each([
      ['', () => demo.address],
      [' where memory may be shared', () => `${demo.origin}/isolated/`],
    ])('trains on all of them, says so, stops and goes on%s', async (_, address) => {
      await open(address());
      expect(trainWorkers()).toEqual([]);
      for (const name of ['Train', 'Continue']) {
        await button(training(), name).click();
        await eventually(report).toMatch(/^Training on 4 cores: step \d+\./);
        await button(training(), 'Stop').click();
        await says(training(), 'Stopped');
      }
      expect(trainWorkers().length).toBeGreaterThan(0);
      const counts = await tensorCounts(demo.page);
      expect(counts[1]).toBe(counts[0]);
    });

    const missing = 'class extends Worker { constructor(_, options) { super(origin + "/missing.js", options); } }';
    it.each([
      ['a worker has no workers', 'delete globalThis.Worker;'],
      ['their file cannot be loaded', `globalThis.Worker = ${missing};`],
    ])('trains on one where %s', async (_, code) => {
      demo.mayComplain = true; // of the file that is missing
      await runInWorkers(demo.page, code);
      await open();
      await button(training(), 'Train').click();
      await eventually(report).toMatch(/^Training: step \d+\./);
      expect(await training().getByRole('alert').isVisible()).toBe(false);
      expect(trainWorkers()).toEqual([]);
    });

    it('trains where a backend was chosen that its workers do not have', async () => {
      await open();
      await training().getByLabel('Computed by').selectOption('cpu');
      await button(training(), 'Train').click();
      await eventually(report).toMatch(/^Training: step \d+\./);
      expect(trainWorkers()).toEqual([]);
    });
  });

  it('asks before the page is left while it trains, or with steps that are not saved', async () => {
    /** Tries to leave, is asked by the browser, and stays. */
    async function stay() {
      const asked = demo.page.waitForEvent('dialog');
      await demo.page.close({ runBeforeUnload: true });
      const dialog = await asked;
      expect(dialog.type()).toBe('beforeunload');
      await dialog.dismiss();
    }
    await open();
    await button(training(), 'Train').click();
    await eventually(stepOf).toBeGreaterThanOrEqual(0);
    await stay();
    await button(training(), 'Stop').click();
    await says(training(), 'Stopped');
    await stay();
    expect(await button(training(), 'Continue').isEnabled()).toBe(true); // it is still there
    await button(training(), 'Save').click();
    await says(training(), 'Saved in this browser');
    let asked = false;
    demo.page.on('dialog', async (dialog) => {
      asked = true;
      await dialog.accept();
    });
    await demo.page.goto('about:blank');
    await demo.open('training');
    await says(training(), 'A run is saved in this browser');
    expect(asked).toBe(false);
  });
});
