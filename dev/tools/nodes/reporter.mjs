// A reporter of node:test: one line of JSON per test, with the top-level `describe` or test that it belongs to.

// biome-ignore lint/style/noDefaultExport: Node takes a reporter from the default export
export default async function* report(source) {
  const names = [];
  for await (const { type, data } of source) {
    if (type === 'test:start') names[data.nesting] = data.name;
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    // If a suite fails in a hook of its own, nothing else reports it. A suite that was left out has no test that could say why.
    if (data.details?.type === 'suite' && type === 'test:pass' && data.skip === undefined) continue;
    const outcome = type === 'test:fail' ? 'failed' : data.skip === undefined ? 'passed' : 'skipped';
    const reason = typeof data.skip === 'string' ? data.skip : undefined;
    yield `${JSON.stringify({ group: data.nesting === 0 ? data.name : names[0], outcome, reason })}\n`;
  }
}
