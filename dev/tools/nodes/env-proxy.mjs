// The program of env-proxy.test.ts: it runs with NODE_USE_ENV_PROXY and says what became of its requests.
import { request } from 'node:https';
import { createRequire } from 'node:module';
import process from 'node:process';

const require = createRequire(import.meta.url);
const { mode, right, wrong, pins, axios, undici } = JSON.parse(process.argv[2]);
const libraries = {
  import: {
    ...(await import('certpin/https')),
    ...(await import('certpin/undici')),
    ...(await import('certpin/axios')),
  },
  require: { ...require('certpin/https'), ...require('certpin/undici'), ...require('certpin/axios') },
};
const outcomes = {};

if (mode === 'unpinned') {
  outcomes.agent = await outcome(() => post(right, {}));
  outcomes.fetch = await outcome(() => fetch(right));
} else {
  const { pinnedAgent, pinnedFetch, pinnedAxios } = libraries[mode];
  const send = (api, url) => api(url, { method: 'POST', body: 'secret' }).then((response) => response.text());
  for (const url of [right, wrong]) {
    const agent = pinnedAgent({ pins });
    const client = require(axios).create(pinnedAxios({}, { pins }));
    const { Agent, fetch } = require(undici);
    outcomes[url === right ? 'right' : 'wrong'] = {
      agent: await outcome(() => post(url, { agent })),
      axios: await outcome(async () => (await client.post(url, 'secret')).data),
      fetch: await outcome(() => send(pinnedFetch({ pins }), url)),
      undici: await outcome(() => send(pinnedFetch({ pins }, { Agent, fetch }), url)),
    };
  }
}
process.stdout.write(JSON.stringify(outcomes), () => process.exit());

/** The answer, or the code of the error or of its cause. */
async function outcome(send) {
  try {
    return String(await send());
  } catch (error) {
    return error.cause?.code ?? error.code ?? error.message;
  }
}

function post(url, options) {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ...options, method: 'POST' }, (response) => {
      let answer = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        answer += chunk;
      });
      response.on('end', () => resolve(answer));
    });
    outgoing.on('error', reject).end('secret');
  });
}
