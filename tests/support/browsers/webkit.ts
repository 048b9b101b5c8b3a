import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { vi } from 'vitest';
import { warnMissing } from '../node/missing';

const safari = '/usr/bin/safaridriver';
const xvfb = '/usr/bin/Xvfb';
const paths = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`);

/** Safari's driver, or the browser that comes with WebKitGTK; undefined, with a loud warning, where there is none, or no screen for it. */
export const webkitPath = existsSync(safari) ? safari : existsSync(xvfb) ? paths.find(existsSync) : undefined;
if (webkitPath === undefined) warnMissing('WebKitGTK', 'apt-get install libwebkit2gtk-4.1-0 xvfb');

const SETTINGS = {
  LC_ALL: 'C', // of C.UTF-8, `navigator.language` would be `C`, which `Intl` refuses
  WEBKIT_DISABLE_COMPOSITING_MODE: '1', // the emulation of a GPU would draw the pages, and take half as long again
};

/**
 * Opens a page in WebKitGTK, on a screen of its own. Nobody drives it: its WebDriver knows nothing of the console, whose errors and warnings,
 * those of workers too, are complaints here.
 */
async function openMiniBrowser(address: string, said: string[]): Promise<() => Promise<void>> {
  const screen = spawn(xvfb, ['-displayfd', '1'], { stdio: ['ignore', 'pipe', 'ignore'] });
  const [display] = await once(screen.stdout, 'data');
  const browser = spawn(webkitPath as string, ['--private', '--enable-write-console-messages-to-stdout=true', address], {
    env: { ...process.env, ...SETTINGS, DISPLAY: `:${String(display).trim()}` },
    stdio: ['ignore', 'ignore', 'pipe'], // the option names the wrong stream
  });
  createInterface({ input: browser.stderr }).on('line', (line) => {
    if (/ CONSOLE (?:[A-Z]+ )*(?:WARN|ERROR)/.test(line)) said.push(`complaint: ${line}`);
  });
  const ended = once(browser, 'exit');
  return async () => {
    browser.kill();
    await ended;
    screen.kill();
  };
}

/** Opens a page in Safari, once `sudo safaridriver --enable` has allowed that. Its console is not seen. */
async function openSafari(address: string): Promise<() => Promise<void>> {
  const sessions = 'http://127.0.0.1:4723/session';
  const driver = spawn(safari, ['--port', '4723'], { stdio: 'ignore' });
  const post = async (url: string, body: object) => (await fetch(url, { method: 'POST', body: JSON.stringify(body) })).json();
  const { value } = await vi.waitFor(() => post(sessions, { capabilities: { alwaysMatch: { browserName: 'safari' } } }), 10_000);
  const session = `${sessions}/${value.sessionId}`;
  await post(`${session}/url`, { url: address });
  return async () => {
    await fetch(session, { method: 'DELETE' });
    driver.kill();
  };
}

export const openWebkit = webkitPath === safari ? openSafari : openMiniBrowser;
