import type { Route } from 'playwright';
import { describe, expect, it } from 'vitest';
import { button, eventually, runInWorkers, says, useDemo } from './open-page';

describe('what is missing to the demo', () => {
  const demo = useDemo({ mayComplain: true });
  const drawing = () => demo.panel('drawing');
  const alertOf = async (id: string) => {
    const alert = demo.panel(id).getByRole('alert').last();
    await alert.waitFor();
    return alert.textContent();
  };

  it('is said in words where there is no recorded run, a browser lacks a backend, or one cannot be loaded, and training goes on', async () => {
    await demo.page.route('**/backend-cpu-*.js', (route) => route.abort());
    await demo.page.route('**/*.bits', (route) => route.fulfill({ status: 404 }));
    await runInWorkers(demo.page, "Object.defineProperty(navigator, 'gpu', { value: undefined });");
    await demo.open('training');
    const training = demo.panel('training');
    expect(await alertOf('training')).toMatch(/^This did not work: The recorded run is not there\./);
    const complaints = { webgpu: 'webgpu does not start in this browser.', cpu: 'cpu could not be loaded' };
    for (const [backend, words] of Object.entries(complaints)) {
      await training.getByLabel('Computed by').selectOption(backend);
      await button(training, 'Train').click();
      await training
        .getByRole('alert')
        .filter({ hasText: `This did not work: The backend ${words}` })
        .waitFor();
      expect(await button(training, 'Train').isEnabled()).toBe(true);
    }
    await training.getByLabel('Computed by').selectOption('wasm');
    await button(training, 'Train').click();
    await eventually(() => training.locator('.report').textContent()).toMatch(/step \d+/);
    expect(await training.getByRole('alert').isVisible()).toBe(false);
  });

  it.each([
    [
      'a model or an image cannot be read',
      (route: Route) => route.fulfill({ status: 404 }),
      /The model [\w-]+ cannot be read: the server answers 404/,
    ],
    ['the connection is lost', (route: Route) => route.abort(), /cannot be read: Failed to fetch/],
  ])('is said in words where %s', async (_, answer, words) => {
    await demo.page.route('**/*.{pixelcnn,u8}', answer);
    await demo.page.goto(demo.address);
    await demo.bringIntoSight('drawing');
    expect(await alertOf('wall')).toMatch(words);
    expect(await alertOf('wall')).toMatch(/ Try again$/);
    expect(await alertOf('drawing')).toMatch(words);
    expect(await button(drawing(), 'Roll the die').isDisabled()).toBe(true);
    await demo.bringIntoSight('likelihood');
    expect(await alertOf('likelihood')).toMatch(/^The test images cannot be read/);
  });

  it('is there once what could not be read can be', async () => {
    await demo.page.route('**/*.pixelcnn', (route) => route.fulfill({ status: 404 }), { times: 1 });
    await demo.page.goto(demo.address);
    await alertOf('wall');
    await button(demo.panel('wall'), 'Try again').click();
    await demo.panel('wall').locator('.wall-map canvas').waitFor();
    expect(await demo.panel('wall').getByRole('alert').isVisible()).toBe(false);
    await demo.page.route('**/digits-28*.pixelcnn', (route) => route.fulfill({ status: 404 }), { times: 1 });
    await demo.bringIntoSight('drawing');
    await alertOf('drawing');
    await drawing().getByLabel('Digit', { exact: true }).selectOption('7');
    await drawing().locator('.likeliest').waitFor();
    expect(await drawing().getByRole('alert').isVisible()).toBe(false);
  });

  it('is said in words where a part of the page cannot be loaded', async () => {
    await demo.page.route('**/loss-chart-*.js', (route) => route.abort());
    await demo.open('training');
    await alertOf('training');
    expect(await button(demo.panel('training'), 'Train').isEnabled()).toBe(true);
    const samples = demo.panel('training').getByRole('img', { name: 'samples at step 0' });
    expect(await samples.count()).toBe(2); // of the recorded run, which has come all the same
    await demo.page.route('**/panels-*.js', (route) => route.abort());
    await demo.page.goto('about:blank');
    await demo.page.goto(demo.address);
    for (const id of ['completing', 'masks']) expect(await alertOf(id)).toMatch(/^This part of the page could not be started/);
    await demo.panel('wall').locator('.wall-character:enabled').first().waitFor();
  });

  it('is said in words, panel by panel, and the rest works', async () => {
    await demo.page.addInitScript(() => Reflect.deleteProperty(globalThis, 'IntersectionObserver'));
    await demo.page.goto(demo.address);
    await demo.panel('wall').locator('.wall-map canvas').waitFor();
    for (const id of ['completing', 'likelihood', 'training'])
      expect(await alertOf(id)).toMatch(/could not be started: IntersectionObserver/);
    await demo.bringIntoSight('sampling');
    await button(demo.panel('sampling'), 'Draw others').click();
    await says(demo.panel('sampling'), 'Drew 30');
  });

  it('is done without where wasm may not run: drawing goes on, and training says so', async () => {
    await demo.page.route('**/*', async (route: Route) => {
      const response = await route.fetch();
      const headers = { ...response.headers(), 'content-security-policy': "script-src 'self'" };
      return route.fulfill({ response, headers });
    });
    await demo.page.goto(demo.address);
    await demo.panel('wall').locator('.wall-tile:enabled').first().waitFor();
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
    await demo.bringIntoSight('drawing');
    expect(await alertOf('wall')).toMatch(/The worker that computes has stopped/);
    expect(await alertOf('drawing')).toMatch(/The worker that computes has stopped/);
    expect(await drawing().getByLabel('Digit', { exact: true }).isEnabled()).toBe(true);
  });
});
