import { encodingOf } from 'certpin/probe';
import { type Failure, failureOf } from '../failure.ts';
import { FileError } from '../files/file-error.ts';
import type { Io } from '../io.ts';
import { readOptionText } from './option-file.ts';
import { placed, type ShownTarget, showPath, showTarget } from './target.ts';

/** A target as it stands in a list. */
export interface Listed {
  readonly text: string;
  /** `hosts.txt, line 4`. It names a target that cannot be read, because such a target must not be shown. */
  readonly place: string;
}

export interface TargetList {
  /** How many there are. undefined: they come from standard input. */
  readonly count: number | undefined;
  readonly targets: AsyncIterable<ShownTarget>;
}

/**
 * The targets of the arguments, then those of the files, one on each line. `-` is standard input, which is read as it comes.
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
        for await (const { text, place } of source ?? readStandardInput(io)) yield showTarget(text, place);
      }
    })(),
  };
}

/**
 * The targets of such files as they stand there, all of them at once.
 *
 * @throws CertpinError `ERR_FILE_UNREADABLE`
 */
export async function readTargetTexts(files: readonly string[], io: Io): Promise<Listed[]> {
  const listed: Listed[] = [];
  for (const path of files) {
    if (path !== '-') listed.push(...readLines(path));
    else for await (const one of readStandardInput(io)) listed.push(one);
  }
  return listed;
}

/** All unreadable targets are reported together. None is repeated: its place says which one it is. */
export function readEach<Result>(
  named: readonly (Pick<Listed, 'text'> & Partial<Listed>)[],
  read: (text: string) => Result,
): { readonly results: readonly Result[]; readonly refusals: readonly Failure[] } {
  const results: Result[] = [];
  const refusals: Failure[] = [];
  for (const { text, place } of named) {
    try {
      results.push(read(text));
    } catch (error) {
      refusals.push(placed(failureOf(error), place));
    }
  }
  return { results, refusals };
}

function readLines(path: string): Listed[] {
  const option = '--targets-file';
  const toListed = listedIn(showPath(path, option));
  return readOptionText({ path, option, kind: 'list of targets' }).split(LINE_END).flatMap(toListed);
}

const LINE_END = /\r\n|\n|\r/;

/** No target is longer. Text without a line end would otherwise stay in memory for ever. */
const MAX_LINE = 64 * 1024;

async function* readStandardInput(io: Io): AsyncGenerator<Listed, void, void> {
  const toListed = listedIn('standard input');
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  let first: Buffer = Buffer.alloc(0);
  let begun = '';
  for await (const chunk of io.stdin()) {
    first = Buffer.concat([first, Buffer.from(chunk as Buffer)]);
    if (first.length < 2) continue; // The first two bytes show the encoding.
    decoder ??= new TextDecoder(encodingOf(first));
    const lines = (begun + decoder.decode(first, { stream: true })).split(LINE_END);
    first = Buffer.alloc(0);
    begun = lines.pop() ?? '';
    if (begun.length > MAX_LINE) throw new FileError('standard input: a line of more than 64 KiB is not a target');
    yield* lines.flatMap(toListed);
  }
  yield* toListed(begun + (decoder ?? new TextDecoder()).decode(first));
}

/** A line without its comment. `#` begins a comment at the start of the line or after a space, so that a URL may contain it. */
function targetOf(line: string): string {
  return line.replace(/(?:^|\s)#.*$/s, '').trim();
}

/** Gets one line after the other. Returns the target in it, if there is one, and its place. */
function listedIn(source: string): (line: string) => Listed[] {
  let number = 0;
  return (line) => {
    number++;
    const text = targetOf(line);
    return text === '' ? [] : [{ text, place: `${source}, line ${number}` }];
  };
}
