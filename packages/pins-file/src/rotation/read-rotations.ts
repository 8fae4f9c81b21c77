import { formatPin, parsePin } from 'certpin';
import { PinsFileError } from '../pins-file-error.ts';
import {
  type Begun,
  evidences,
  type FilePins,
  type NextCertificate,
  type Rotation,
  rotationSteps,
  type StepDone,
  stepsOf,
} from './rotation.ts';

/**
 * Reads the file of the rotations. Only programs write it, but what is not understood is an error: a skipped step locks people out.
 *
 * @throws PinsFileError. The content is not repeated
 */
export function parseRotations(text: string, path: string): readonly Rotation[] {
  try {
    const root = fieldsOf(JSON.parse(text), ['version', 'rotations']);
    if (Number.isInteger(root.version) && Number(root.version) > 1) {
      throw new PinsFileError(
        `${path}: version ${root.version} of the format needs a newer certpin; this one reads version 1`,
        'npm install --global @certpin/cli@latest',
      );
    }
    if (root.version !== 1) throw new Error('"version" is not 1');
    const rotations = listOf(root.rotations, readRotation);
    const keys = new Set(rotations.map(({ key }) => key));
    if (keys.size !== rotations.length) throw new Error('a target occurs twice');
    return rotations;
  } catch (error) {
    if (error instanceof PinsFileError) throw error;
    const reason = error instanceof SyntaxError ? 'it is not JSON' : (error as Error).message;
    throw new PinsFileError(`${path}: it is damaged: ${reason}; certpin has not written it like this`, undefined, {
      cause: error,
    });
  }
}

/** @returns the text of the file */
export function formatRotations(rotations: readonly Rotation[]): string {
  return `${JSON.stringify({ version: 1, rotations }, undefined, 2)}\n`;
}

function readRotation(value: unknown): Rotation {
  const own = ['target', 'key', 'protocol', 'startedAt', 'settleSeconds', 'next', 'wasPinned', 'old', 'leaked'];
  const fields = fieldsOf(value, [...own, 'file', 'done'], ['id', 'oldEnds', 'begun', 'ended']);
  const rotation: Rotation = {
    ...{ target: textOf(fields.target), key: textOf(fields.key), id: maybe(fields.id, textOf) },
    ...{ protocol: textOf(fields.protocol), startedAt: timeOf(fields.startedAt) },
    ...{
      settleSeconds: secondsOf(fields.settleSeconds),
      next: readNext(fields.next),
      wasPinned: yesOf(fields.wasPinned),
    },
    ...{ old: listOf(fields.old, pinOf), oldEnds: maybe(fields.oldEnds, timeOf), leaked: yesOf(fields.leaked) },
    ...{ file: readFilePins(fields.file), done: listOf(fields.done, readDone), begun: maybe(fields.begun, readBegun) },
    ended: maybe(fields.ended, (one) => {
      const { how, at } = fieldsOf(one, ['how', 'at']);
      return { how: oneOf(how, ['retired', 'aborted'] as const), at: timeOf(at) };
    }),
  };
  const steps = stepsOf(rotation);
  if (rotation.done.length === 0 || rotation.done.some(({ step }, index) => step !== steps[index])) {
    throw new Error('its steps are not in their order');
  }
  return rotation;
}

function readNext(value: unknown): NextCertificate {
  const fields = fieldsOf(value, ['pin', 'source', 'file'], ['key', 'validFrom', 'validTo']);
  return {
    ...{ pin: pinOf(fields.pin), source: textOf(fields.source), file: textOf(fields.file) },
    key: maybe(fields.key, textOf),
    ...{ validFrom: maybe(fields.validFrom, timeOf), validTo: maybe(fields.validTo, timeOf) },
  };
}

function readDone(value: unknown): StepDone {
  const fields = fieldsOf(value, ['step', 'at', 'evidence', 'because']);
  return {
    ...{ step: oneOf(fields.step, rotationSteps), at: timeOf(fields.at) },
    ...{ evidence: oneOf(fields.evidence, evidences), because: textOf(fields.because) },
  };
}

function readBegun(value: unknown): Begun {
  const { step, at, file } = fieldsOf(value, ['step', 'at', 'file']);
  return { step: oneOf(step, [...rotationSteps, 'abort'] as const), at: timeOf(at), file: readFilePins(file) };
}

function readFilePins(value: unknown): FilePins {
  const { pins, issuerPins, revoked } = fieldsOf(value, ['pins', 'issuerPins', 'revoked']);
  return { pins: listOf(pins, pinOf), issuerPins: listOf(issuerPins, pinOf), revoked: listOf(revoked, pinOf) };
}

function fieldsOf(value: unknown, keys: readonly string[], optional: readonly string[] = []): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error('an object is missing');
  const missing = keys.find((key) => !Object.hasOwn(value, key));
  if (missing !== undefined) throw new Error(`"${missing}" is missing`);
  if (Object.keys(value).some((key) => !keys.includes(key) && !optional.includes(key))) {
    throw new Error('there is an unknown key');
  }
  return value as Record<string, unknown>;
}

function maybe<Read>(value: unknown, read: (value: unknown) => Read): Read | undefined {
  return value === undefined ? undefined : read(value);
}

function listOf<Read>(value: unknown, read: (value: unknown) => Read): Read[] {
  if (!Array.isArray(value)) throw new Error('a list is missing');
  return value.map((one) => read(one));
}

function textOf(value: unknown): string {
  if (typeof value !== 'string' || value === '') throw new Error('a text is missing');
  return value;
}

/** In the one spelling in which pins are compared. */
function pinOf(value: unknown): string {
  const text = textOf(value);
  let spelled: string;
  try {
    spelled = formatPin(parsePin(text));
  } catch {
    throw new Error('a pin cannot be read');
  }
  if (spelled !== text) throw new Error('a pin is written in another way');
  return text;
}

/** In the one spelling in which times are compared: that of `toISOString`. */
function timeOf(value: unknown): string {
  const text = textOf(value);
  const time = new Date(text);
  if (Number.isNaN(time.getTime()) || time.toISOString() !== text) throw new Error('a time cannot be read');
  return text;
}

/** A year is longer than any wait. With more seconds than a calendar has, no end could be calculated. */
const LONGEST_WAIT_SECONDS = 366 * 86_400;

function secondsOf(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > LONGEST_WAIT_SECONDS)
    throw new Error('a number cannot be read');
  return value;
}

function yesOf(value: unknown): boolean {
  if (typeof value !== 'boolean') throw new Error('a yes or no is missing');
  return value;
}

function oneOf<Word extends string>(value: unknown, words: readonly Word[]): Word {
  const word = words.find((one) => one === value);
  if (word === undefined) throw new Error('a word is unknown');
  return word;
}
