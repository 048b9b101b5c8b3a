import { mkdtemp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadPortable, picture, sample } from 'pixelcnn-layers/runtime';
import { modelURL } from 'pixelcnn-models';
import { build } from 'vite';
import { beforeAll, describe, inject, it } from 'vitest';
import { FIRST_WORK } from '../demo/open-page';
import { makeConformancePage } from '../support/browsers/conformance-page';
import { tellsOfTraining, trainAndTell, visitUndriven } from '../support/browsers/undriven';
import { openWebkit, webkitPath } from '../support/browsers/webkit';
import { temporaryFolder } from '../support/node/temporary-folder';

const root = fileURLToPath(new URL('../..', import.meta.url));

type Tell = (text: unknown) => void;

/** In the page: tells its title, once it has one. */
async function tellTitle(tell: Tell) {
  while (document.title === '') await new Promise(requestAnimationFrame);
  tell(document.title);
}

const digestOf = (data: Uint8ClampedArray<ArrayBuffer>) => data.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0);

/** In the page: tells what the canvas shows once the page has drawn. */
async function tellPicture(tell: Tell, digest: typeof digestOf) {
  while (!document.querySelector('#status')?.textContent?.includes('digits in')) await new Promise(requestAnimationFrame);
  const canvas = document.querySelector('canvas') as HTMLCanvasElement;
  const image = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) as ImageData;
  tell(`picture ${digest(image.data as Uint8ClampedArray<ArrayBuffer>)}`);
}

/** In the page: brings each panel into sight, and tells once it has done its first work. */
async function tellPanels(tell: Tell, firstWork: typeof FIRST_WORK) {
  for (const [id, work] of Object.entries(firstWork)) {
    const [selector, words = ''] = work.split(/:has-text\("|"\)/);
    const isDone = () => [...document.querySelectorAll(`#${id} ${selector}`)].some(({ textContent }) => textContent?.includes(words));
    while (!isDone()) {
      const panel = document.getElementById(id);
      if (panel instanceof HTMLDetailsElement) panel.open = true;
      panel?.scrollIntoView(); // again and again, since those above it grow
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    tell(`${id} is there`);
  }
}

// Tried again as what Chromium runs, and for the same reason: see vitest.everywhere.config.ts.
describe.skipIf(webkitPath === undefined)('in WebKit', { retry: 1 }, () => {
  const folder = temporaryFolder();

  describe('the runtime gives the bits of all machines, alone and in a pool', () => {
    const project = join(folder, 'project');
    beforeAll(async () => {
      await makeConformancePage(project, '{ workers: 2 }');
      await build({ root: project, base: './', configFile: false, logLevel: 'silent', worker: { format: 'es' } });
    });

    it.each([
      ['WebAssembly', '/some/folder/telling.html'],
      ['JavaScript', '/strict/telling.html'],
    ])('by %s', (how, path) =>
      visitUndriven(
        openWebkit,
        join(project, 'dist'),
        `(${tellTitle})(tell)`,
        (tells) => tells(new RegExp(`^the same bits by ${how}$`, 'm')),
        path,
      ),
    );
  });

  it('a page without a bundler draws what Node draws', async () => {
    const html = await readFile(join(root, 'examples/pages/draw.html'), 'utf8');
    const built = await mkdtemp(join(folder, 'page-'));
    await writeFile(join(built, 'index.html'), html.replaceAll('../../', './'));
    for (const name of ['dist', 'models']) await symlink(join(root, name), join(built, name));
    const model = await loadPortable(modelURL('digits-conditional'));
    const { data } = picture(await sample(model, { numImages: 64, condition: 3, seed: 1 }), model);
    const drawn = new RegExp(`picture ${digestOf(data)}$`, 'm');
    await visitUndriven(openWebkit, built, `(${tellPicture})(tell, ${digestOf})`, (tells) => tells(drawn));
  });

  describe.skipIf(inject('isRepetition'))('the demo, as in two quicker engines', () => {
    const built = join(folder, 'demo');
    beforeAll(() => build({ root: join(root, 'demo'), logLevel: 'silent', build: { outDir: built } }));

    it('trains on all cores until it is stopped', () =>
      visitUndriven(openWebkit, built, `(${trainAndTell})(tell, '${FIRST_WORK.training}')`, tellsOfTraining, '#training'));

    it('fills all its panels', () =>
      visitUndriven(openWebkit, built, `(${tellPanels})(tell, ${JSON.stringify(FIRST_WORK)})`, async (tells) => {
        for (const id of Object.keys(FIRST_WORK)) await tells(new RegExp(`^${id} is there$`, 'm'));
      }));
  });
});
