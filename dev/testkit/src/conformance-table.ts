import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type ConformanceCase, ConformanceFailure, type SuiteAdapter, whyNotRun } from './conformance.ts';

/** What came of one case for one adapter. */
interface Cell {
  readonly passed: boolean;
  /** How many exchanges with wrong servers were tried. */
  readonly refusals: number;
  /** Application bytes that a wrong server received. */
  readonly bytes: number;
  readonly message: string;
}

/** Runs cases and notes what came of them: adapter by case. Nothing in it differs from one good run to the next. */
export class ConformanceTable {
  readonly #adapters: readonly string[];
  readonly #cases: readonly string[];
  /** By adapter and case. What has not ended has no cell, so it cannot pass for a success. */
  readonly #cells = new Map<string, Cell>();
  /** By adapter and case: why the adapter cannot express it. */
  readonly #reasons = new Map<string, string>();

  constructor(
    adapters: readonly Pick<SuiteAdapter, 'name' | 'cannot'>[],
    cases: readonly Pick<ConformanceCase, 'name' | 'needs'>[],
  ) {
    this.#adapters = adapters.map(({ name }) => name);
    this.#cases = cases.map(({ name }) => name);
    for (const adapter of adapters) {
      for (const suiteCase of cases) {
        const reason = whyNotRun(adapter, suiteCase);
        if (reason !== undefined) this.#reasons.set(keyOf(adapter.name, suiteCase.name), reason);
      }
    }
  }

  /** Runs a case, notes the outcome, and rejects as the case does. */
  async run(adapter: SuiteAdapter, { name, run }: ConformanceCase): Promise<void> {
    let refusals = 0;
    let bytes = 0;
    const onWrongServer = (received: number): void => {
      refusals++;
      bytes = Math.max(bytes, received);
    };
    const note = (passed: boolean, message: string): void => {
      this.#cells.set(keyOf(adapter.name, name), { passed: passed && bytes === 0, refusals, bytes, message });
    };
    try {
      await run({ ...adapter, onWrongServer });
      note(true, '');
    } catch (error) {
      note(false, error instanceof ConformanceFailure ? error.message : String(error));
      throw error;
    }
  }

  /** Whether a case of an adapter that can express it has not run. */
  isPartial(): boolean {
    return this.#expected().some((cell) => cell === undefined);
  }

