import ts from 'typescript';

/**
 * A compiled module without its docstrings: the comments of the form `/** … *\/` before a declaration of the module, and before a member
 * of a class. They tell what a function is for and how it is called, and stand in the source. The comments between the lines, which tell
 * why, stay.
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
