import { type Frame, parameters, pinnedName } from '../frame.ts';
import type { ClientPieces } from './client.ts';
import { apiPlace, apiSettings } from './http.ts';
import { keptFunction } from './keep.ts';

const binding = 'const axios = ';

export const axios: ClientPieces = {
  title: 'an HTTP API, with axios',
  settings: apiSettings,
  binding,
  functions: (frame) => [request(frame), getApi(frame)],
};

const request = (frame: Frame): string => `// An answer with a status that is not expected is an error.
async function request(${parameters(frame, 'method', 'url', 'data', 'expected')}) {
  return getApi(${parameters(frame)}).request({
    method,
    url,
    data,
    validateStatus: (status) => expected.includes(status),
    signal: AbortSignal.timeout(8000),
  });
}`;

function getApi(frame: Frame): string {
  return keptFunction(
    {
      ...{ name: 'getApi', what: 'api', settings: apiSettings, place: apiPlace('axios') },
      secrets: ['API_KEY', 'API_PINS'],
      required: [binding, 'axios'],
      make: `const config = ${pinnedName(frame)}(
  { baseURL: API_URL, headers: { 'x-api-key': API_KEY }, maxRedirects: 0 },
  { pins: API_PINS, connectTimeoutMs: 4000 },
  { keepAlive: true },
);
const api = axios.create(config);`,
      end: undefined,
    },
    frame,
  );
}
