import { encodingOf } from 'certpin/probe';
import { FileError } from '../files/file-error.ts';
import type { Io } from '../io.ts';
import { readOptionText } from './option-file.ts';
import { type ShownTarget, showTarget } from './target.ts';

export interface TargetList {
  /** How many there are; undefined where standard input will tell. */
  readonly count: number | undefined;
  readonly targets: AsyncIterable<ShownTarget>;
}

/**
 * The targets of the arguments, then those of the files, one a line, `-` being standard input, which is read as it comes.
 *
 * @throws CertpinError `ERR_FILE_UNREADABLE`
 */
export function readTargetList(args: readonly ShownTarget[], files: readonly string[], io: Io): TargetList {
  const sources = files.map((path) => (path === '-' ? undefined : readLines(path)));
  const known = sources.filter((source) => source !== undefined);
  return {
    count: known.length < sources.length ? undefined : known.reduce((sum, { length }) => sum + length, args.length),
    targets: (async function* () {
      yield* args;
      for (const source of sources) {
        for await (const text of source ?? readStandardInput(io)) yield showTarget(text);
      }
    })(),
  };
}

/**
 * The targets of such files as they stand there, all of them at once.
 *
 * @throws CertpinError `ERR_FILE_UNREADABLE`
 */
export async function readTargetTexts(files: readonly string[], io: Io): Promise<string[]> {
  const texts: string[] = [];
  for (const path of files) {
    if (path !== '-') texts.push(...readLines(path));
    else for await (const text of readStandardInput(io)) texts.push(text);
  }
  return texts;
}

function readLines(path: string): string[] {
  return readOptionText({ path, option: '--targets-file', kind: 'list of targets' }).split(LINE_END).flatMap(targetOf);
}

const LINE_END = /\r\n|\n|\r/;

/** No target is so long, and what has no line end would be kept in memory for ever. */
const MAX_LINE = 64 * 1024;

async function* readStandardInput(io: Io): AsyncGenerator<string, void, void> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let first: Buffer = Buffer.alloc(0);
  let begun = '';
  for await (const chunk of io.stdin()) {
    first = Buffer.concat([first, Buffer.from(chunk as Buffer)]);
    if (first.length < 2) continue; // the encoding is told by two bytes
    decoder ??= new TextDecoder(encodingOf(first));
    const lines = (begun + decoder.decode(first, { stream: true })).split(LINE_END);
    first = Buffer.alloc(0);
    begun = lines.pop() ?? '';
    if (begun.length > MAX_LINE) throw new FileError('standard input: a line of more than 64 KiB is no target');
    yield* lines.flatMap(targetOf);
  }
  yield* targetOf(begun + (decoder ?? new TextDecoder()).decode(first));
}

/** A line without its comment: `#` begins one at the start of the line or behind a space, so that a URL may hold it. */
function targetOf(line: string): string[] {
  const target = line.replace(/(?:^|\s)#.*$/s, '').trim();
  return target === '' ? [] : [target];
}
