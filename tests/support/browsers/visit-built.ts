import type { Page } from 'playwright';
import { expect } from 'vitest';
import { PATIENCE } from '../patience.mjs';
import { launchChromium, serve, watch } from './pages';

interface VisitOptions {
  path?: string;
  /** Before the page is opened. */
  prepare?: (page: Page) => Promise<unknown>;
  isOnGpu?: boolean;
}

/** Serves a built page under `/some/folder/`, opens it, and has `look` look at it; nothing may go wrong in the page. */
export async function visitBuilt(built: string, look: (page: Page, requests: string[]) => Promise<void>, options: VisitOptions = {}) {
  const { path = '/some/folder/', prepare, isOnGpu } = options;
  const { server, origin } = await serve(built);
  const browser = await launchChromium({ isOnGpu });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(PATIENCE);
    const { complaints, requests } = watch(page);
    await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
    await prepare?.(page);
    await page.goto(origin + path);
    await look(page, requests);
    const ofThisTest = /willReadFrequently/; // its looks at a canvas
    expect(complaints.filter((text) => !ofThisTest.test(text))).toEqual([]);
  } finally {
    await browser.close();
    server.close();
  }
}
