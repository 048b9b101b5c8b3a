import { beforeEach, describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import { button, eventually, focusedAfterFrames, pixels, says, tensorCounts, useDemo } from './demo-page';

describe.skipIf(chromiumPath === undefined)('training in the demo', () => {
  const demo = useDemo();
  const training = () => demo.panel('training');
  /** Opens the page, and waits until the panel has done its first work: a click before that may be lost. */
  async function open(address = demo.address) {
    await demo.page.goto(address);
    await demo.see('training');
    await eventually(() => button(training(), 'Train').isEnabled()).toBe(true);
  }
  const tfjsRequests = () => demo.seen.requests.filter((url) => /tfjs|backend-/.test(url));

  it.each(['PixelCNN', 'Gated PixelCNN'])(
    'trains %s, saves it, and goes on after a reload',
    async (network) => {
      const legend = () => training().locator('.u-legend').textContent();
      const stepOf = async () =>
        Number((await training().locator('.report').textContent())?.match(/step (\d+)/)?.[1]);
      await open();
      expect(await button(training(), 'Load').isDisabled()).toBe(true);
      expect(tfjsRequests()).toEqual([]);
      await training().getByLabel(network, { exact: true }).check();
      await button(training(), 'Train').click();
      await training().getByText('step 50', { exact: true }).waitFor();
      expect(await button(training(), 'Save').isDisabled()).toBe(true);
      await button(training(), 'Stop').press('Enter');
      await says(training(), /Stopped: .* Not saved/);
      expect(await focusedAfterFrames(demo.page)).toBe('Continue');
      const label = await training()
        .getByRole('img', { name: /^Loss curve/ })
        .getAttribute('aria-label');
      expect(Number(label?.match(/([\d.]+) bits/)?.[1])).toBeLessThan(Math.log2(17) - 0.5);
      const stopped = await stepOf();
      expect(await legend()).toMatch(
        new RegExp(`^step${stopped}training images, smoothed\\d\\.\\d{3}test images\\d\\.\\d{3}$`),
      );
      const swatches = () =>
        training()
          .locator('.u-marker')
          .evaluateAll((all) => all.map((swatch) => getComputedStyle(swatch).borderTopColor));
      const light = await swatches();
      await demo.page.emulateMedia({ colorScheme: 'dark' });
      expect((await swatches()).slice(1)).not.toEqual(light.slice(1));
      await button(training(), 'Save').click();
      await says(training(), `Saved in this browser: step ${stopped}`);
      const drawn = await pixels(training().locator('.latest canvas'));
      await button(training(), 'Draw others').click();
      await says(training(), 'Drew 16 others');
      expect(await pixels(training().locator('.latest canvas'))).not.toBe(drawn);

      const loaded = tfjsRequests().length;
      expect(loaded).toBeGreaterThan(0);
      await open();
      await says(training(), `A model is saved in this browser: step ${stopped}`);
      expect(tfjsRequests().length).toBe(loaded); // to see what is kept takes no tfjs
      await button(training(), 'Load').click();
      await says(training(), `Loaded: step ${stopped}`);
      expect(await training().getByLabel(network, { exact: true }).isChecked()).toBe(true);
      const counts = await tensorCounts(demo.page);
      await button(training(), 'Continue').click();
      await eventually(stepOf).toBeGreaterThan(stopped + 20);
      await button(training(), 'Stop').click();
      await says(training(), 'Stopped');
      const after = await tensorCounts(demo.page);
      expect(after.at(-1)).toBe(counts.at(-1));
      const stoppedAgain = await stepOf();
      const answer = async (isYes: boolean) => {
        const asked = demo.page.waitForEvent('dialog').then(async (dialog) => {
          await (isYes ? dialog.accept() : dialog.dismiss());
          return dialog.message();
        });
        await button(training(), 'Start over').click();
        return asked;
      };
      expect(await answer(false)).toBe(`The model at step ${stoppedAgain} is not saved. Go on without it?`);
      expect(await button(training(), 'Continue').isEnabled()).toBe(true);
      await answer(true);
      await eventually(() => button(training(), 'Train').isEnabled()).toBe(true);
      expect(await focusedAfterFrames(demo.page)).toBe('Load'); // beside it
      expect((await tensorCounts(demo.page)).at(-1)).toBe(0);
      demo.expectClean();
    },
  );

  describe('on a machine of four cores', () => {
    const report = () => training().locator('.report').textContent();
    const trainWorkers = () => demo.seen.requests.filter((url) => url.includes('/train-worker-'));
    beforeEach(() =>
      demo.page.addInitScript(() => Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 })),
    );

    it.each([
      ['', () => demo.address],
      [' where memory may be shared', () => `${demo.origin}/isolated/`],
    ])('trains on all of them, says so, stops and goes on%s', async (_, address) => {
      await open(address());
      expect(trainWorkers()).toEqual([]);
      for (const name of ['Train', 'Continue']) {
        await button(training(), name).click();
        await eventually(report).toMatch(/^Training on 4 cores: step \d+, \d/);
        await button(training(), 'Stop').click();
        await says(training(), 'Stopped');
      }
      expect(trainWorkers().length).toBeGreaterThan(0);
      const counts = await tensorCounts(demo.page);
      expect(counts[1]).toBe(counts[0]);
      demo.expectClean();
    });

    it.each([
      ['a worker has no workers', 'delete globalThis.Worker;'],
      [
        'their file cannot be loaded',
        'globalThis.Worker = class extends Worker { constructor(_, options) { super(origin + "/missing.js", options); } };',
      ],
    ])('trains on one where %s', async (_, code) => {
      await demo.page.addInitScript((code) => {
        globalThis.Worker = class extends Worker {
          constructor(url: string | URL, options?: WorkerOptions) {
            const script = `import '${new URL(url, location.href)}'; ${code}`;
            super(URL.createObjectURL(new Blob([script], { type: 'text/javascript' })), options);
          }
        };
      }, code);
      await open();
      await button(training(), 'Train').click();
      await eventually(report).toMatch(/^Training: step \d{3}, \d/);
      expect(await training().getByRole('alert').isVisible()).toBe(false);
      expect(trainWorkers()).toEqual([]);
    });

    it('trains where a backend was chosen that its workers do not have', async () => {
      await open();
      await training().getByLabel('Backend').selectOption('cpu');
      await button(training(), 'Train').click();
      await eventually(report).toMatch(/^Training: step \d+, \d/);
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
    await training()
      .getByText(/step \d+,/)
      .waitFor();
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
    await demo.open('training');
    await says(training(), 'A model is saved in this browser');
    expect(asked).toBe(false);
  });

  it('says that its curve is smoothed, and over how much', async () => {
    await demo.open('training');
    await training().getByText('training images, smoothed').waitFor();
    expect(await training().getByText('a running average over about the last 50 steps').isVisible()).toBe(
      true,
    );
  });
});
