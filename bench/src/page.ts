import type { Chart, Figure } from './figure.ts';
export function writePage(_figures: readonly Figure[], _charts: readonly Chart[]): void {}
