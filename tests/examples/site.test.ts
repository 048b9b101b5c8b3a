import { spawnSync } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { connectToChromium } from '../demo/open-page';
import { violations } from '../support/browsers/axe';
import { serve, type Watch, watch } from '../support/browsers/pages';
import { temporaryFolder } from '../support/node/temporary-folder';
import { PATIENCE } from '../support/patience.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs a program, by its path from the repository's root. */
function run(program: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, program), ...args], { cwd: root, encoding: 'utf8' });
  expect(status, `${stdout}${stderr}`).toBe(0);
}

describe('the site, built and served from a folder that it does not know', () => {
  const folder = temporaryFolder();
  let server: Server;
  let home: string;
  let browser: Browser;
  let page: Page;
  let seen: Watch;

  beforeAll(async () => {
    run('node_modules/typedoc/bin/typedoc');
    run('scripts/flags-page.mjs');
    run('node_modules/vitepress/bin/vitepress.js', 'build', 'docs', '--outDir', folder);
    await cp(inject('demo').built, join(folder, 'demo'), { recursive: true });
    const served = await serve(folder);
    server = served.server;
    home = `${served.origin}/some/folder/`;
    browser = await connectToChromium();
    page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    seen = watch(page);
  }, 4 * PATIENCE);
  afterAll(async () => {
    await browser?.close();
    server?.close();
  });

  /** Opens a page, and waits until its script runs. */
  const open = async (name: string) => {
    await page.goto(home + name);
    await page.waitForFunction(() => '__vue_app__' in (document.querySelector('#app') ?? {}));
  };

  it(
    'has a page and a heading behind every link',
    async () => {
      const names = (await readdir(folder, { recursive: true })).filter(
        (name) => name.endsWith('.html') && !name.startsWith('demo') && name !== '404.html',
      );
      expect(names.length).toBeGreaterThan(200);
      const targets = new Map<string, Set<string>>();
      const ids = new Map<string, string[]>();
      for (const name of names) {
        const response = await page.request.get(home + name);
        const parsed = await page.evaluate(
          ([text, address]) => {
            const parsed = new DOMParser().parseFromString(text as string, 'text/html');
            const found = [...parsed.querySelectorAll('a[href], img[src], link[href], script[src]')];
            return {
              ids: [...parsed.querySelectorAll('[id]')].map(({ id }) => id),
              links: found.map(
                (element) => new URL(element.getAttribute('href') ?? (element.getAttribute('src') as string), address as string).href,
              ),
            };
          },
          [await response.text(), home + name],
        );
        ids.set(home + name, parsed.ids);
        for (const link of parsed.links) targets.set(link, (targets.get(link) ?? new Set()).add(name));
      }
      const broken: string[] = [];
      const statuses = new Map<string, boolean>();
      for (const [link, from] of targets) {
        if (!link.startsWith(new URL(home).origin)) continue;
        const [address = '', fragment] = link.split('#');
        const file = address.endsWith('/') ? `${address}index.html` : address;
        if (!statuses.has(file)) statuses.set(file, (await page.request.get(file)).ok());
        const isThere = statuses.get(file) && (!fragment || !ids.has(file) || ids.get(file)?.includes(decodeURIComponent(fragment)));
        if (!isThere) broken.push(`${link} on ${[...from].slice(0, 3).join(', ')}`);
      }
      expect(broken).toEqual([]);
    },
    4 * PATIENCE,
  );

  it.each(['index.html', 'guides/sample.html', 'reference/api/pixelcnn-layers/functions/sample.html', 'reference/api/programs.html'])(
    'axe finds nothing to object to in %s, light and dark',
    async (name) => {
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        await open(name);
        expect(await violations(page)).toEqual([]);
      }
    },
  );

  it.each([
    ['mixture', 'guides/distributions'],
    ['inpainting', 'guides/complete'],
    ['checkpoint', 'guides/save'],
    ['negative log-likelihood', 'guides/score'],
  ])('finds %s', async (word, name) => {
    await open('index.html');
    await page.locator('#local-search button').click();
    await page.locator('input.search-input').fill(word);
    await page.locator('.results .result').first().waitFor();
    const found = await page.$$eval('.results a', (results) => results.map((result) => (result as HTMLAnchorElement).href));
    expect(found.some((link) => link.startsWith(`${home}${name}.html`))).toBe(true);
  });

  /** What the first example of a page logs, and how many pictures it shows, once it has run. */
  const ran = async () => {
    const example = page.locator('.runnable').first();
    await expect.poll(() => example.locator('> button').textContent(), { timeout: PATIENCE }).toBe('Run');
    const lines = ((await example.locator('> pre').textContent()) ?? '').split('\n');
    return { lines, pictures: await example.locator('canvas').count() };
  };

  it(
    'runs the first example of every guide, which draws what it pictures',
    async () => {
      const names = ['index.md', ...(await readdir(join(root, 'docs/guides'))).map((name) => `guides/${name}`), 'learn/getting-started.md'];
      expect(names.length).toBeGreaterThan(14);
      for (const name of names) {
        const text = await readFile(join(root, 'docs', name), 'utf8');
        const [, info, code = ''] = /^```js([^\n]*)\n(.*?)^```$/ms.exec(text) ?? [];
        expect(info, name).toBe(' run');
        await open(name.replace(/md$/, 'html'));
        await page.locator('.runnable > button').first().click();
        const { lines, pictures } = await ran();
        expect({ name, error: lines.filter((line) => /^\w*Error: /.test(line)), pictures }).toEqual({
          name,
          error: [],
          pictures: code.split(' picture(').length - 1,
        });
      }
    },
    6 * PATIENCE,
  );

  it.each([
    ['masks', 'reference/masks'],
    ['sampling', 'guides/sample'],
    ['the runtime', 'guides/deploy'],
  ])('runs an example of %s again and again, which logs what it says', async (_, name) => {
    await open(`${name}.html`);
    const text = await readFile(join(root, 'docs', `${name}.md`), 'utf8');
    const code = /^```js run\n(.*?)^```$/ms.exec(text)?.[1] as string;
    const said = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, comment]) => comment as string);
    expect(said.length).toBeGreaterThan(0);
    for (let i = 0; i < 2; i++) {
      await page.locator('.runnable > button').first().click();
      const { lines } = await ran();
      expect(lines).toHaveLength(said.length);
      expect(lines.filter((line, i) => !said[i]?.startsWith(line))).toEqual([]);
    }
  });

  it('counts a click that comes before its scripts', async () => {
    const scripts = '**/assets/*.js';
    let go = () => {};
    const clicked = new Promise<void>((resolve) => {
      go = resolve;
    });
    await page.route(scripts, async (route) => {
      await clicked;
      await route.continue();
    });
    await page.goto(`${home}guides/score.html`, { waitUntil: 'commit' });
    await page.locator('.runnable > button').first().click();
    go();
    await page.locator('.runnable').first().locator('canvas').waitFor();
    await page.unroute(scripts);
  });

  it('has nothing to complain about, and asks no other server for anything', () => {
    expect(seen.complaints).toEqual([]);
    expect(seen.requests.filter((request) => !request.startsWith(home))).toEqual([]);
  });
});
