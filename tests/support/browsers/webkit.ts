import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { warnMissing } from '../node/missing';

const xvfb = '/usr/bin/Xvfb';
const paths = ['x86_64', 'aarch64'].map((machine) => `/usr/lib/${machine}-linux-gnu/webkit2gtk-4.1/MiniBrowser`);

/** The browser that comes with WebKitGTK; undefined, with a loud warning, where none is installed, or no screen for it. */
export const webkitPath = existsSync(xvfb) ? paths.find(existsSync) : undefined;
if (webkitPath === undefined) warnMissing('WebKitGTK', 'apt-get install libwebkit2gtk-4.1-0 xvfb');

const SETTINGS = {
  LC_ALL: 'C', // of C.UTF-8, `navigator.language` would be `C`, which `Intl` refuses
  WEBKIT_DISABLE_COMPOSITING_MODE: '1', // the emulation of a GPU would draw the pages, and take half as long again
};

/**
 * Opens a page in WebKitGTK, on a screen of its own. Nobody drives it: its WebDriver knows nothing of the console, whose errors and warnings,
 * those of workers too, are complaints here.
 */
export async function openWebkit(address: string, said: string[]): Promise<() => Promise<void>> {
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
