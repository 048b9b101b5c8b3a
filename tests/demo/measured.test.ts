import { afterEach, describe, expect, it } from 'vitest';
import { watch } from '../support/browsers/pages';
import { listening } from '../support/node/listening.mjs';
import { PATIENCE } from '../support/patience.mjs';
import { eventually, FIRST_WORK, noteFirstPicture, useDemo } from './open-page';

/** What Chromium's tools call fast 3G: bytes a millisecond, and milliseconds. */
const [BANDWIDTH, LATENCY] = [180, 562.5];
/** Milliseconds. */
const [FIRST_PICTURE, USABLE] = [1500, 20_000];

const wait = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe('the demo, measured,', () => {
  describe('as visitors see it,', () => {
    const demo = useDemo({ isWhole: true, mayComplain: true });
    const slow: { close(): void }[] = [];
    afterEach(() => slow.splice(0).map((server) => server.close()));

    it('shows the first picture within 1.5 s', async () => {
      await noteFirstPicture(demo.page.context());
      const session = await demo.page.context().newCDPSession(demo.page);
      const load = async () => {
        await session.send('Network.clearBrowserCache');
        await demo.page.goto('about:blank');
        await demo.page.goto(demo.address);
        const shown = await demo.page.waitForFunction(() => {
          const { firstPicture } = globalThis as { firstPicture?: number };
          return firstPicture && firstPicture - performance.timeOrigin;
        });
        return (await shown.jsonValue()) as number;
      };
      await eventually(load).toBeLessThan(FIRST_PICTURE); // where other work lets it
    });

    /** How long it takes until a panel has done its first work, opened by a link, in a page of its own. */
    async function usableAfter(id: keyof typeof FIRST_WORK) {
      // All answers come late, through one line, uncompressed: Chromium's own brake leaves out what workers ask for.
      let line = Promise.resolve();
      const server = await listening(async ({ url }, response) => {
        const [answer] = await Promise.all([fetch(`${demo.origin}${url}`), wait(LATENCY)]);
        const body = Buffer.from(await answer.arrayBuffer());
        line = line.then(() => wait(body.length / BANDWIDTH));
        await line;
        const type = answer.headers.get('content-type') ?? '';
        response.writeHead(answer.status, { 'Content-Type': type, 'Cache-Control': 'max-age=600' }).end(body);
      });
      slow.push(server);
      const page = await demo.page.context().newPage();
      const { complaints } = watch(page);
      const start = performance.now();
      await page.goto(`${server.address}some/folder/#${id}`, { waitUntil: 'commit' });
      await page.locator(`#${id}`).locator(FIRST_WORK[id]).first().waitFor();
      expect(complaints).toEqual([]);
      return performance.now() - start;
    }

    // The panels with the largest models; the others are there sooner. Two at a time, which wait more than they compute.
    const two = [['wall', 'training'], ['drawing', 'completing'], ['likelihood', 'maps']] as const; // biome-ignore format: pairs
    it.each(two)('has the panels %s and %s usable within 20 s on fast 3G, by a link', async (...ids) => {
      for (const time of await Promise.all(ids.map(usableAfter))) expect(time).toBeLessThan(USABLE);
    });
  });

  describe('over 100 rounds,', () => {
    const demo = useDemo();

    it(
      'does not grow',
      async () => {
        await demo.open('drawing');
        await demo.see('drawing');
        const session = await demo.page.context().newCDPSession(demo.page);
        const drawing = demo.panel('drawing');
        /** A pixel is drawn, and taken back, so many times. */
        const rounds = (count: number) =>
          drawing.evaluate(async (panel, count) => {
            const [roll, undo] = ['Roll the die', 'Undo'].map((name) =>
              [...panel.querySelectorAll('button')].find(({ textContent }) => textContent === name),
            );
            const words = () => panel.querySelector('[role=img]')?.getAttribute('aria-label');
            const before = words();
            for (let round = 0; round < count; round++) {
              roll?.click();
              while (words() === before) await new Promise(requestAnimationFrame);
              undo?.click();
              while (words() !== before) await new Promise(requestAnimationFrame);
            }
          }, count);
        const counted = async () => {
          await session.send('HeapProfiler.collectGarbage');
          const { nodes } = await session.send('Memory.getDOMCounters');
          const { usedSize } = await session.send('Runtime.getHeapUsage');
          return { nodes, usedSize };
        };
        await rounds(10); // what is loaded once is there
        const before = await counted();
        await rounds(100);
        const after = await counted();
        console.log(before, after);
        expect(after.nodes).toBeLessThanOrEqual(before.nodes + 50);
        // The test keeps what the worker has answered.
        expect(after.usedSize - before.usedSize).toBeLessThan(100 * 10_000);
      },
      2 * PATIENCE,
    );
  });
});
