import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { serve } from './pages';

/** Opens a page in a browser that nobody drives; what the browser itself complains of is added to `said`. Returns what closes it. */
export type OpenUndriven = (address: string, said: string[]) => Promise<() => Promise<void>>;

/** Waits until the page has said so. */
type Tells = (pattern: RegExp) => Promise<void>;

/** What a page runs before all else: requests to its server carry what it says, also under a strict policy. */
const TELL = `
  const tell = (text) => fetch('?said=' + encodeURIComponent(text));
  addEventListener('error', ({ message }) => tell('complaint: ' + message));
  addEventListener('unhandledrejection', ({ reason }) => tell('complaint: ' + reason));
`;

/**
 * Opens a built page in a browser that nobody drives, with a script that looks at the page and may `tell` what it sees; nothing may go
 * wrong in the page.
 */
export async function visitUndriven(open: OpenUndriven, built: string, script: string, look: (tells: Tells) => Promise<void>, path = '') {
  const html = await readFile(join(built, 'index.html'), 'utf8');
  await writeFile(join(built, 'telling.js'), TELL + script);
  await writeFile(join(built, 'telling.html'), html.replace(/<!doctype html>/i, '$&<script src="telling.js"></script>'));
  const { server, origin } = await serve(built);
  const said: string[] = [];
  server.on('request', ({ url = '' }, response) => {
    const text = new URL(url, origin).searchParams.get('said');
    if (text !== null) said.push(text);
    response.on('finish', () => response.statusCode === 200 || said.push(`complaint: ${url}: ${response.statusCode}`));
  });
  const close = await open(new URL(path, `${origin}/some/folder/telling.html`).href, said);
  try {
    await look((pattern) => expect.poll(() => said.join('\n'), { timeout: 120_000 }).toMatch(pattern)); // it may train beside other work
    expect(said.filter((text) => text.startsWith('complaint'))).toEqual([]);
  } finally {
    await close();
    server.close();
  }
}

/** In the page: trains as a visitor with four cores would, and tells what the page says. */
export async function trainAndTell(tell: (text: unknown) => void, firstWork: string) {
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: 4 });
  const find = async <E extends Element>(selector: string, pattern = /^/): Promise<E> => {
    for (;;) {
      const all = [...document.querySelectorAll<E>(`#training ${selector}`)];
      const found = all.find(({ textContent }) => pattern.test(textContent ?? ''));
      if (found) return found;
      await new Promise(requestAnimationFrame);
    }
  };
  await find(firstWork);
  const report = await find('.report');
  new MutationObserver(() => tell(report.textContent)).observe(report, { subtree: true, childList: true });
  (await find<HTMLButtonElement>('button', /^Train$/)).click();
  await find('.report', /on 4 cores: step ([2-9]\d|\d{3})/);
  (await find<HTMLButtonElement>('button', /^Stop$/)).click();
  await find('.report', /Stopped/);
  tell((await find('[aria-label^="Loss curve"]')).getAttribute('aria-label'));
}

/** What {@link trainAndTell} tells where the network learns. */
export async function tellsOfTraining(tells: Tells) {
  await tells(/starting wasm/);
  await tells(/on 4 cores: step/);
  await tells(/Stopped/);
  await tells(/^Loss curve.* [0-2]\.\d+ bits/m); // of 4.09 at first
}
