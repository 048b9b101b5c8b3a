import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Response } from 'playwright';
import { beforeEach, describe, expect, it } from 'vitest';
import { serveEdited } from '../support/browsers/pages';
import { shippedModel } from '../support/models/shipped';
import { temporaryFolder } from '../support/node/temporary-folder';
import { button, DEMO, eventually, FIRST_WORK, frames, noteFirstPicture, pixels, stopClock, useDemo } from './open-page';

/** Panels that are there without a click. */
const UNFOLDED = ['wall', 'drawing', 'masks', 'inside', 'likelihood', 'completing', 'maps', 'training', 'magnet', 'more'] as const;

describe('the demo', () => {
  const demo = useDemo({ isWhole: true });

  it('is small, but for tfjs, the library, its conformance list and data', async () => {
    const own =
      /^(?!tfjs|backend-|pixelcnn-layers|loss-chart|gifenc|oxipng|worker-(?!client)|train-worker-|rolldown-runtime|conformance).*\.js$/;
    const files = (await readdir(join(demo.built, 'assets'))).filter((name) => own.test(name));
    const sizes = await Promise.all(files.map(async (name) => (await stat(join(demo.built, 'assets', name))).size));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(130_250);
  });

  it('says of its models how many weights they have, and how well the cards say they do', async () => {
    const { MODELS: catalogue } = await import('../../demo/catalogue.mjs');
    for (const [name, entry] of Object.entries(catalogue)) {
      const { weights, imageShape, levels, conditions } = await shippedModel(name);
      const count = [...weights.values()].reduce((sum, { data }) => sum + data.length, 0);
      expect(entry.note).toContain(` ${count.toLocaleString('en')} weights`);
      const [condition] = conditions;
      const isSyllables = condition?.kind === 'vector'; // of 19, 21 and 28 parts
      const numClasses = condition?.kind === 'class' ? condition.numClasses : isSyllables ? 19 * 21 * 28 : null;
      expect(entry).toMatchObject({ shape: imageShape, levels, numClasses });
    }
    const card = await readFile(join(DEMO, '../models/digits-conditional.md'), 'utf8');
    expect(card).toContain(`${catalogue['digits-conditional']?.testBits?.toFixed(3)} bits/dim on the`);
  });

  it('shows the first pictures within 200 kB, compressed', async () => {
    await noteFirstPicture(demo.page.context());
    await stopClock(demo.page); // or a page that waits for its picture for long would load the rest meanwhile
    const answers: Response[] = [];
    demo.page.on('response', (response) => answers.push(response));
    await demo.page.goto(demo.address);
    await demo.panel('wall').locator('.wall-tile:enabled').first().waitFor();
    const end = await demo.page.evaluate(() => (globalThis as unknown as { firstPicture: number }).firstPicture);
    const before = answers.filter((response) => response.request().timing().startTime <= end);
    const sizes = await Promise.all(
      before.map(async (response) => {
        const body = await response.body();
        return /^text/.test(response.headers()['content-type'] ?? '') ? gzipSync(body).length : body.length;
      }),
    );
    const total = sizes.reduce((sum, size) => sum + size, 0);
    expect(total).toBeGreaterThan(100_000); // the runtime and the model are among them
    expect(total).toBeLessThan(200_000);
  });

  it('names what it has from the repository, which has no address yet, the papers, and the licences of others', async () => {
    await demo.page.goto(demo.address);
    const hrefs = await demo.page.locator('a[href^=http]').evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href));
    expect(hrefs.length).toBeGreaterThan(3);
    for (const href of hrefs) expect(href).toMatch(/^https:\/\/arxiv\.org\/abs\/\d{4}\.\d{5}$/);
    const titles = await demo.page
      .locator('main a[title], footer a[title]')
      .evaluateAll((all) => all.map((link) => (link as HTMLElement).title));
    expect(titles.length).toBeGreaterThan(0);
    for (const path of titles) await stat(join(DEMO, '..', path));
    expect(await readFile(join(DEMO, '../README.md'), 'utf8')).toContain(await demo.page.locator('.sample').textContent());
    const href = await demo.page.getByRole('link', { name: 'Their licences' }).getAttribute('href');
    const text = await readFile(join(demo.built, href ?? ''), 'utf8');
    for (const name of ['@jsquash/oxipng/LICENSE', '@jsquash/oxipng/codec/LICENSE.codec.md', 'uplot/LICENSE', 'gifenc/LICENSE.md'])
      expect(text).toContain((await readFile(join(DEMO, '../node_modules', name), 'utf8')).trim());
  });

  it('runs the lines at its end, and again at a press', async () => {
    await demo.open('more');
    await demo.see('more');
    const drawn = () => pixels(demo.panel('more').locator('canvas'));
    const first = await drawn();
    await button(demo.panel('more'), 'Run again').click();
    await eventually(drawn).not.toBe(first);
  });

  describe('an address with a panel', () => {
    /** Where the panel stands, once all above it have come and are drawn. */
    async function top(id: string) {
      await demo.arePanelsThere();
      await frames(demo.page);
      return demo.panel(id).evaluate((panel) => panel.getBoundingClientRect().top);
    }
    /** Up to what is left above a place that is scrolled to. */
    const isAtTop = (top: number) => top >= 20 && top < 70;

    /** The code of the panels comes late. */
    let letCome: () => void;
    beforeEach(async () => {
      await demo.page.emulateMedia({ reducedMotion: 'no-preference' }); // the page scrolls smoothly
      letCome = await demo.hold(/\/panels-[^/]*\.js$/);
    });

    it.each(Object.entries({ wide: { width: 1280, height: 800 }, narrow: { width: 390, height: 844 } }))(
      'leads there at once, and stays there as they are filled, also after a reload: %s',
      async (_, size) => {
        await demo.page.setViewportSize(size);
        await demo.page.goto(`${demo.address}#maps`, { waitUntil: 'commit' });
        for (const isAgain of [false, true]) {
          if (isAgain) {
            letCome = await demo.hold(/\/panels-[^/]*\.js$/);
            await demo.page.reload({ waitUntil: 'commit' });
          }
          const here = () => demo.panel('maps').evaluate((panel) => panel.getBoundingClientRect().top);
          await eventually(here).toSatisfy(isAtTop);
          letCome();
          expect(await top('maps')).toSatisfy(isAtTop);
          await demo.panel('maps').locator('.headline').filter({ hasText: 'flaw' }).waitFor();
          expect(await here()).toSatisfy(isAtTop);
        }
      },
    );

    it('holds nobody who goes on', async () => {
      await demo.page.addInitScript(() => addEventListener('wheel', () => Object.assign(globalThis, { hasGoneOn: true })));
      await demo.page.goto(`${demo.address}#completing`, { waitUntil: 'commit' });
      await demo.page.locator('.contents [aria-current]').waitFor();
      await demo.page.mouse.wheel(0, 400);
      await demo.page.waitForFunction(() => 'hasGoneOn' in globalThis);
      letCome();
      expect(await top('completing')).not.toSatisfy(isAtTop); // wherever it is
    });
  });

  it('moves nothing that is seen as it comes, and asks for tfjs only to train', async () => {
    await demo.page.addInitScript(() => {
      Object.assign(globalThis, { shift: 0 });
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as unknown as { value: number; hadRecentInput: boolean }[])
          if (!entry.hadRecentInput) (globalThis as unknown as { shift: number }).shift += entry.value;
      }).observe({ type: 'layout-shift', buffered: true });
    });
    const pairs = [{ width: 1280, height: 800 }, { width: 390, height: 844 }] as const; // biome-ignore format: a line
    for (const size of pairs) {
      await demo.page.setViewportSize(size);
      await demo.page.goto('about:blank');
      await demo.page.goto(demo.address);
      for (const id of UNFOLDED) {
        await demo.panel(id).evaluate((panel) => panel.scrollIntoView({ behavior: 'instant' })); // as by a link
        await demo.panel(id).locator(FIRST_WORK[id]).first().waitFor();
      }
      expect(await demo.page.evaluate(() => (globalThis as unknown as { shift: number }).shift)).toBeLessThan(0.005);
      for (const id of ['sampling', 'classifying'] as const) {
        await demo.panel(id).locator('summary').first().click(); // its own shift is the visitor's
        await demo.panel(id).locator(FIRST_WORK[id]).first().waitFor();
      }
    }
    const tfjs = () => demo.seen.requests.filter((url) => /\/(tfjs|backend|train-worker)-/.test(url));
    expect(tfjs()).toEqual([]);
    await button(demo.panel('training'), 'Train').click();
    await eventually(() => tfjs().length).toBeGreaterThan(0);
  });

  const cache = temporaryFolder();
  it('runs while it is edited', async () => {
    demo.mayComplain = true; // of another host: it is Vite's
    const vite = await serveEdited(DEMO, join(cache, 'vite'));
    try {
      await demo.page.goto(vite.href);
      await demo.panel('wall').locator('.wall-tile:enabled').first().waitFor();
      for (const id of ['drawing', 'sampling', 'training'] as const) await demo.see(id);
      expect(demo.seen.complaints).toEqual([]);
    } finally {
      await vite.close();
    }
  });
});

