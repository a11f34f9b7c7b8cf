// The small changes that mutation.mjs makes: found by TypeScript's own parser, so that nothing in a type, a comment or a
// text is touched.
import ts from 'typescript'

const K = ts.SyntaxKind
/** An operator, and what a slip would make of it. */
const operators = new Map([
  [K.EqualsEqualsEqualsToken, ['!==']],
  [K.ExclamationEqualsEqualsToken, ['===']],
  [K.LessThanToken, ['<=', '>=']],
  [K.LessThanEqualsToken, ['<', '>']],
  [K.GreaterThanToken, ['>=', '<=']],
  [K.GreaterThanEqualsToken, ['>', '<']],
  [K.AmpersandAmpersandToken, ['||']],
  [K.BarBarToken, ['&&']],
  [K.PlusToken, ['-']],
  [K.MinusToken, ['+']],
  [K.AsteriskToken, ['/']],
  [K.PercentToken, ['*']]
])

/** What may stand in place of a node. */
function changesOf(node) {
  if (ts.isBinaryExpression(node)) {
    const { operatorToken, left, right } = node
    if (operatorToken.kind === K.QuestionQuestionToken)
      return [
        [node, left.getText()],
        [node, right.getText()]
      ]
    // A text is not a number: `'a' - b` is no slip.
    if (operatorToken.kind === K.PlusToken && [left, right].some(ts.isStringLiteralLike)) return []
    return (operators.get(operatorToken.kind) ?? []).map((by) => [operatorToken, by])
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === K.ExclamationToken) return [[node, node.operand.getText()]]
  if (node.kind === K.TrueKeyword) return [[node, 'false']]
  if (node.kind === K.FalseKeyword) return [[node, 'true']]
  if (ts.isNumericLiteral(node)) return [[node, `(${node.text} + 1)`]]
  if (ts.isIfStatement(node))
    return [
      [node.expression, 'true'],
      [node.expression, 'false']
    ]
  if (ts.isConditionalExpression(node))
    return [
      [node, `(${node.whenTrue.getText()})`],
      [node, `(${node.whenFalse.getText()})`]
    ]
  if (ts.isExpressionStatement(node) && ts.isCallExpression(node.expression)) return [[node, '']]
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return []
  const { name, expression } = node.expression
  if (name.text === 'every') return [[name, 'some']]
  if (name.text === 'some') return [[name, 'every']]
  return name.text === 'filter' ? [[node, expression.getText()]] : []
}

/** Every change to a file: what stands from `start` to `end` becomes `by`. */
export function mutantsOf(file, text) {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found = []
  const visit = (node) => {
    if (ts.isTypeNode(node) || ts.isImportDeclaration(node) || ts.isInterfaceDeclaration(node)) return
    for (const [place, by] of changesOf(node)) {
      const [start, end] = [place.getStart(), place.getEnd()]
      found.push({ line: source.getLineAndCharacterOfPosition(start).line + 1, start, end, by })
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}
