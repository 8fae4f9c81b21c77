import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { certificateHex, mint } from '@certpin/testkit';
import { createPolicy, type GivenPolicyOptions, policyKeys } from '../../src/core/policy.ts';
import type { Policy } from '../../src/core/policy-type.ts';
import { refuseUnknownOptions } from '../../src/core/unknown-options.ts';
import { verify } from '../../src/core/verify.ts';
import { CertpinError } from '../../src/errors.ts';
import { outcome } from './support.ts';

const minted = await mint();
const pins = certificateHex(minted);

const invalidOption = (make: () => unknown): { option: string; message: string } => {
  try {
    make();
  } catch (error) {
    assert.ok(error instanceof CertpinError, String(error));
    assert.equal(error.code, 'ERR_OPTION_INVALID');
    return { option: (error as CertpinError<'ERR_OPTION_INVALID'>).details.option, message: error.message };
  }
  return assert.fail('it was accepted');
};

describe('createPolicy', () => {
  it('has safe defaults', () => {
    const policy = createPolicy({ pins });
    assert.deepEqual(
      { ...policy, pins: policy.pins.length },
      {
        ...policy,
        pins: 1,
        issuerPins: [],
        knownCertificates: [],
        expired: 'refuse',
        hostnameVerification: undefined,
        caVerification: 'ignore',
      },
    );
  });

  it('keeps what it is given', () => {
    const policy = createPolicy({
      pins,
      issuerPins: minted.certPem,
      expired: 'accept',
      hostnameVerification: 'require',
      caVerification: 'require',
    });
    assert.equal(policy.pins[0]?.sha256, pins);
    assert.equal(policy.issuerPins[0]?.sha256, pins);
    assert.equal(policy.knownCertificates.length, 1);
    assert.deepEqual(
      [policy.expired, policy.hostnameVerification, policy.caVerification],
      ['accept', 'require', 'require'],
    );
  });

  it('is frozen, the lists too', () => {
    const policy = createPolicy({ pins, issuerPins: minted.certPem });
    for (const part of [policy, policy.pins, policy.issuerPins, policy.knownCertificates, ...policy.pins])
      assert.ok(Object.isFrozen(part));
  });

  it('does not follow the options that it was made from', () => {
    const options = { pins: [pins], expired: 'refuse' as 'refuse' | 'accept' };
    const policy = createPolicy(options);
    options.pins.push('AB'.repeat(32));
    options.expired = 'accept';
    assert.equal(policy.pins.length, 1);
    assert.equal(policy.expired, 'refuse');
  });

  it('takes an option that is undefined for one that is not there', () => {
    const options = Object.fromEntries(policyKeys.map((key) => [key, undefined])) as never as GivenPolicyOptions;
    assert.deepEqual({ ...createPolicy({ ...options, pins }) }, { ...createPolicy({ pins }) });
    assert.deepEqual({ ...createPolicy({ ...options, issuerPins: pins }) }, { ...createPolicy({ issuerPins: pins }) });
  });

  it('refuses options without a pin', () => {
    const [unset] = [process.env.CERTPIN_TEST_VARIABLE_THAT_IS_NOT_SET];
    for (const options of [
      {},
      { pins: undefined },
      { pins: unset },
      { expired: 'accept' },
      { pins: undefined, issuerPins: undefined },
      [],
    ]) {
      const { option, message } = invalidOption(() => createPolicy(options as GivenPolicyOptions));
      assert.equal(option, 'pins');
      assert.match(message, /needs pins/);
    }
  });

  it('refuses empty pins, with the code of a pin', () => {
    for (const empty of ['', ' ', '# nothing', [], [''], null, 0, {}, false]) {
      assert.throws(() => createPolicy({ pins: empty as never }), { code: 'ERR_PIN_INVALID' });
      assert.throws(() => createPolicy({ issuerPins: empty as never }), { code: 'ERR_PIN_INVALID' });
      // One good list does not make up for the other.
      assert.throws(() => createPolicy({ pins, issuerPins: empty as never }), { code: 'ERR_PIN_INVALID' });
    }
  });

  it('refuses what is no object', () => {
    for (const options of [undefined, null, pins, 1, true, () => pins]) {
      assert.equal(invalidOption(() => createPolicy(options as never)).option, 'policy');
    }
  });

  for (const [misspelt, meant] of [
    ['pin', 'pins'],
    ['Pins', 'pins'],
    ['issuerPin', 'issuerPins'],
    ['issuerpins', 'issuerPins'],
    ['issuesPins', 'issuerPins'],
    ['expire', 'expired'],
    ['expried', 'expired'],
    ['hostNameVerification', 'hostnameVerification'],
    ['hostnameVerificaton', 'hostnameVerification'],
    ['caverification', 'caVerification'],
    ['CAVerification', 'caVerification'],
  ] as const) {
    it(`refuses \`${misspelt}\` and asks whether \`${meant}\` was meant`, () => {
      const { option, message } = invalidOption(() =>
        createPolicy({ pins, [misspelt]: 'accept' } as GivenPolicyOptions),
      );
      assert.equal(option, misspelt);
      assert.ok(message.endsWith(`; did you mean \`${meant}\`?`), message);
    });
  }

  it('refuses an unknown option that is like none, without a guess', () => {
    for (const unknown of ['rejectUnauthorized', 'fingerprint', 'allowInsecure', 'x', 'toString']) {
      const { option, message } = invalidOption(() => createPolicy({ pins, [unknown]: 1 } as GivenPolicyOptions));
      assert.equal(option, unknown);
      assert.equal(message, `unknown policy option \`${unknown}\``);
    }
  });

  it('refuses a value that it does not know', () => {
    for (const [option, values] of [
      ['expired', ['Accept', 'require', 'ignore', 'yes', '', true, false, null, 1, ['accept'], {}]],
      ['hostnameVerification', ['Require', 'accept', 'refuse', '', true, false, null, 0]],
      ['caVerification', ['IGNORE', 'accept', 'none', '', true, false, null, 0]],
    ] as const) {
      for (const value of values) {
        const refusal = invalidOption(() => createPolicy({ pins, [option]: value } as GivenPolicyOptions));
        assert.equal(refusal.option, option);
        assert.match(refusal.message, /must be one of '\w+', '\w+'$/);
      }
    }
  });

  it('does not repeat a wrong value, which may be a secret in the wrong field', () => {
    assert.doesNotMatch(invalidOption(() => createPolicy({ pins, expired: 'hunter2' as never })).message, /hunter2/);
  });

  it('gives a policy back as it is', () => {
    const policy = createPolicy({ pins, expired: 'accept' });
    assert.equal(createPolicy(policy), policy);
  });

  it('takes no object from JSON for a policy that was checked', () => {
    const forged = JSON.parse(JSON.stringify(createPolicy({ pins }))) as Policy;
    assert.throws(() => createPolicy(forged), { code: 'ERR_OPTION_INVALID' });
    assert.throws(() => createPolicy({ ...forged, 'Symbol(certpin.policy)': true } as never), {
      code: 'ERR_OPTION_INVALID',
    });
  });

  it('takes a policy that was made by another copy of the library', async () => {
    // As the tests of the errors do, this reads what `npm run build` has made.
    const esm = (await import('../../dist/esm/index.js' as string)) as { createPolicy: typeof createPolicy };
    const cjs = createRequire(import.meta.url)('../../dist/cjs/index.js') as { createPolicy: typeof createPolicy };
    for (const copy of [esm, cjs]) {
      assert.notEqual(copy.createPolicy, createPolicy);
      const theirs = copy.createPolicy({ pins, issuerPins: minted.certPem });
      assert.equal(createPolicy(theirs), theirs);
      assert.equal(copy.createPolicy(createPolicy({ pins })).pins.length, 1);
      assert.equal(outcome(verify({ certificates: [minted.x509] }, theirs)), 'leaf');
    }
  });
});