describe('the table of contents of the demo', () => {
  const demo = useDemo();
  const links = () => demo.page.getByRole('navigation', { name: 'Contents' }).getByRole('link');
  const current = () => links().and(demo.page.locator('[aria-current]')).allTextContents();

  const sizes = { 'at the side': { width: 1280, height: 800 }, 'above, on a phone': { width: 390, height: 844 } };
  it.each(Object.entries(sizes))('stays in sight %s, and marks the section that is read', async (_, size) => {
    await demo.page.setViewportSize(size);
    await demo.page.goto(demo.address);
    await demo.arePanelsThere();
    const hrefs = await links().evaluateAll((all) => all.map((link) => link.getAttribute('href')));
    const ids = ['wall', 'drawing', 'masks', 'inside', 'likelihood', 'completing', 'maps', 'training', 'magnet', 'play', 'more'];
    expect(hrefs).toEqual(ids.map((id) => `#${id}`));
    for (const [i, words] of [...(await links().allTextContents()).entries()].reverse()) {
      if (i % 2 === 1) continue;
      await links().nth(i).click();
      await eventually(current).toEqual([words]);
      const sees = (box: DOMRect) => box.top >= 0 && box.bottom <= size.height && box.left >= 0 && box.right <= size.width;
      const link = links().nth(i);
      await eventually(() => link.evaluate((element) => element.getBoundingClientRect())).toSatisfy(sees);
    }
  });

  it('is seen where the keyboard is, also on a phone, where it scrolls and the skip link lies above it, which passes over it', async () => {
    await demo.page.setViewportSize({ width: 390, height: 844 });
    await demo.page.goto(demo.address);
    await demo.panel('wall').locator('.wall-tile:enabled').first().waitFor();
    const isSeen = () =>
      demo.page.evaluate(() => {
        const { left, right, top, bottom } = document.activeElement?.getBoundingClientRect() ?? new DOMRect();
        const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
        return left >= 0 && right <= innerWidth && hit === document.activeElement;
      });
    for (const name of ['Skip to the content', ...(await links().allTextContents())]) {
      await demo.page.keyboard.press('Tab');
      expect(await demo.page.evaluate(() => document.activeElement?.textContent)).toBe(name);
      await eventually(isSeen).toBe(true);
    }
    await demo.page.getByRole('link', { name: 'Skip to the content' }).press('Enter');
    await frames(demo.page);
    await demo.page.keyboard.press('Tab');
    expect(await demo.page.evaluate(() => document.activeElement?.closest('section')?.id)).toBe('wall');
  });
});
