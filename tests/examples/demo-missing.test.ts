import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import { button, says, useDemo } from './demo-page';

describe.skipIf(chromiumPath === undefined)('what is missing to the demo', () => {
  const demo = useDemo();

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
    const options = demo.panel('sampling').getByLabel('Backend').locator('option');
    await expect
      .poll(() => options.allTextContents())
      .toEqual([
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
    await demo.page.goto(demo.address);
    const sampling = demo.panel('sampling');
    await sampling.scrollIntoViewIfNeeded();
    await says(sampling, 'Drew 16');
    await sampling.getByLabel('Backend').selectOption('cpu');
    await button(sampling, 'Draw').click();
    const alert = sampling.getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toMatch(/^This did not work: The backend cpu could not be loaded/);
    await sampling.getByLabel('Backend').selectOption('wasm');
    await button(sampling, 'Draw').click();
    await says(sampling, 'Drew 16 images on wasm');
    expect(await alert.isVisible()).toBe(false);
  });

  it('is said in words where a model or an image cannot be read', async () => {
    await demo.page.route('**/*.{bin,u8}', (route) => route.fulfill({ status: 404 }));
    await demo.page.goto(demo.address);
    await demo.panel('hero').getByRole('alert').waitFor();
    expect(await demo.panel('hero').getByRole('alert').textContent()).toMatch(/cannot be read: 404/);
    await demo.panel('likelihood').scrollIntoViewIfNeeded();
    await demo.panel('likelihood').getByRole('alert').waitFor();
    expect(await demo.panel('likelihood').getByRole('alert').textContent()).toMatch(
      /digits cannot be read: 404/,
    );
  });

  it('is said in words where a part of the page cannot be loaded', async () => {
    await demo.page.route('**/{mask-explorer,loss-chart}-*.js', (route) => route.abort());
    await demo.page.goto(demo.address);
    await demo.panel('masks').getByRole('alert').waitFor();
    expect(await demo.panel('masks').getByRole('alert').textContent()).toMatch(
      /^The panel about masks could not be loaded/,
    );
    await demo.panel('training').scrollIntoViewIfNeeded();
    await demo.panel('training').getByRole('alert').waitFor();
    expect(await button(demo.panel('training'), 'Train').isEnabled()).toBe(true);
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
    await demo.panel('hero').getByRole('alert').waitFor();
    expect(await demo.panel('hero').getByRole('alert').textContent()).toMatch(
      /The worker that computes has stopped/,
    );
    expect(await button(demo.panel('hero'), 'Draw ten others').isEnabled()).toBe(true);
  });
});
