import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { type ProbeFailure, parseTarget, type Target } from 'certpin/probe';
import { type Failure, failureOf } from '../failure.ts';
import { FileError } from '../files/file-error.ts';

/** A target that was read, or why it cannot be read. An unreadable one may be a mistyped connection string, and must not be shown. */
export type ShownTarget =
  | { readonly target: Target; readonly label: string; readonly refusal?: undefined }
  | { readonly target?: undefined; readonly label?: undefined; readonly refusal: ProbeFailure['error'] };

/**
 * Reads a target, and says under which name answers, errors and hints may show it. `-` is standard input.
 *
 * @param place its place in a list, for the error
 */
export function showTarget(text: string, place?: string): ShownTarget {
  try {
    const target: Target = text === '-' ? { protocol: 'file', label: '-', path: '-' } : parseTarget(text);
    return { target, label: target.label };
  } catch (error) {
    return { refusal: placed(failureOf(error), place) };
  }
}

/** The error for a target in a list. */
export function placed(failure: Failure, place: string | undefined): Failure {
  return place === undefined ? failure : { ...failure, message: `${place}: ${failure.message}` };
}

/**
 * How errors name a file. Usually by its path. If there is no such file, and the path could be a connection string, by the option that gave
 * it.
 */
export function showPath(path: string, option: string): string {
  if (path === '') return option;
  const mayHoldLogin = (text: string): boolean => /[@=]|^(?:[\w-]+\+)?unix:/i.test(text);
  if (!mayHoldLogin(path) || existsSync(path)) return path;
  return existsSync(dirname(path)) && !mayHoldLogin(basename(path)) ? path : option;
}

/** @throws FileError for the path of a pins file that must not be repeated, nor become the name of a new file */
export function refuseConnectionString(path: string): void {
  if (path === '-') throw new FileError('--file: a pins file cannot be standard input: give its path');
  if (showPath(path, '') === '') throw new FileError('--file: no such file', 'certpin help trust');
}
