import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { logProb, sample } from 'pixelcnn-layers';
import { beforeEach, describe, expect, it } from 'vitest';
import { useBackend } from '../../examples/lib/backend.mjs';
import { readDigits } from '../../examples/lib/digits.mjs';
import { loadImageModel } from '../../examples/lib/saved-model.mjs';
import { chromiumPath } from '../support/chromium.mjs';
import { serveEdited } from '../support/pages';
import {
  button,
  EXAMPLE,
  eventually,
  focusedAfterFrames,
  pixels,
  says,
  tensorCounts,
  useDemo,
} from './demo-page';

const MODELS = fileURLToPath(new URL('../../examples/models', import.meta.url));

describe.skipIf(chromiumPath === undefined)('the demo', () => {
  const demo = useDemo();

  it('is small, but for tfjs, the library and data', async () => {
    const own = /^(?!tfjs|backend-|pixelcnn-layers|loss-chart|_virtual_emoji|rolldown-runtime).*\.js$/;
    const files = (await readdir(join(demo.built, 'assets'))).filter((name) => own.test(name));
    const sizes = await Promise.all(
      files.map(async (name) => (await stat(join(demo.built, 'assets', name))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(66_000);
  });

  it('says of its models what their cards say', async () => {
    const { MODELS: catalogue } = await import(/* @vite-ignore */ `${EXAMPLE}/catalogue.mjs`);
    for (const [name, { note, testBits }] of Object.entries<{ note: string; testBits: number | null }>(
      catalogue,
    )) {
      const card = await readFile(join(MODELS, name, 'README.md'), 'utf8');
      expect(note).toContain(/([\d,]+)\s+parameters/.exec(card)?.[1]);
      if (testBits !== null) expect(card).toContain(`${testBits.toFixed(3)} bits/dim on the`);
    }
  });

  it('has the pictures and figures that the library gives in Node', async () => {
    await demo.page.goto(demo.address);
    await demo.panel('sampling').scrollIntoViewIfNeeded();
    await says(demo.panel('sampling'), 'Drew 16');
    await demo.panel('likelihood').scrollIntoViewIfNeeded();
    await demo.panel('likelihood').getByText('bits for 64 values').waitFor();
    const drawn = await demo.page.evaluate(() => {
      const { answers } = globalThis as unknown as {
        answers: { result?: { passSeconds?: number; levels: Int32Array } }[];
      };
      return [...(answers.find(({ result }) => result?.passSeconds != null)?.result?.levels ?? [])];
    });
    const [bits] =
      (await demo.panel('likelihood').locator('.headline').textContent())?.match(/\d\.\d\d/) ?? [];

    await useBackend('cpu');
    const { model } = await loadImageModel(join(MODELS, 'digits'));
    expect(drawn).toEqual([...(await (await sample(model, { numImages: 16, seed: 1 })).data())]);
    const first = tf.tensor4d((await readDigits('test')).images.subarray(0, 64), [1, 8, 8, 1], 'int32');
    const [nats = 0] = await (await logProb(model, first)).data();
    expect(bits).toBe((-nats / (64 * Math.LN2)).toFixed(2));
  });

  it('draws ten digits as it opens, loading no more than that needs', async () => {
    const start = performance.now();
    await demo.page.goto(demo.address);
    await says(demo.panel('hero'), 'Drawn just now');
    console.log(`the demo: first digits after ${((performance.now() - start) / 1000).toFixed(2)} s`);
    demo.expectClean();
    expect(demo.seen.requests.filter((url) => /backend-(cpu|webg)|loss-chart|emoji-test/.test(url))).toEqual(
      [],
    );
    const before = await pixels(demo.panel('hero').locator('canvas'));
    await button(demo.panel('hero'), 'Draw ten others').click();
    await eventually(() => pixels(demo.panel('hero').locator('canvas'))).not.toBe(before);
  });

  describe('an address with a panel', () => {
    /** Where the panel stands, once the one about masks has come and nothing moves any more. */
    async function top(id: string) {
      await demo.panel('masks').locator('.mask-figures').waitFor();
      return demo.panel(id).evaluate(async (panel) => {
        let [before, now] = [Number.NaN, panel.getBoundingClientRect().top];
        while (before !== now) {
          await new Promise((resolve) => setTimeout(resolve, 200));
          [before, now] = [now, panel.getBoundingClientRect().top];
        }
        return now;
      });
    }
    /** Up to what is left above a place that is scrolled to. */
    const isAtTop = (top: number) => top >= 0 && top < 30;

    beforeEach(() =>
      demo.page.route('**/mask-explorer-*.js', async (route) => {
        await new Promise((resolve) => setTimeout(resolve, 500));
        await route.continue();
      }),
    );

    it('leads there, also after a reload', async () => {
      await demo.page.goto(`${demo.address}#completing`);
      await eventually(() => top('completing')).toSatisfy(isAtTop);
      await demo.page.reload();
      await eventually(() => top('completing')).toSatisfy(isAtTop);
    });

    it('leads there by a click that is early', async () => {
      await demo.page.emulateMedia({ reducedMotion: 'no-preference' }); // it scrolls there smoothly
      await demo.page.goto(demo.address);
      await demo.page.getByRole('link', { name: 'Complete an image' }).click();
      await eventually(() => top('completing')).toSatisfy(isAtTop);
    });

    it('holds nobody who goes on', async () => {
      await demo.page.goto(`${demo.address}#completing`, { waitUntil: 'commit' });
      await demo.page.locator('.hero-figure').waitFor(); // the page's own code has begun
      await demo.page.mouse.wheel(0, 400);
      expect(await top('completing')).toBeLessThan(0);
    });
  });

  it('runs where the page may share memory, and tfjs would start threads', async () => {
    await demo.page.goto(`${demo.origin}/isolated/`);
    await says(demo.panel('hero'), 'Drawn just now');
    expect(await demo.page.evaluate(() => crossOriginIsolated)).toBe(true);
    demo.expectClean();
  });

  it('fits a phone, names every control, and has each id once', async () => {
    await demo.page.setViewportSize({ width: 360, height: 740 });
    await demo.page.goto(demo.address);
    for (const id of ['masks', 'sampling', 'completing', 'likelihood', 'training']) {
      await demo.panel(id).scrollIntoViewIfNeeded();
    }
    await says(demo.panel('completing'), 'Six ways');
    await demo.panel('likelihood').getByText('bits per dimension').first().waitFor();
    await demo.panel('training').locator('.uplot').waitFor();
    expect(await demo.page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    const found = await demo.page.evaluate(() => {
      const all = [...document.querySelectorAll<HTMLElement>('*')];
      const ids = all.map(({ id }) => id).filter((id) => id !== '');
      const textOf = (ids: string | null) =>
        (ids ?? '')
          .split(' ')
          .map((id) => document.getElementById(id)?.textContent ?? '')
          .join('');
      const nameOf = (element: HTMLElement) =>
        element.getAttribute('aria-label') ||
        textOf(element.getAttribute('aria-labelledby')) ||
        [...((element as HTMLInputElement).labels ?? [])].map(({ textContent }) => textContent).join('') ||
        element.textContent;
      const controls =
        'a, button, input, select, progress, canvas:not([aria-hidden]), [tabindex], [role=application]';
      return {
        twice: ids.filter((id, i) => ids.indexOf(id) !== i),
        unnamed: [...document.querySelectorAll<HTMLElement>(controls)]
          .filter((element) => element.closest('[aria-hidden=true], .u-over, .u-wrap') === null)
          .filter((element) => !nameOf(element)?.trim())
          .map(({ outerHTML }) => outerHTML),
        missing: all
          .flatMap((element) =>
            ['aria-labelledby', 'aria-describedby'].map((name) => element.getAttribute(name)),
          )
          .flatMap((ids) => ids?.split(' ') ?? [])
          .filter((id) => document.getElementById(id) === null),
        headings: [...document.querySelectorAll('h1, h2')].map(({ tagName }) => tagName),
      };
    });
    expect(found).toEqual({
      twice: [],
      unnamed: [],
      missing: [],
      headings: ['H1', 'H2', 'H2', 'H2', 'H2', 'H2'],
    });
    demo.expectClean();
  });

  it.each(['PixelCNN', 'Gated PixelCNN'])(
    'trains %s, saves it, and goes on after a reload',
    async (network) => {
      const training = () => demo.panel('training');
      const open = async () => {
        await demo.page.goto(demo.address);
        await training().scrollIntoViewIfNeeded();
        await eventually(() => button(training(), 'Train').isEnabled()).toBe(true);
      };
      const legend = () => training().locator('.u-legend').textContent();
      const stepOf = async () =>
        Number((await training().locator('.report').textContent())?.match(/step (\d+)/)?.[1]);
      await open();
      expect(await button(training(), 'Load').isDisabled()).toBe(true);
      await training().getByLabel(network, { exact: true }).check();
      await button(training(), 'Train').click();
      await training().getByText('step 50', { exact: true }).waitFor({ timeout: 20_000 });
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
        new RegExp(`^step${stopped}training images\\d\\.\\d{3}test images\\d\\.\\d{3}$`),
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

      await open();
      await says(training(), `A model is saved in this browser: step ${stopped}`);
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
        await button(training(), 'Start anew').click();
        return asked;
      };
      expect(await answer(false)).toBe(`The model at step ${stoppedAgain} is not saved. Go on without it?`);
      expect(await button(training(), 'Continue').isEnabled()).toBe(true);
      await answer(true);
      expect(await focusedAfterFrames(demo.page)).toBe('Load'); // beside it
      await eventually(() => button(training(), 'Train').isEnabled()).toBe(true);
      expect((await tensorCounts(demo.page)).at(-1)).toBe(0);
      demo.expectClean();
    },
  );

  it('runs while it is edited', async () => {
    const vite = await serveEdited(EXAMPLE, join(demo.folder, 'cache'));
    try {
      await demo.page.goto(vite.href);
      await says(demo.panel('hero'), 'Drawn just now');
      await demo.panel('likelihood').scrollIntoViewIfNeeded();
      await demo.panel('likelihood').getByText('bits per dimension').first().waitFor();
      await demo.panel('training').scrollIntoViewIfNeeded();
      await demo.panel('training').locator('.uplot').waitFor();
      expect(demo.seen.complaints).toEqual([]);
    } finally {
      await vite.close();
    }
  });
});
