import type { Node } from 'estree';
import type { Scene } from './scene.ts';

/** Nodes of a type that is not analysed, and texts that may be the name of a prototype. */
export function judgeSyntax(scene: Scene, node: Node): void {
  if (!UNDERSTOOD_NODES.has(node.type)) scene.unclear(node, `\`${node.type}\` is not understood`);
  const text = node.type === 'Literal' ? node.value : node.type === 'TemplateElement' ? node.value.cooked : undefined;
  // A path or a JSON text may lead to a prototype too: `_.set(object, 'constructor.prototype.then', …)`.
  if (typeof text === 'string' && /__proto__|\bconstructor\b|\bprototype\b/.test(text))
    scene.unclear(node, 'a text that may be the name of a prototype');
}

const UNDERSTOOD_NODES = new Set(
  `ArrayExpression ArrayPattern ArrowFunctionExpression AssignmentExpression AssignmentPattern AwaitExpression BinaryExpression
  BlockStatement BreakStatement CallExpression CatchClause ChainExpression ClassBody ClassDeclaration ClassExpression
  ConditionalExpression ContinueStatement DebuggerStatement DoWhileStatement EmptyStatement ExportDefaultDeclaration
  ExportNamedDeclaration ExportSpecifier ExpressionStatement ForInStatement ForOfStatement ForStatement FunctionDeclaration
  FunctionExpression Identifier IfStatement ImportDeclaration ImportDefaultSpecifier ImportExpression ImportNamespaceSpecifier
  ImportSpecifier LabeledStatement Literal LogicalExpression MemberExpression MethodDefinition NewExpression ObjectExpression
  ObjectPattern PrivateIdentifier Program Property PropertyDefinition RestElement ReturnStatement SequenceExpression SpreadElement
  StaticBlock Super SwitchCase SwitchStatement TaggedTemplateExpression TemplateElement TemplateLiteral ThisExpression ThrowStatement
  TryStatement UnaryExpression UpdateExpression VariableDeclaration VariableDeclarator WhileStatement YieldExpression`.split(
    /\s+/,
  ),
);
