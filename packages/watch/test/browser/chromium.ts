import { requirePackage } from '@certpin/testkit/debian';
import { type Browser, chromium } from 'playwright-core';

/** Debian's Chromium. It is installed where it is missing and can be. */
export function openBrowser(): Promise<Browser> {
  const executablePath = requirePackage('chromium', 'chromium');
  // Its own sandbox needs rights that a container does not give; nothing but our own pages is shown in it.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}
