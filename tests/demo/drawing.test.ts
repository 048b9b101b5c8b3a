import fc from 'fast-check';
import { logProb, sample, stepper } from 'pixelcnn-layers/runtime';
import { describe, expect, it } from 'vitest';
import { levelAt } from '../../demo/parts/die-strip.mjs';
import { levelsOfText, textOfLevels } from '../../demo/parts/levels-text.mjs';
import { percent, shadeName } from '../../demo/parts/odds.mjs';
import { shippedModel } from '../support/models/shipped';
import { runs } from '../support/runs';
import { button, copied, downloadOf, eventually, focusedAfterFrames, pixels, says, stopClock, useDemo } from './open-page';

describe('levels as text', () => {
  it('is read as it was written, and is short where levels repeat', () => {
    const limits = { levels: 17, size: 200 };
    const repeated = fc.array(fc.tuple(fc.nat(16), fc.integer({ min: 1, max: 60 })), { maxLength: 12 });
    fc.assert(
      fc.property(repeated, (all) => {
        const values = all.flatMap(([level, length]) => Array<number>(length).fill(level)).slice(0, 200);
        expect(levelsOfText(textOfLevels(values), limits)).toEqual(values);
      }),
      runs({ numRuns: 100, seed: 1 }),
    );
    expect(textOfLevels(Array<number>(64).fill(0))).toBe('0Z0Z0F');
    expect(textOfLevels([1, 1, 16, 16, 16])).toBe('11gA');
  });

  it.each(['A0', '0AA', 'z', '0-1', '0Z0Z0Z', '<b>', '0'.repeat(65)])('is none where it is %s', (text) => {
    expect(levelsOfText(text, { levels: 17, size: 64 })).toBe(null);
  });
});

it('the die falls on each level as often as it is likely', () => {
  const chances = [0.5, 0, 0.25, 0.25];
  expect([0, 0.49, 0.5, 0.74, 0.75, 0.999].map((share) => levelAt(chances, share))).toEqual([0, 0, 2, 2, 3, 3]);
  expect(levelAt([0.4, 0.3], 0.8)).toBe(0); // what rounding left over
});

it('a chance is in words', () => {
  expect([0.0001, 0.031, 0.62, 0.999, 1].map(percent)).toEqual(['under 0.1%', '3.1%', '62%', 'over 99%', '100%']);
});

