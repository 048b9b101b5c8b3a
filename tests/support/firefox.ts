import { existsSync } from 'node:fs';
import puppeteer, { type Browser, type Page } from 'puppeteer-core';
import type { Watch } from './pages';
import { PATIENCE } from './patience.mjs';

/** The Firefox that tests run in; undefined, with a loud warning, where none is installed. */
export const firefoxPath = [
  '/usr/bin/firefox-esr',
  '/usr/bin/firefox',
  '/Applications/Firefox.app/Contents/MacOS/firefox',
].find(existsSync);
if (firefoxPath === undefined) {
  const message = 'Firefox: its tests DO NOT RUN. Install it: apt-get install firefox-esr';
  if (process.env['CI']) throw new Error(message);
  console.warn(`\n${'!'.repeat(100)}\n!! ${message}\n${'!'.repeat(100)}\n`);
}

/** Playwright drives a Firefox of its own making only; WebDriver BiDi is in every Firefox. */
export function launchFirefox(): Promise<Browser> {
  return puppeteer.launch({
    browser: 'firefox',
    headless: true,
    timeout: PATIENCE,
    ...(firefoxPath ? { executablePath: firefoxPath } : {}),
    extraPrefsFirefox: { 'ui.prefersReducedMotion': 1 },
  });
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
