import { test } from 'node:test';
import { longOnly } from '@certpin/testkit';
import { assertStory, runDemo } from './story.ts';

const profile = /✓ login\(ada@example\.com\) → \{"user_id":"1","email":"ada@example\.com"\}/;

for (const [script, main, story] of [
  [
    'demo',
    'demo/main.ts',
    [
      /\(a\) The right pin/,
      profile,
      /\(b\) An impostor/,
      /✓ refused\. The person who logs in is told: login is not possible at the moment\. The log is told:\n +pin mismatch/,
      /the impostor received 0 application bytes/,
      /\(c\) The certificate is rotated/,
      profile,
      /\(d\) The widespread technique/,
      /✗ refused: self-signed certificate/,
      /✗ connected\n +✗ an uncaught exception/,
      /✗ \d+ application bytes reached the impostor, ada@example\.com among them/,
      /✓ refused: ERR_PIN_MISMATCH, 0 application bytes/,
      /Done in [\d.]+ s; both servers are shut down/,
    ],
  ],
  [
    'demo:auth0',
    'auth0/main.ts',
    [
      /Write the scripts/,
      /wrote 8 files/,
      /Run the login/,
      /success: callback\(null, \{"user_id":"users\|1"/,
      /Prove that/,
      /held: no byte reached any of the impostors below/,
    ],
  ],
  [
    'demo:service',
    'service/main.ts',
    [
      /A database and an API/,
      /✓ GET \/users → 200 \[\{"email":"ada@example\.com"\}\]/,
      /✓ GET \/rates → 200 GET \/rates/,
      /Another server answers/,
      /✗ GET \/rates → 503 not possible at the moment/,
      /none of the pinned ones for/,
      /the other server received 0 bytes/,
      /✓ GET \/users → 200/,
    ],
  ],
] as const) {
  test(
    `npm run ${script} ends well, and says what it has to say, in this order`,
    script === 'demo:auth0' ? longOnly : {},
    async () => {
      assertStory(await runDemo(main), story);
    },
  );
}