describe('refuseUnknownOptions', () => {
  it('names the object in which the option stands', () => {
    assert.match(
      invalidOption(() => refuseUnknownOptions({ prot: 1 }, ['port'], 'pinnedThing')).message,
      /^unknown pinnedThing option `prot`; did you mean `port`\?$/,
    );
  });

  it('refuses an unknown one whatever it is set to, and lets what is undefined pass', () => {
    for (const value of [null, false, '', 0]) {
      const { option } = invalidOption(() => refuseUnknownOptions({ prot: value }, ['port'], 'pinnedThing'));
      assert.equal(option, 'prot');
    }
    refuseUnknownOptions({ prot: undefined }, ['port'], 'pinnedThing');
  });

  it('repeats no name but a word: what was put in its place may hold a password', () => {
    for (const name of ['postgres://app:geheim@db.example/', 'a geheim', 'geheim\u001b[2J', 'geheim'.repeat(11)]) {
      const { option, message } = invalidOption(() => refuseUnknownOptions({ [name]: 1 }, ['port'], 'pinnedThing'));
      assert.equal(option, '…');
      assert.equal(message, 'unknown pinnedThing option `…`');
    }
  });

  it('lets known options pass', () => refuseUnknownOptions({ port: 1, host: undefined }, ['port', 'host'], 'x'));
});
