import assert from 'node:assert/strict';
import { test } from 'node:test';
import { interruptAt, type TenantRequest } from '@certpin/testkit/tenant';
import { startPushStage } from '../push-stage.ts';

test('Ctrl-C while places are read: exit code 130, and nothing is written', async (t) => {
  const stage = await startPushStage(t);
  stage.write([stage.current]);
  const before = stage.tenant.plaintext();
  for (const command of ['diff', 'pull', 'push']) {
    const interrupt = interruptAt(stage.tenant, ({ path }) => path.endsWith('/connections'));
    const said = await stage.certpin(['auth0', command], { interrupt });
    assert.deepEqual([said.code, said.stdout, said.stderr], [130, '', ''], command);
  }
  assert.deepEqual(stage.tenant.plaintext(), before);
});

test('Ctrl-C in the middle of a push: exit code 130; what is done, what may be, and what is not is said, with the undo', async (t) => {
  const stage = await startPushStage(t);
  stage.write([stage.current]);
  const isActionsPatch = ({ method, path }: TenantRequest): boolean => method === 'PATCH' && path.includes('/actions/');
  const push = ['auth0', 'push', '--yes', '--values', stage.values];
  const said = await stage.certpin(push, { interrupt: interruptAt(stage.tenant, isActionsPatch) });
  assert.equal(said.code, 130);
  assert.match(said.stdout, /^written .*customers.*\n[\s\S]*^failed .*post-login[\s\S]*^not-done .*deploy\.env/m);
  assert.match(
    said.stderr,
    /^certpin: error: interrupted while the Action post-login of acme\.eu\.auth0\.com was written: it may have been\n.*snapshots.*\ncertpin: hint: certpin auth0 push --undo /,
  );
  const again = await stage.certpin(push);
  assert.deepEqual([again.code, again.stderr], [0, '']);
});

test('Ctrl-C while the canary logs in after the write: the pins are written, and the login is not verified', async (t) => {
  const runContainer = () => ({ login: async () => ({ profile: {} }), close: async () => undefined });
  const stage = await startPushStage(t, { runContainer });
  stage.write([stage.current]);
  const env = {
    ...stage.env,
    CERTPIN_CANARY_USERNAME: 'canary@example.com',
    CERTPIN_CANARY_PASSWORD: 'staple-battery',
  };
  // A token for the API, a login before the write, and one after it.
  let tokens = 0;
  const interrupt = interruptAt(stage.tenant, ({ path }) => path === '/oauth/token' && ++tokens === 3);
  const push = ['auth0', 'push', '--yes', '--verify-login', '--values', stage.values];
  const said = await stage.certpin(push, { env, interrupt });
  assert.deepEqual([said.code, said.stdout.match(/^written /gm)?.length], [130, 5]);
  assert.match(said.stderr, /^certpin: error: interrupted before the canary had logged in\n/);
});
