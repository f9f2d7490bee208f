/** Fields that can be assigned again, also those that a constructor declares by its parameters. */
const MUTABLE = new Set(['PropertyDefinition', 'AccessorProperty', 'TSAbstractPropertyDefinition', 'TSAbstractAccessorProperty'])

function mutableFieldsOf({ body }) {
  return body.flatMap((member) => {
    if (MUTABLE.has(member.type))
      return member.readonly ? [] : [member]
    return member.kind === 'constructor' ? member.value.params.filter(param => param.type === 'TSParameterProperty' && !param.readonly) : []
  })
}

/** A class with many mutable fields has more states than anybody can think through. */
const maxMutableFields = {
  meta: { type: 'suggestion', schema: [{ type: 'integer', minimum: 0 }] },
  create: context => ({
    ClassBody(node) {
      const [max] = context.options
      const { length } = mutableFieldsOf(node)
      if (length > max)
        context.report({ node: node.parent.id ?? node, message: `A class has ${length} fields that can change. Maximum allowed is ${max}: make fields readonly, or move some to where they belong.` })
    },
  }),
}

export default { meta: { name: 'sizes' }, rules: { 'max-mutable-fields': maxMutableFields } }
