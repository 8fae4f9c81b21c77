import pc from 'picocolors';

/** Everything that the demo prints goes through these. */
export function chapter(title: string): void {
  console.log(`\n${pc.bold(title)}`);
}

export function line(text: string): void {
  console.log(`  ${text}`);
}

/** Something another program said, or would say. */
export function quote(text: string): void {
  for (const row of text.split('\n')) console.log(pc.dim(`    ${row}`));
}

export function good(text: string): void {
  console.log(`  ${pc.green('✓')} ${text}`);
}

export function bad(text: string): void {
  console.log(`  ${pc.red('✗')} ${text}`);
}
