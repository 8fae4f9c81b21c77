/** One instruction: its name, and what follows, with the lines joined. */
interface Instruction {
  readonly name: string;
  readonly value: string;
}

/** The instructions from one FROM to the next. */
export interface Stage {
  readonly image: string;
  readonly name: string | undefined;
  readonly instructions: readonly Instruction[];
}

/** Reads a Containerfile, as far as ours goes: an instruction a line. @throws Error */
export function readContainerfile(text: string): readonly Stage[] {
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const [, name = '', value = ''] = /^([A-Z]+) (.+[^\\])$/.exec(line) ?? [];
    if (name === '') throw new Error(`an instruction in one line is expected: ${line}`);
    const [, image = '', stageName] = name === 'FROM' ? (/^(\S+)(?: AS (\S+))?$/.exec(value) ?? []) : [];
    if (name === 'FROM') stages.push({ image, name: stageName, instructions: [] });
    else if (stages.length === 0) throw new Error('FROM comes first');
    else stages.at(-1)?.instructions.push({ name, value });
  }
  return stages;
}

/** What a stage says last under a name. */
export function lastOf({ instructions }: Stage, name: string): string | undefined {
  return instructions.filter((one) => one.name === name).at(-1)?.value;
}
