import { setFlagsFromString } from 'node:v8';

/**
 * A scan makes much and forgets it at once, and V8 lets the space for that grow to 30 MB a thread. Here it stays as it begins, which takes no
 * more time. V8 knows the flag (heap/new-spaces.cc), and sets it back where it makes another heap: so it is said again when a thread has
 * started. Where it is not known nothing happens.
 */
export function keepYoungGenerationSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}
