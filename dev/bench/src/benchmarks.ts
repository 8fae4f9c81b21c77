import type { Benchmark } from './figure.ts';
import { connect } from './figures/connect.ts';
import { databases } from './figures/databases.ts';
import { growth } from './figures/growth.ts';
import { keepAlive } from './figures/keep-alive.ts';
import { memory } from './figures/memory.ts';
import { reconnect } from './figures/reconnect.ts';
import { scan } from './figures/scan.ts';
import { start } from './figures/start.ts';
import { trust } from './figures/trust.ts';
import { verdict } from './figures/verdict.ts';
import { watch } from './figures/watch.ts';

/** In the order of the page. */
export const benchmarks: readonly Benchmark[] = [
  ...[verdict, connect, reconnect, keepAlive, databases],
  ...[scan, trust, watch, start, memory, growth],
];
