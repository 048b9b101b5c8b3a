import type { Route } from 'playwright';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import { button, eventually, says, useDemo } from './demo-page';

describe.skipIf(chromiumPath === undefined)('what is missing to the demo', () => {
  const demo = useDemo();
  const drawing = () => demo.panel('drawing');
  const alertOf = async (id: string) => {
    const alert = demo.panel(id).getByRole('alert').last();
    await alert.waitFor();
    return alert.textContent();
  };

  it('is greyed, with the reason, where a browser lacks a backend', async () => {
    await demo.page.addInitScript(() => {
      Object.defineProperty(navigator, 'gpu', { value: undefined });
      Object.assign(globalThis, {
        OffscreenCanvas: class {
          getContext() {
            return null;
          }
        },
      });
    });
    await demo.page.goto(demo.address);
    const options = demo.panel('training').getByLabel('Backend').locator('option');
    await eventually(() => options.allTextContents()).toEqual([
      'wasm: processor, WebAssembly',
      'webgl: no WebGL 2 in this browser',
      'webgpu: no WebGPU in this browser',
      'cpu: plain JavaScript',
    ]);
    expect(
      await options.evaluateAll((all: HTMLOptionElement[]) => all.map(({ disabled }) => disabled)),
    ).toEqual([false, true, true, false]);
  });

  it('is said in words where a backend cannot be loaded, and others go on', async () => {
    await demo.page.route('**/backend-cpu-*.js', (route) => route.abort());
    await demo.open('training');
    const training = demo.panel('training');
    await training.getByLabel('Backend').selectOption('cpu');
    await button(training, 'Train').click();
    expect(await alertOf('training')).toMatch(/^This did not work: The backend cpu could not be loaded/);
    await training.getByLabel('Backend').selectOption('wasm');
    await button(training, 'Train').click();
    await eventually(() => training.locator('.report').textContent()).toMatch(/step \d+/);
    expect(await training.getByRole('alert').isVisible()).toBe(false);
  });

  it('is said in words where a model or an image cannot be read', async () => {
    await demo.page.route('**/*.{pixelcnn,u8}', (route) => route.fulfill({ status: 404 }));
    await demo.page.goto(demo.address);
    expect(await alertOf('drawing')).toMatch(/cannot be read: 404/);
    expect(await button(drawing(), 'Roll the die').isDisabled()).toBe(true);
    await demo.bringIntoSight('likelihood');
    expect(await alertOf('likelihood')).toMatch(/^The test images cannot be read: 404/);
  });

  it('is there once what could not be read can be', async () => {
    await demo.page.route('**/*.pixelcnn', (route) => route.fulfill({ status: 404 }), { times: 1 });
    await demo.page.goto(demo.address);
    await alertOf('drawing');
    await drawing().getByLabel('Digit', { exact: true }).selectOption('7');
    await drawing().locator('.likeliest').waitFor();
    expect(await drawing().getByRole('alert').isVisible()).toBe(false);
  });

  it('is said in words where a part of the page cannot be loaded', async () => {
    await demo.page.route('**/{mask-explorer,loss-chart,completing}-*.js', (route) => route.abort());
    await demo.page.goto(demo.address);
    expect(await alertOf('completing')).toMatch(/^This part of the page could not be started/);
    await demo.bringIntoSight('masks');
    expect(await alertOf('masks')).toMatch(/^This part of the page could not be started/);
    await demo.bringIntoSight('training');
    await alertOf('training');
    expect(await button(demo.panel('training'), 'Train').isEnabled()).toBe(true);
  });

  it('is said in words where the connection is lost', async () => {
    await demo.page.route('**/*.{pixelcnn,u8}', (route) => route.abort());
    await demo.open('completing');
    expect(await alertOf('drawing')).toMatch(/cannot be read: Failed to fetch$/);
    expect(await alertOf('completing')).toBe('The test images cannot be read: Failed to fetch');
  });

  it('is a canvas of its own where a browser has no OffscreenCanvas', async () => {
    await demo.page.addInitScript(() => Reflect.deleteProperty(globalThis, 'OffscreenCanvas'));
    await demo.page.goto(demo.address);
    await demo.seeAll();
    const webgl = demo.panel('training').getByLabel('Backend').locator('option').nth(1);
    await eventually(() => webgl.textContent()).toBe('webgl: no OffscreenCanvas in this browser');
    demo.expectClean();
  });

  it('is said in words, panel by panel, and the rest works', async () => {
    await demo.page.addInitScript(() => Reflect.deleteProperty(globalThis, 'IntersectionObserver'));
    await demo.page.goto(demo.address);
    await drawing().locator('.likeliest').waitFor();
    for (const id of ['sampling', 'completing', 'likelihood', 'training']) {
      expect(await alertOf(id)).toMatch(/could not be started: IntersectionObserver/);
    }
    await button(demo.panel('sampling'), 'Draw').click();
    await says(demo.panel('sampling'), 'Drew 30');
  });

  it('is done without where wasm may not run: drawing goes on, and training says so', async () => {
    await demo.page.route('**/*', async (route: Route) => {
      const response = await route.fetch();
      const headers = { ...response.headers(), 'content-security-policy': "script-src 'self'" };
      return route.fulfill({ response, headers });
    });
    await demo.page.goto(demo.address);
    await drawing().locator('.likeliest').waitFor();
    await demo.bringIntoSight('sampling');
    await demo.page.evaluate(() => {
      location.hash = '#sampling?model=digits-conditional'; // the others are slow there
    });
    await says(demo.panel('sampling'), 'Drew 30');
    await demo.bringIntoSight('training');
    await button(demo.panel('training'), 'Train').click();
    expect(await alertOf('training')).toMatch(/wasm/);
  });

  it('is said in words where the worker cannot start', async () => {
    await demo.page.addInitScript(() => {
      const { Worker } = globalThis;
      globalThis.Worker = class extends Worker {
        constructor(_: string | URL, options?: WorkerOptions) {
          super(new URL('missing.js', location.href), options);
        }
      };
    });
    await demo.page.goto(demo.address);
    expect(await alertOf('drawing')).toMatch(/The worker that computes has stopped/);
    expect(await drawing().getByLabel('Digit', { exact: true }).isEnabled()).toBe(true);
  });
});