  /** For a terminal: the case stands last, because its name is long. Failures are told below. */
  toText(): string {
    const widths = this.#adapters.map((name) => Math.max(name.length, '✗ 1000 B'.length));
    const line = (cells: readonly string[], last: string): string =>
      `${cells.map((cell, index) => cell.padStart(widths[index] ?? 0)).join('  ')}  ${last}`;
    const failures = this.#adapters.flatMap((adapter) =>
      this.#cases.flatMap((name) => {
        const cell = this.#cell(adapter, name);
        return cell === undefined || cell.passed ? [] : [`✗ ${adapter}, ${name}: ${cell.message}`];
      }),
    );
    return [
      'Conformance. ✓ passed; 0 B passed, and the wrong server received 0 bytes; ✗ failed; – not run; n/a see below.',
      line(this.#adapters, 'case'),
      ...this.#cases.map((name) => line(this.#row(name), name)),
      line(this.#sums('refusals').map(String), 'exchanges with wrong servers'),
      line(this.#sums('bytes').map(String), 'bytes that they received'),
      ...failures,
      ...this.#inexpressible().map((line) => `n/a ${line}`),
    ].join('\n');
  }

  /** For the documentation: the page as it stands in the repository, up to its last byte. */
  toMarkdown(): string {
    const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
    return `${[
      introduction,
      row(['case', ...this.#adapters]),
      row(['---', ...this.#adapters.map(() => ':-:')]),
      ...this.#cases.map((name) => row([name, ...this.#row(name)])),
      row(['**exchanges with wrong servers**', ...this.#sums('refusals').map(String)]),
      row(['**bytes that they received**', ...this.#sums('bytes').map((bytes) => `**${bytes}**`)]),
      ...(this.#reasons.size === 0 ? [] : ['', 'What a client cannot express (n/a):', '']),
      ...this.#inexpressible().map((line) => `- ${line}`),
    ].join('\n')}\n`;
  }

  /**
   * Holds the table against the page, and writes the page where they differ.
   *
   * @throws Error where a case failed or was not run, with the page left as it is; and where the page was not this table
   */
  publish(page: string): void {
    if (!this.#expected().every((cell) => cell?.passed))
      throw new Error(`not every case has passed: ${page} stays as it is`);
    const table = this.toMarkdown();
    if (existsSync(page) && readFileSync(page, 'utf8') === table) return;
    writeFileSync(page, table);
    throw new Error(`${page} was out of date; it has been written anew: commit it`);
  }

  /** Of every case that an adapter can express. */
  #expected(): (Cell | undefined)[] {
    return this.#adapters.flatMap((adapter) =>
      this.#cases.flatMap((name) => (this.#reasons.has(keyOf(adapter, name)) ? [] : [this.#cell(adapter, name)])),
    );
  }

  /** What was not run, and why: one line for each reason. */
  #inexpressible(): string[] {
    const lines = new Map<string, { adapters: Set<string>; names: Set<string> }>();
    for (const adapter of this.#adapters) {
      for (const name of this.#cases) {
        const reason = this.#reasons.get(keyOf(adapter, name));
        if (reason === undefined) continue;
        const line = lines.get(reason) ?? { adapters: new Set(), names: new Set() };
        lines.set(reason, line);
        line.adapters.add(adapter);
        line.names.add(`“${name}”`);
      }
    }
    return [...lines].map(
      ([reason, { adapters, names }]) => `${[...adapters].join('; ')}: ${reason}. Not run: ${[...names].join('; ')}.`,
    );
  }

  #cell(adapter: string, name: string): Cell | undefined {
    return this.#cells.get(keyOf(adapter, name));
  }

  #row(name: string): string[] {
    return this.#adapters.map((adapter) => {
      const cell = this.#cell(adapter, name);
      if (cell === undefined) return this.#reasons.has(keyOf(adapter, name)) ? 'n/a' : '–';
      const bytes = cell.refusals > 0 ? `${cell.bytes} B` : '';
      return cell.passed ? bytes || '✓' : `✗ ${bytes}`.trim();
    });
  }

  /** Per adapter. */
  #sums(key: 'refusals' | 'bytes'): number[] {
    return this.#adapters.map((adapter) =>
      this.#cases.reduce((sum, name) => sum + (this.#cell(adapter, name)?.[key] ?? 0), 0),
    );
  }
}

function keyOf(adapter: string, name: string): string {
  return JSON.stringify([adapter, name]);
}

const introduction = `<!-- Written by \`npm run test:conformance\`. Do not edit it: run that, and commit what it writes. -->
# Conformance

Every adapter runs every case of the [conformance suite](../dev/testkit/src/conformance.ts) that it can express, with the client
itself, as npm delivers it, and the compiled library. The servers are real: TLS and HTTP servers of Node, and PostgreSQL and MariaDB
behind a relay that presents the certificate of the case, counts what it can decrypt, and passes everything on. A wrong server is
therefore one that would answer.

What a column proves of its adapter:

- it reaches the pinned server, by every kind of pin, over TLS 1.2 and 1.3, with pools, sessions and client certificates;
- the server that is called decides whose pins count: no \`Host\` header does, and a server name only where the configuration gives it;
- every exchange with a wrong server is refused with the error that the case names, as an ordinary rejection of the client's own call;
- whatever the client had ready to send, the user name and the password with it, **the wrong server received 0 bytes** after the handshake.

The suite can fail: [recipe.test.ts](../packages/certpin/test/recipe.test.ts) runs it against another technique, and it does. What is
peculiar to a client, other versions of it included, is tested beside it in [test/adapters](../packages/certpin/test/adapters).

- ✓: passed; the case has no wrong server.
- 0 B: passed; in every exchange the wrong server was refused, and it received 0 bytes.
- n/a: the client cannot express the case; the reasons stand below the table.

A run in which a case fails, or is left out, does not write this page.
`;
