package io.github.bts4j.core.chat;

import com.hubspot.jinjava.interpret.Context;
import com.hubspot.jinjava.interpret.JinjavaInterpreter;
import java.util.List;
import java.util.Map;
import java.util.Set;
import jinjava.de.odysseus.el.misc.BooleanOperations;
import jinjava.de.odysseus.el.misc.TypeConverter;
import jinjava.de.odysseus.el.tree.Bindings;
import jinjava.de.odysseus.el.tree.impl.ast.AstBracket;
import jinjava.de.odysseus.el.tree.impl.ast.AstChoice;
import jinjava.de.odysseus.el.tree.impl.ast.AstDot;
import jinjava.de.odysseus.el.tree.impl.ast.AstIdentifier;
import jinjava.de.odysseus.el.tree.impl.ast.AstNested;
import jinjava.de.odysseus.el.tree.impl.ast.AstNode;
import jinjava.de.odysseus.el.tree.impl.ast.AstNull;
import jinjava.de.odysseus.el.tree.impl.ast.AstRightValue;
import jinjava.javax.el.ELContext;
import jinjava.javax.el.ELException;

/**
 * One or several comparisons in a row: {@code a == b in c} is {@code a == b and b in c}, with {@code b} evaluated once.
 *
 * <p>A name or an attribute without a value is Undefined here; Jinjava knows None alone. So a variable that was set to an undefined value is None, and so are such a
 * value in a list and what a filter finds in an empty list.
 */
final class PythonComparison extends AstRightValue {
    private static final Set<String> NONE = Set.of("none", "None");

    private final List<AstNode> operands;
    private final List<Operator> operators;

    /** The comparisons; the order of values is Jinjava's. */
    enum Operator {
        EQUAL("=="), UNEQUAL("!="), LESS("<"), AT_MOST("<="), GREATER(">"), AT_LEAST(">="), IN("in"), NOT_IN("not in");

        final String sign;

        Operator(String sign) {
            this.sign = sign;
        }

        boolean holds(TypeConverter converter, Object left, Object right) {
            return switch (this) {
                case EQUAL -> PythonValues.equal(left, right);
                case UNEQUAL -> !PythonValues.equal(left, right);
                case IN -> PythonValues.contains(right, left);
                case NOT_IN -> !PythonValues.contains(right, left);
                case LESS -> BooleanOperations.lt(converter, defined(left), defined(right));
                case AT_MOST -> BooleanOperations.le(converter, defined(left), defined(right));
                case GREATER -> BooleanOperations.gt(converter, defined(left), defined(right));
                case AT_LEAST -> BooleanOperations.ge(converter, defined(left), defined(right));
            };
        }

        private static Object defined(Object value) {
            return value == PythonValues.UNDEFINED ? null : value;
        }
    }

    PythonComparison(List<AstNode> operands, List<Operator> operators) {
        this.operands = List.copyOf(operands);
        this.operators = List.copyOf(operators);
    }

    @Override
    public Object eval(Bindings bindings, ELContext context) {
        Object left = operand(operands.get(0), bindings, context);
        boolean holds = true;
        for (int i = 0; holds && i < operators.size(); i++) {
            Object right = operand(operands.get(i + 1), bindings, context);
            holds = operators.get(i).holds(bindings, left, right);
            left = right;
        }
        return holds;
    }

    /**
     * A node's value, which may be {@link PythonValues#UNDEFINED}.
     *
     * @param node the node
     * @param bindings names
     * @param context where it is evaluated
     * @return its value; null is None
     */
    static Object operand(AstNode node, Bindings bindings, ELContext context) {
        if (node instanceof AstNested nested) {
            return operand(nested.getChild(0), bindings, context);
        }
        if (node instanceof AstChoice choice) {
            boolean first = bindings.convert(choice.getChild(0).eval(bindings, context), Boolean.class);
            return operand(choice.getChild(first ? 1 : 2), bindings, context);
        }
        if (node instanceof Attribute attribute) {
            return attribute.operand(bindings, context);
        }
        Object value = node.eval(bindings, context);
        boolean undefined = node instanceof AstNull || node instanceof AstIdentifier name && !NONE.contains(name.getName()) && !isSet(name.getName());
        return value == null && undefined ? PythonValues.UNDEFINED : value;
    }

    /** A context with a null says that it has no such key. */
    private static boolean isSet(String name) {
        for (Context scope = JinjavaInterpreter.getCurrent().getContext(); scope != null; scope = scope.getParent()) {
            if (scope.getScope().containsKey(name)) {
                return true;
            }
        }
        return false;
    }

    /** Something's attribute or element. */
    private interface Attribute {
        Object operand(Bindings bindings, ELContext context);

        static Object of(AstNode owner, Object base, Object name, ELContext context) {
            if (base == PythonValues.UNDEFINED) {
                throw new ELException("'" + owner + "' is undefined");
            }
            if (base == null || name == null) {
                return PythonValues.UNDEFINED;
            }
            context.setPropertyResolved(false);
            Object value = context.getELResolver().getValue(context, base, name);
            return value == null && !isNone(base, name) ? PythonValues.UNDEFINED : value;
        }

        private static boolean isNone(Object base, Object name) {
            if (base instanceof Map<?, ?> map) {
                return map.containsKey(name.toString());
            }
            return base instanceof List<?> list && name instanceof Number index && index.longValue() >= -list.size() && index.longValue() < list.size();
        }
    }

    /** {@code owner.name}. */
    static final class Dot extends AstDot implements Attribute {
        Dot(AstNode owner, String name, boolean lvalue, boolean ignoreReturnType) {
            super(owner, name, lvalue, ignoreReturnType);
        }

        @Override
        public Object operand(Bindings bindings, ELContext context) {
            return Attribute.of(prefix, PythonComparison.operand(prefix, bindings, context), property, context);
        }
    }

    /** {@code owner[name]}. */
    static final class Bracket extends AstBracket implements Attribute {
        Bracket(AstNode owner, AstNode name, boolean lvalue, boolean strict, boolean ignoreReturnType) {
            super(owner, name, lvalue, strict, ignoreReturnType);
        }

        @Override
        public Object operand(Bindings bindings, ELContext context) {
            return Attribute.of(prefix, PythonComparison.operand(prefix, bindings, context), property.eval(bindings, context), context);
        }
    }

    @Override
    public void appendStructure(StringBuilder structure, Bindings bindings) {
        operands.get(0).appendStructure(structure, bindings);
        for (int i = 0; i < operators.size(); i++) {
            structure.append(' ').append(operators.get(i).sign).append(' ');
            operands.get(i + 1).appendStructure(structure, bindings);
        }
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(operands.get(0).toString());
        for (int i = 0; i < operators.size(); i++) {
            text.append(' ').append(operators.get(i).sign).append(' ').append(operands.get(i + 1));
        }
        return text.toString();
    }

    @Override
    public int getCardinality() {
        return operands.size();
    }

    @Override
    public AstNode getChild(int index) {
        return operands.get(index);
    }
}
