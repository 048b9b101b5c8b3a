import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import { warnMissing } from '../node/missing';
import { PATIENCE } from '../patience.mjs';
import type { Watch } from './pages';

/** The Firefox that tests run in; undefined, with a loud warning, where none is installed. */
export const firefoxPath = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
  'C:/Program Files/Mozilla Firefox/firefox.exe',
].find(existsSync);
if (firefoxPath === undefined) warnMissing('Firefox', 'apt-get install firefox-esr');

const PREFERENCES = { 'ui.prefersReducedMotion': 1 };

/** Playwright drives a Firefox of its own making only; WebDriver BiDi is in every Firefox. */
export function launchFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    headless: true,
    timeout: PATIENCE,
    ...(firefoxPath ? { executablePath: firefoxPath } : {}),
    extraPrefsFirefox: PREFERENCES,
  });
}

/**
 * Opens a page in a Firefox that nobody drives. During a session of WebDriver, `new Worker` within a worker waits until the
 * session has been told. The thread of the new worker waits on the same condition variable, of which Firefox wakes one
 * waiter: if it is the wrong one, `new Worker` never returns.
 *
 * @returns closes it
 */
export async function openUndriven(address: string): Promise<() => Promise<void>> {
  const profile = await mkdtemp(join(tmpdir(), 'firefox-profile-'));
  const lines = Object.entries(PREFERENCES).map(([name, value]) => `user_pref("${name}", ${value});\n`);
  await writeFile(join(profile, 'user.js'), lines.join(''));
  const flags = ['--headless', '--no-remote', '--profile', profile, address];
  const firefox = spawn(firefoxPath as string, flags, { stdio: 'ignore' });
  const ended = once(firefox, 'exit');
  return async () => {
    firefox.kill();
    await ended;
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
}

/** What a page asks for, and what goes wrong, as the browser's console has it. */
export function watchFirefox(page: Page): Watch {
  const requests: string[] = [];
  const complaints: string[] = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(`${response.url()}: ${response.status()}`); // Firefox's console is silent
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) complaints.push(message.text());
  });
  return { requests, complaints };
}
