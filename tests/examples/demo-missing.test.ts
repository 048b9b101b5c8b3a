import type { Route } from 'playwright';
import { describe, expect, it } from 'vitest';
import { chromiumPath } from '../support/chromium.mjs';
import { button, eventually, says, useDemo } from './demo-page';

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
      /^The test images cannot be read: 404/,
    );
  });

  it('is said in words where a part of the page cannot be loaded', async () => {
    await demo.page.route('**/{mask-explorer,loss-chart}-*.js', (route) => route.abort());
    await demo.page.goto(demo.address);
    await demo.panel('masks').getByRole('alert').waitFor();
    expect(await demo.panel('masks').getByRole('alert').textContent()).toMatch(
      /^This part of the page could not be started/,
    );
    await demo.panel('training').scrollIntoViewIfNeeded();
    await demo.panel('training').getByRole('alert').waitFor();
    expect(await button(demo.panel('training'), 'Train').isEnabled()).toBe(true);
  });

  it('is said in words where the connection is lost', async () => {
    await demo.page.route('**/*.{bin,u8}', (route) => route.abort());
    await demo.open('completing');
    await demo.panel('hero').getByRole('alert').waitFor();
    expect(await demo.panel('hero').getByRole('alert').textContent()).toMatch(
      /cannot be read: Failed to fetch$/,
    );
    const alert = demo.panel('completing').getByRole('alert');
    await alert.waitFor();
    expect(await alert.textContent()).toBe('The test images cannot be read: Failed to fetch');
  });

  it('is a canvas of its own where a browser has no OffscreenCanvas', async () => {
    await demo.page.addInitScript(() => Reflect.deleteProperty(globalThis, 'OffscreenCanvas'));
    await demo.page.goto(demo.address);
    await says(demo.panel('hero'), 'Drawn just now');
    for (const [id, words] of [
      ['sampling', 'Drew 16'],
      ['completing', 'Six ways'],
    ] as const) {
      await demo.panel(id).scrollIntoViewIfNeeded();
      await says(demo.panel(id), words);
    }
    await demo.panel('likelihood').scrollIntoViewIfNeeded();
    await demo.panel('likelihood').getByText('bits for 64 values').waitFor();
    const webgl = demo.panel('training').getByLabel('Backend').locator('option').nth(1);
    expect(await webgl.textContent()).toBe('webgl: no OffscreenCanvas in this browser');
    demo.expectClean();
  });

  it('is said in words, panel by panel, and the rest works', async () => {
    await demo.page.addInitScript(() => Reflect.deleteProperty(globalThis, 'IntersectionObserver'));
    await demo.page.goto(demo.address);
    await says(demo.panel('hero'), 'Drawn just now');
    await demo.panel('masks').locator('.mask-figures').waitFor();
    for (const id of ['sampling', 'completing', 'likelihood', 'training']) {
      expect(await demo.panel(id).getByRole('alert').last().textContent()).toMatch(
        /could not be started: IntersectionObserver/,
      );
    }
  });

  it.each([
    ['is not there', async (route: Route) => route.fulfill({ status: 404 }), '**/*.wasm'],
    [
      'may not run',
      async (route: Route) => {
        const response = await route.fetch();
        const headers = { ...response.headers(), 'content-security-policy': "script-src 'self'" };
        return route.fulfill({ response, headers });
      },
      '**/*',
    ],
  ] as const)('is done without where wasm %s: on cpu, which is said', async (_, answer, files) => {
    await demo.page.route(files, answer);
    await demo.page.goto(demo.address);
    await says(demo.panel('hero'), /Drawn just now.* On cpu.*: wasm does not start/);
    await demo.panel('completing').scrollIntoViewIfNeeded();
    await says(demo.panel('completing'), /Six ways.* On cpu/);
    await demo.panel('likelihood').scrollIntoViewIfNeeded();
    await says(demo.panel('likelihood'), 'On cpu');
    await demo.panel('training').scrollIntoViewIfNeeded();
    await eventually(() => button(demo.panel('training'), 'Train').isEnabled()).toBe(true);
    await demo.panel('training').locator('.uplot').waitFor();
    for (const id of ['hero', 'completing', 'likelihood', 'training'])
      expect(await demo.panel(id).getByRole('alert').isVisible()).toBe(false);
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
