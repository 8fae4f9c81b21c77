import ts from 'typescript';

/**
 * A compiled module without its docstrings: the comments of the form `/** … *\/` before a declaration of the module, and before a member of
 * a class. They say what a function is for and how to call it, and stay in the source. The comments between the lines say why, and are
 * kept.
 */
export function withoutDocstrings(code) {
  const source = ts.createSourceFile('module.js', code, ts.ScriptTarget.Latest, true, ts.ScriptKind.JS);
  const documented = source.statements.flatMap((statement) =>
    ts.isClassDeclaration(statement) ? [statement, ...statement.members] : [statement],
  );
  const comments = documented
    .flatMap((node) => ts.getLeadingCommentRanges(code, node.getFullStart()) ?? [])
    .filter(({ pos }) => code.startsWith('/**', pos))
    .sort((a, b) => b.pos - a.pos);
  return comments.reduce((text, { pos, end }) => text.slice(0, pos) + text.slice(end).replace(/^\s*\n?/, ''), code);
}
