import { PNG } from 'pngjs';
import { beforeEach, describe, expect, it } from 'vitest';
import { colourOf } from '../../examples/lib/look.mjs';
import { nearestLevel } from '../../examples/lib/palette.mjs';
import { chromiumPath } from '../support/chromium.mjs';
import { button, eventually, recordJobs, sentJobs, useDemo } from './demo-page';

// No model that comes with the page has a palette yet: here the digits get one, of 17 colours of which none is grey.

const levels = 17;
const palette = Uint8Array.from({ length: 3 * levels }, (_, i) =>
  i % 3 === 0 ? 15 * Math.floor(i / 3) : i % 3 === 1 ? 200 : 250 - 11 * Math.floor(i / 3),
);
const colour = colourOf({ channels: 1, levels, palette });
const colours = Array.from({ length: levels }, (_, level) => `rgb(${colour([level], 0).join(', ')})`);

describe.skipIf(chromiumPath === undefined)('a model with a palette in the demo', () => {
  const demo = useDemo();
  /** The colours of a canvas that cover the most of it, but for what is transparent: as many as there may be levels. */
  const coloursIn = async (panel: string, name: string | RegExp) => {
    const canvas = demo.panel(panel).getByRole(panel === 'likelihood' ? 'application' : 'img', { name });
    const found = await canvas.evaluate((element: HTMLElement) => {
      const picture = element instanceof HTMLCanvasElement ? element : element.querySelector('canvas');
      const { width = 1, height = 1 } = picture ?? {};
      const { data } = picture?.getContext('2d')?.getImageData(0, 0, width, height) ?? { data: [] };
      const counts: Record<string, number> = {};
      for (let i = 0; i < data.length; i += 4) {
        const name = `rgb(${data[i]}, ${data[i + 1]}, ${data[i + 2]})`;
        if (data[i + 3] === 255) counts[name] = (counts[name] ?? 0) + 1;
      }
      return counts;
    });
    return Object.keys(found);
  };

  beforeEach(async () => {
    await demo.page.addInitScript(recordJobs);
    await demo.page.route('**/*.js', async (route) => {
      const response = await route.fetch();
      const entry = `levels:${levels},numClasses:10`;
      const body = (await response.text()).replaceAll(entry, `palette:Uint8Array.of(${palette}),${entry}`);
      await route.fulfill({ response, body });
    });
  });

  it('draws samples in its colours', async () => {
    await demo.page.goto(`${demo.address}#sampling?model=digits-conditional&seed=1&rows=2`);
    await eventually(() => demo.panel('sampling').getByRole('img').getAttribute('aria-label')).toMatch(
      /^20 pic/,
    );
    const found = await coloursIn('sampling', /pictures by/);
    expect(found.length).toBeGreaterThan(12);
    expect(colours).toEqual(expect.arrayContaining(found));
  });

  it('shows them pixel by pixel, on the bars, and on the die', async () => {
    await demo.page.goto(`${demo.address}#drawing?model=digits-conditional`);
    const panel = demo.panel('drawing');
    await panel.locator('.likeliest').waitFor();
    const shades = panel.locator('.next-shade');
    expect(await shades.evaluateAll((all) => all.map((one) => one.style.background))).toEqual(colours);
    const stops = await panel.locator('.die-shades').evaluate((strip) => strip.style.background.match(/rgb\([^)]*\)/g)); // biome-ignore format: one line
    expect([...new Set(stops)]).toEqual(colours);
    expect(await panel.locator('.next-bar').nth(3).getAttribute('aria-label')).toMatch(
      /^colour 3 of 16 \(45, 200, 217\), /,
    );
    await panel.locator('.next-bar').nth(3).click();
    await eventually(() => coloursIn('drawing', /^The picture/)).toContain(colours[3]);
  });

  it('paints with the nearest of them, and shows what it expected in them', async () => {
    await demo.open('likelihood', 'model=digits-conditional&image=1');
    const panel = demo.panel('likelihood');
    await eventually(() => panel.locator('.headline').textContent()).toMatch('bits for 64 values');
    const stops = await panel.locator('.level-shades').evaluate((strip) => strip.style.background.match(/rgb\([^)]*\)/g)); // biome-ignore format: one line
    expect([...new Set(stops)]).toEqual(colours);
    const swatches = await panel.locator('.tools .swatch').evaluateAll((all) => all.map((one) => one.style.background)); // biome-ignore format: one line
    expect(swatches.length).toBeGreaterThan(2);
    expect(new Set(swatches).size).toBe(swatches.length);
    expect(colours).toEqual(expect.arrayContaining(swatches));
    await button(panel, 'Blank').click();
    const editor = panel.getByRole('application', { name: 'Image to measure' });
    await editor.focus();
    await eventually(() => panel.locator('.editor .readout').textContent()).toContain(
      `level ${nearestLevel(palette, [255, 255, 255])} of`,
    );

    const png = new PNG({ width: 8, height: 8 });
    for (let i = 0; i < 64; i++) png.data.set([10, 190, 240, 255], 4 * i);
    const file = { name: 'blue.png', mimeType: 'image/png', buffer: PNG.sync.write(png) };
    await panel.getByLabel('Load an image').setInputFiles(file);
    await panel.getByText('your image, in 8 by 8').waitFor();
    const nearest = nearestLevel(palette, [10, 190, 240]);
    await eventually(() => panel.locator('.editor .readout').textContent()).toContain(`level ${nearest} of`);
    expect(await coloursIn('likelihood', 'Image to measure')).toContain(colours[nearest]);
    expect(await panel.getByRole('button', { name: 'Invert' }).isVisible()).toBe(false); // it is no ink on paper
  });

  it('compresses images that it shows in them, beside PNGs of them, and completes such', async () => {
    await demo.open('compressing', 'model=digits-conditional&image=1');
    const panel = demo.panel('compressing');
    await eventually(() => panel.locator('.bar').last().textContent()).toMatch(/^raw, 5 bits a value40$/);
    expect(colours).toEqual(expect.arrayContaining(await coloursIn('compressing', 'Image to compress')));
    const [job] = (await sentJobs(demo.page)).filter(({ kind }) => kind === 'png');
    expect(Object.values(job?.['palette'] as object)).toEqual([...palette]);

    await demo.open('completing', 'model=digits-conditional&image=1&seed=1');
    await demo.panel('completing').getByText('Six ways').waitFor();
    await demo.panel('completing').getByLabel('Outline what was drawn').uncheck();
    expect(colours).toEqual(expect.arrayContaining(await coloursIn('completing', /completions, seed/)));
  });
});
