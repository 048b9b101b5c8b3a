import { describe, expect, it } from 'vitest';
import { eventually, useDemo } from './open-page';

describe('the demo without network', () => {
  const demo = useDemo({ isKept: true });
  const isWhole = () => demo.panel('wall').locator('.wall-map canvas').waitFor();

  it('reloads, and draws what it shows first', async () => {
    await demo.page.goto(demo.address);
    await demo.page.evaluate(() => caches.open('of another page of this host'));
    await isWhole();
    await demo.page.waitForFunction(async () => (await navigator.serviceWorker.ready).active?.state === 'activated');
    await eventually(() => demo.page.evaluate(() => navigator.serviceWorker.controller !== null)).toBe(true);
    await demo.page.context().setOffline(true); // after one visit
    await demo.page.reload();
    await isWhole();
    await demo.bringIntoSight('masks');
    await demo.panel('masks').locator('.kernel canvas').waitFor();
    await demo.page.context().setOffline(false);
    const kept = await demo.page.evaluate(() => caches.keys());
    expect(kept.filter((name) => name.startsWith('pixelcnn-layers '))).toHaveLength(1);
    expect(kept).toHaveLength(2);
  });
});