describe('drawing by hand in the demo', () => {
  const demo = useDemo();
  const drawing = () => demo.panel('drawing');
  const bars = () => drawing().locator('.next-bar');
  const picture = () => drawing().getByRole('img');
  const labels = () => bars().evaluateAll((all) => all.map((bar) => bar.getAttribute('aria-label')));
  const drawn = async () => Number((await picture().getAttribute('aria-label'))?.match(/(\d+) of (?:64|784) pixels are drawn/)?.[1]);
  const open = async (hash = '#drawing?model=digits-conditional') => {
    await demo.page.goto(`${demo.address}${hash}`);
    await drawing().locator('.likeliest').waitFor();
  };
  /** Lets the page's clock go, a row or a die at a time, until so many pixels are drawn. */
  const runTo = (pixels: number) =>
    eventually(async () => {
      await demo.page.clock.runFor(80);
      return drawn();
    }).toBeGreaterThanOrEqual(pixels);

  it('begins at a pixel that could be many a shade, with the chances that the library gives', async () => {
    await open();
    const digits = await shippedModel('digits-conditional');
    const { data } = await sample(digits, { numImages: 1, seed: 4, condition: [3] });
    const steps = stepper(digits, { condition: 3 });
    let chances: number[] = [];
    const entropy = () => chances.reduce((sum, p) => (p > 0 ? sum - p * Math.log2(p) : sum), 0);
    let given = 0;
    for (; given <= 64; given++) {
      chances = Array.from(steps.logProbs(), Math.exp);
      if (given >= 16 && entropy() >= 1.5) break;
      steps.put([data[given] as number]);
    }
    steps.dispose();
    expect(await drawn()).toBe(given);
    expect(await labels()).toEqual(chances.map((chance, level) => `${shadeName(level, { levels: 17 })}, ${percent(chance)}`));
    expect(await bars().locator('.next-chance:visible').allTextContents()).toEqual([percent(Math.max(...chances))]);
  });

  it('takes a shade by pointer or by keyboard, and takes it back', async () => {
    await open();
    const [before, chances, begun] = [await pixels(picture()), await labels(), await drawn()];
    await bars().nth(9).click();
    await eventually(drawn).toBe(begun + 1);
    expect(await pixels(picture())).not.toBe(before);
    expect(await labels()).not.toEqual(chances);
    await button(drawing(), 'Undo').click();
    expect(await drawn()).toBe(begun);
    expect(await pixels(picture())).toBe(before);
    expect(await labels()).toEqual(chances);

    await drawing().getByLabel('Digit', { exact: true }).focus();
    await demo.page.keyboard.press('Tab');
    const focused = () => bars().evaluateAll((all) => all.findIndex((bar) => bar.matches(':focus')));
    expect(await focused()).toBe(await bars().evaluateAll((all) => all.findIndex((bar) => bar.matches('.likeliest'))));
    for (const key of ['Home', 'ArrowRight', 'ArrowUp', 'ArrowLeft']) await demo.page.keyboard.press(key);
    expect(await focused()).toBe(1);
    await demo.page.keyboard.press('End');
    expect(await focused()).toBe(16);
    await demo.page.keyboard.press('Enter');
    await eventually(drawn).toBe(begun + 1);
    expect(await focused()).toBe(16);
    await demo.page.keyboard.press('Space');
    await eventually(drawn).toBe(begun + 2);
    for (let left = begun + 2; left > 0; left--) await button(drawing(), 'Undo').press('Enter');
    expect(await drawn()).toBe(0);
    await drawing().getByText('Nothing is drawn yet').waitFor();
    expect(await button(drawing(), 'Undo').isDisabled()).toBe(true);
  });

  it('rolls a die that falls by the chances, and shows where', async () => {
    await open();
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    await demo.page.evaluate(() => {
      Math.random = () => 0.9999;
    });
    const begun = await drawn();
    const chances = await labels();
    await stopClock(demo.page);
    await button(drawing(), 'Roll the die').click();
    await drawing().locator('.next-bar.hit').waitFor();
    const hit = await bars().evaluateAll((all) => all.findIndex((bar) => bar.matches('.hit')));
    expect(hit).toBeGreaterThan(10);
    const needle = drawing().locator('.die-needle');
    expect(await needle.evaluate(({ style }) => style.left)).toBe('99.99%');
    await demo.page.clock.runFor(450);
    await eventually(drawn).toBe(begun + 1);
    await says(drawing(), `The die fell on ${chances[hit]?.replace(', ', ', which had ')}.`);
  });

  it('runs by itself, can be paused, and says how likely the picture is; its link shows it again', async () => {
    await open();
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    const begun = await drawn();
    await stopClock(demo.page);
    await button(drawing(), 'Let it run').click();
    await runTo(begun + 3);
    const paused = (await drawn()) + 1; // one die more has fallen
    await button(drawing(), 'Pause').click();
    await demo.page.clock.runFor(80);
    await eventually(() => button(drawing(), 'Roll the die').isEnabled()).toBe(true);
    await demo.page.clock.runFor(1000);
    expect(await drawn()).toBe(paused);
    await demo.page.clock.resume();
    await button(drawing(), 'Let it run').press('Enter');
    const title = drawing().getByRole('heading', { name: 'A picture nobody has drawn before' });
    await title.waitFor();
    await eventually(() => title.evaluate((heading) => heading === document.activeElement)).toBe(true);
    expect(await bars().first().isVisible()).toBe(false);

    await button(drawing(), 'Share').click();
    await drawing().getByText('The link is copied.').waitFor();
    const link = await copied(demo.page);
    expect(link).toBe(demo.page.url());
    const query = new URLSearchParams(new URL(link).hash.split('?')[1]);
    expect([query.get('model'), query.get('class')]).toEqual(['digits-conditional', '3']);
    const values = levelsOfText(query.get('values') ?? '', { levels: 17, size: 64 }) ?? [];
    const images = { data: Uint8Array.from(values), shape: [1, 8, 8, 1] };
    const [nats = 0] = await logProb(await shippedModel('digits-conditional'), images, { condition: 3 });
    const bits = -nats / Math.LN2;
    const words = `This picture takes ${bits.toFixed(1)} bits to store.`;
    expect(await drawing().textContent()).toContain(words);

    const shown = await pixels(picture());
    await demo.page.goto('about:blank');
    await demo.page.goto(link);
    await drawing().getByRole('heading', { name: 'A picture drawn here' }).waitFor();
    expect(await pixels(picture())).toBe(shown);
    expect(await drawing().textContent()).toContain(words);
  });

  it('gives a film of a picture that grows', async () => {
    await open('#drawing?model=digits-conditional&values=0Z0Z0C&class=1');
    for (let pixel = 61; pixel < 64; pixel++) {
      await bars().first().click();
      await eventually(drawn).toBe(pixel + 1);
    }
    const { name, bytes } = await downloadOf(demo.page, () => button(drawing(), 'Download a GIF').click());
    expect(name).toBe('digits-conditional.gif');
    await drawing().getByText('The film is in your downloads.').waitFor();
    expect(bytes.toString('latin1', 0, 6)).toBe('GIF89a');
    expect([bytes.readUInt16LE(6), bytes.readUInt16LE(8)]).toEqual([320, 320]);
    expect(bytes.toString('latin1')).toContain('NETSCAPE2.0'); // it begins again
    // Its pictures, as the browser shows them: the first has one pixel of 64, the last all.
    const isDrawn = await demo.page.evaluate(
      async (data) => {
        // biome-ignore lint/suspicious/noExplicitAny: TypeScript does not know it
        const decoder = new (globalThis as any).ImageDecoder({ data: Uint8Array.from(data), type: 'image/gif' });
        await decoder.tracks.ready;
        const count = decoder.tracks.selectedTrack.frameCount;
        const drawnIn = async (frameIndex: number) => {
          const { image } = await decoder.decode({ frameIndex });
          const canvas = new OffscreenCanvas(8, 8);
          const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
          context.imageSmoothingEnabled = false;
          context.drawImage(image, 0, 0, 8, 8);
          const { data } = context.getImageData(0, 0, 8, 8);
          return Array.from({ length: 64 }, (_, i) => data[4 * i + 2]).filter((blue) => blue === 255).length; // paper
        };
        return [count, await drawnIn(0), await drawnIn(count - 1)];
      },
      [...bytes],
    );
    expect(isDrawn).toEqual([60, 1, 64]);
  });

  it('has bars on a phone that a finger hits, with the chance of each', async () => {
    await demo.page.setViewportSize({ width: 390, height: 844 });
    await open('#drawing?model=clothes&class=0&values=0Z0Z0Z0Z0Z0Z0Z0Z0Z');
    const boxes = await bars().evaluateAll((all) => all.map((bar) => bar.getBoundingClientRect().toJSON()));
    expect(boxes).toHaveLength(16);
    for (const { left, right, width, height } of boxes) {
      expect(Math.min(width, height)).toBeGreaterThan(36);
      expect(left).toBeGreaterThanOrEqual(0);
      expect(right).toBeLessThanOrEqual(390);
    }
    const chances = (await labels()).map((label) => label?.split(', ')[1]);
    expect(await bars().locator('.next-chance:visible').allTextContents()).toEqual(chances.filter((chance) => chance !== 'under 0.1%'));
    expect(await demo.page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  });

  it('gives the link to copy by hand where the browser does not let the page copy', async () => {
    await demo.page.addInitScript(() =>
      Object.defineProperty(navigator, 'clipboard', { value: { writeText: () => Promise.reject(new Error()) } }),
    );
    await demo.page.goto(`${demo.address}#drawing?model=digits-conditional&values=0Z0Z0F`);
    await button(drawing(), 'Share').click();
    const link = drawing().getByLabel('Copy this link');
    await link.waitFor();
    expect(await link.inputValue()).toBe(demo.page.url());
    expect(await link.evaluate((input: HTMLInputElement) => input.selectionEnd)).toBe(demo.page.url().length);
    await button(drawing(), 'Undo').click();
    expect(await link.isVisible()).toBe(false);
  });

  it('draws clothes too, which run row by row', async () => {
    await demo.page.setViewportSize({ width: 1280, height: 400 }); // the next panel, which draws clothes, is far
    await open();
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    expect(demo.seen.requests.filter((url) => /clothes-.*pixelcnn/.test(url))).toEqual([]);
    await drawing().getByLabel('Draw', { exact: true }).selectOption('Clothes');
    await eventually(() => bars().count()).toBe(16);
    await drawing().getByLabel('Kind').selectOption('trousers');
    await eventually(() => button(drawing(), 'Let it run').isEnabled()).toBe(true);
    const begun = await drawn();
    expect(begun).toBeGreaterThanOrEqual(8 * 28);
    await bars().nth(0).click();
    await eventually(drawn).toBe(begun + 1);
    await stopClock(demo.page);
    await button(drawing(), 'Let it run').press('Enter');
    await runTo(begun + 28);
    await button(drawing(), 'Pause').press('Enter');
    await demo.page.clock.resume();
    await eventually(() => button(drawing(), 'Let it run').isEnabled()).toBe(true);
    expect(await focusedAfterFrames(demo.page)).toBe('Let it run');
    const paused = await drawn();
    expect(paused % 28).toBe(0);
    expect(paused).toBeLessThan(784);
    await button(drawing(), 'Let it run').click();
    await drawing().getByText('This picture takes').waitFor();
    await button(drawing(), 'Start again').click();
    await eventually(drawn).toBeLessThan(784);
  });

  it('says what is wrong with an address, and goes on without', async () => {
    const wrong = {
      'model=digits-conditional&values=012%3Cb%3E': 'values (wanted at most 64 pixels of 17 shades, got “012<b>”)',
      'model=cats&class=ten': 'model (wanted digits-28 or characters or clothes, got “cats”); class (wanted 0 to 9, got “ten”)',
    };
    await open();
    for (const [query, words] of Object.entries(wrong)) {
      await demo.page.evaluate((query) => location.assign(`#drawing?${query}`), query);
      await eventually(() => drawing().getByRole('alert').textContent()).toBe(`Ignored in the address: ${words}.`);
      const begun = await drawn();
      await bars().first().click();
      await eventually(drawn).toBe(begun + 1);
    }
  });

  it('opens a link instead of going on with what runs', async () => {
    await open('#drawing?model=clothes&values=0Z0Z');
    await demo.page.emulateMedia({ reducedMotion: 'no-preference' });
    await stopClock(demo.page);
    await button(drawing(), 'Let it run').click();
    await runTo(84);
    await demo.page.evaluate(() => {
      location.hash = '#drawing?model=digits-conditional&values=0gA&class=7';
    });
    await demo.page.clock.resume();
    await eventually(() => picture().getAttribute('aria-label')).toContain('4 of 64');
    expect(await drawing().getByLabel('Draw', { exact: true }).inputValue()).toBe('digits-conditional');
    expect(await drawing().getByLabel('Digit', { exact: true }).inputValue()).toBe('7');
    expect(await drawing().getByRole('alert').isVisible()).toBe(false);
  });
});
