import { type Frame, parameters, pinnedName } from '../frame.ts';
import type { ClientPieces } from './client.ts';
import { apiPlace, apiSettings } from './http.ts';
import { keptFunction } from './keep.ts';

export const fetch: ClientPieces = {
  title: 'an HTTP API, with fetch',
  settings: apiSettings,
  binding: undefined,
  functions: (frame) => [request(frame), getApi(frame)],
};

const request = (frame: Frame): string => `// An answer with a status that is not expected is an error.
async function request(${parameters(frame, 'method', 'path', 'body', 'expected')}) {
  const { API_URL, API_KEY } = readSettings(${parameters(frame)});
  const api = getApi(${parameters(frame)});
  const response = await api(\`\${API_URL}\${path}\`, {
    method,
    headers: { 'content-type': 'application/json', 'x-api-key': API_KEY },
    body: body && JSON.stringify(body),
    redirect: 'manual',
    signal: AbortSignal.timeout(8000),
  });
  // It is read to its end in any case: then the connection can be used again.
  const text = await response.text();
  if (!expected.includes(response.status)) {
    throw new Error(\`\${method} was answered with status \${response.status}\`);
  }
  return { status: response.status, data: response.ok && text ? readJson(text) : undefined };
}

// The message of JSON.parse would repeat a piece of the answer.
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the answer is no JSON');
  }
}`;

function getApi(frame: Frame): string {
  return keptFunction(
    {
      ...{ name: 'getApi', what: 'api', settings: apiSettings, place: apiPlace('fetch') },
      secrets: ['API_KEY', 'API_PINS'],
      required: undefined,
      make: `const api = ${pinnedName(frame)}({ pins: API_PINS, connectTimeoutMs: 4000 });`,
      end: 'if (known) known.api.dispatcher.close().catch(() => {});',
    },
    frame,
  );
}
