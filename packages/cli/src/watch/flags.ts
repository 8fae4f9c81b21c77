import type { Command } from 'commander';

/** Which watcher is meant. */
export interface StoreFlags {
  readonly config?: string;
  readonly file?: string;
  readonly store?: string;
  readonly storePinsFile?: string;
}

export interface WatchFlags extends StoreFlags {
  readonly interval?: string;
  readonly listen?: string;
  readonly behindProxy?: true;
  readonly timeZone?: string;
  readonly once?: true;
  readonly worker?: true;
  readonly quiet?: true;
  readonly printConfig?: true;
  readonly printUnit?: true;
}

export function addStoreOptions(command: Command): Command {
  return command
    .option('--config <file>', 'the configuration (default: certpin.watch.json, if it exists)')
    .option('--file <file>', 'the pins file (default: certpin.json)')
    .option(
      '--store <where>',
      'where the watcher keeps what it knows: sqlite:PATH, or postgres://USER@HOST/DATABASE (default: sqlite:certpin.watch.db)',
    )
    .option('--store-pins-file <file>', 'the pins file that has the pins of the server of the store');
}
