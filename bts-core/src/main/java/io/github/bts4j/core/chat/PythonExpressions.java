package io.github.bts4j.core.chat;

import com.hubspot.jinjava.el.ExtendedSyntaxBuilder;
import com.hubspot.jinjava.el.TruthyTypeConverter;
import com.hubspot.jinjava.el.ext.ExtendedParser;
import com.hubspot.jinjava.objects.SafeString;
import java.util.Objects;
import java.util.Properties;
import jinjava.de.odysseus.el.ExpressionFactoryImpl;
import jinjava.de.odysseus.el.misc.BooleanOperations;
import jinjava.de.odysseus.el.misc.TypeConverter;
import jinjava.de.odysseus.el.tree.TreeBuilder;
import jinjava.de.odysseus.el.tree.impl.Builder;
import jinjava.de.odysseus.el.tree.impl.Parser;
import jinjava.de.odysseus.el.tree.impl.ast.AstBinary;
import jinjava.de.odysseus.el.tree.impl.ast.AstNode;

/** Jinjava's expressions, in which {@code ==} and {@code !=} compare as in Python: Jinjava converts one side to the other's type, and '' to false or 0. */
final class PythonExpressions extends ExpressionFactoryImpl {
    PythonExpressions() {
        super(new Properties(), new TruthyTypeConverter());
    }

    @Override
    protected TreeBuilder createTreeBuilder(Properties properties, Builder.Feature... features) {
        return new Syntax(features);
    }

    private static final class Syntax extends ExtendedSyntaxBuilder {
        private static final long serialVersionUID = 1;

        Syntax(Builder.Feature... features) {
            super(features);
        }

        @Override
        protected Parser createParser(String expression) {
            return new ExtendedParser(this, expression) {
                @Override
                protected AstBinary createAstBinary(AstNode left, AstNode right, AstBinary.Operator operator) {
                    boolean equality = operator == AstBinary.EQ || operator == AstBinary.NE;
                    return super.createAstBinary(left, right, equality ? new Equality(operator == AstBinary.EQ) : operator);
                }
            };
        }
    }

    private static final class Equality extends AstBinary.SimpleOperator {
        private final boolean wanted;

        Equality(boolean wanted) {
            this.wanted = wanted;
        }

        @Override
        protected Object apply(TypeConverter converter, Object left, Object right) {
            Object a = plain(left);
            Object b = plain(right);
            return wanted == (a instanceof Number && b instanceof Number ? BooleanOperations.eq(converter, a, b) : Objects.equals(a, b));
        }

        /** In Python a truth value is a number, and a text marked as safe is a text. */
        private static Object plain(Object value) {
            if (value instanceof Boolean truth) {
                return truth ? 1L : 0L;
            }
            return value instanceof SafeString || value instanceof Character ? value.toString() : value;
        }

        @Override
        public String toString() {
            return wanted ? "==" : "!=";
        }
    }
}
