package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import io.github.bts4j.core.chat.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;

/** Tokens to statements: the tags of jinja2, {@code break}, {@code continue} and transformers' {@code generation}. */
final class Parser {
    /** As many nested blocks as CPython compiles. */
    private static final int MAX_DEPTH = 98;

    private final TokenStream tokens;
    private final ExpressionParser expressions;
    private final Deque<String> open = new ArrayDeque<>();

    private Parser(TokenStream tokens) {
        this.tokens = tokens;
        this.expressions = new ExpressionParser(tokens);
    }

    static List<Statement> parse(String template) {
        return new Parser(new TokenStream(Lexer.tokens(template))).statements(Set.of());
    }

    /** Statements up to a tag of {@code ends}, which is then current, or up to the end if there are none. */
    private List<Statement> statements(Set<String> ends) {
        List<Statement> body = new ArrayList<>();
        List<Expression> output = new ArrayList<>();
        while (!tokens.current().is(Kind.EOF)) {
            Token token = tokens.next();
            if (token.is(Kind.DATA)) {
                output.add(new Expression.Const(new Markup(token.text()), token.place()));
            } else if (token.is(Kind.VARIABLE_BEGIN)) {
                output.add(expressions.tuple(true, false, null));
                tokens.expect(Kind.VARIABLE_END);
            } else {
                flush(output, body);
                if (tokens.current().is(Kind.NAME) && ends.contains(tokens.current().text())) {
                    return body;
                }
                body.add(statement());
                tokens.expect(Kind.BLOCK_END);
            }
        }
        flush(output, body);
        throwIf(!ends.isEmpty(),
                () -> Fault.syntax("Unexpected end of template. Jinja was looking for the following tags: " + quoted(ends) + ". The innermost block that needs to be"
                        + " closed is '" + open.peek() + "'.", tokens.place()));
        return body;
    }

    private static String quoted(Set<String> names) {
        return String.join(" or ", names.stream().sorted().map(name -> "'" + name + "'").toList());
    }

    private static void flush(List<Expression> output, List<Statement> body) {
        if (!output.isEmpty()) {
            body.add(new Statement.Output(List.copyOf(output), output.get(0).place()));
            output.clear();
        }
    }

    /** The body of a tag up to and with its end. */
    private List<Statement> body(String end) {
        List<Statement> body = body(Set.of(end));
        tokens.next();
        return body;
    }

    private List<Statement> body(Set<String> ends) {
        tokens.skipOperator(":");
        tokens.expect(Kind.BLOCK_END);
        throwIf(open.size() > MAX_DEPTH, () -> Fault.syntax("blocks are nested deeper than " + MAX_DEPTH + " levels", tokens.place()));
        return statements(ends);
    }

    private Statement statement() {
        Token token = tokens.current();
        throwIf(!token.is(Kind.NAME), () -> Fault.syntax("tag name expected", token.place()));
        open.push(token.text());
        tokens.next();
        Statement statement = switch (token.text()) {
            case "for" -> loop(token.place());
            case "if" -> condition(token.place());
            case "set" -> set(token.place());
            case "with" -> with(token.place());
            case "macro" -> macro(token.place());
            case "call" -> call(token.place());
            case "filter" -> new Statement.FilterBlock(filters(expressions.filter(null)), body("endfilter"), token.place());
            case "generation" -> new Statement.CallBlock(null, new Statement.Signature(List.of(), List.of()), body("endgeneration"), token.place());
            case "print" -> print(token.place());
            case "autoescape" -> new Statement.AutoEscape(expressions.expression(true), body("endautoescape"), token.place());
            case "block" -> block(token.place());
            case "extends", "include", "import", "from" -> load(token);
            case "break" -> new Statement.Break(token.place());
            case "continue" -> new Statement.Continue(token.place());
            default -> throw unknown(token);
        };
        open.pop();
        return statement;
    }

    private Fault unknown(Token token) {
        open.pop();
        String innermost = open.isEmpty() ? "" : " The innermost block that needs to be closed is '" + open.peek() + "'.";
        return Fault.syntax("Encountered unknown tag '" + token.text() + "'." + innermost, token.place());
    }

    /** More filters behind the first, each applied to the one before. */
    private Expression.Filter filters(Expression.Filter first) {
        Expression.Filter filter = first;
        int levels = 0;
        while (tokens.skipOperator("|")) {
            tokens.enter(1);
            levels++;
            filter = expressions.filter(filter);
        }
        tokens.leave(levels);
        return filter;
    }

    private Statement loop(Place place) {
        Expression target = expressions.target(false, "in");
        tokens.expectName("in");
        Expression iterable = expressions.tuple(false, false, "recursive");
        Expression test = tokens.skipName("if") ? expressions.expression(true) : null;
        boolean recursive = tokens.skipName("recursive");
        List<Statement> body = body(Set.of("endfor", "else"));
        List<Statement> otherwise = tokens.next().isName("endfor") ? List.of() : body("endfor");
        return new Statement.For(target, iterable, test, recursive, body, otherwise, place);
    }

    private Statement condition(Place place) {
        List<Expression> tests = new ArrayList<>();
        List<List<Statement>> bodies = new ArrayList<>();
        List<Statement> otherwise = List.of();
        while (true) {
            tests.add(expressions.tuple(false, false, null));
            bodies.add(body(Set.of("elif", "else", "endif")));
            Token end = tokens.next();
            if (end.isName("elif")) {
                continue;
            }
            if (end.isName("else")) {
                otherwise = body("endif");
            }
            return new Statement.If(tests, bodies, otherwise, place);
        }
    }

    private Statement set(Place place) {
        Expression target = expressions.target(true, null);
        if (tokens.skipOperator("=")) {
            return new Statement.Assign(target, expressions.tuple(true, false, null), place);
        }
        Expression.Filter filter = tokens.skipOperator("|") ? filters(expressions.filter(null)) : null;
        return new Statement.AssignBlock(target, filter, body("endset"), place);
    }

    private Statement with(Place place) {
        List<Expression> targets = new ArrayList<>();
        List<Expression> values = new ArrayList<>();
        while (!tokens.current().is(Kind.BLOCK_END)) {
            if (!targets.isEmpty()) {
                tokens.expectOperator(",");
            }
            targets.add(expressions.target(false, null));
            tokens.expectOperator("=");
            values.add(expressions.expression(true));
        }
        return new Statement.With(targets, values, body("endwith"), place);
    }

    private String assignable() {
        Token name = tokens.expect(Kind.NAME);
        throwIf(Set.of("true", "false", "none", "True", "False", "None").contains(name.text()),
                () -> Fault.syntax("can't assign to 'name'", name.place()));
        return name.text();
    }

    private Statement.Signature signature() {
        List<String> parameters = new ArrayList<>();
        List<Expression> defaults = new ArrayList<>();
        tokens.expectOperator("(");
        tokens.list(")", false, () -> {
            Place place = tokens.place();
            String parameter = assignable();
            throwIf(parameters.contains(parameter), () -> Fault.syntax("duplicate argument '" + parameter + "'", place));
            if (tokens.skipOperator("=")) {
                defaults.add(expressions.expression(true));
            } else if (!defaults.isEmpty()) {
                throw Fault.syntax("non-default argument follows default argument", place);
            }
            parameters.add(parameter);
        });
        return new Statement.Signature(parameters, defaults);
    }

    private Statement macro(Place place) {
        String name = assignable();
        Statement.Signature signature = signature();
        return new Statement.Macro(name, signature, body("endmacro"), place);
    }

    private Statement call(Place place) {
        boolean parameters = tokens.current().isOperator("(");
        Statement.Signature signature = parameters ? signature() : new Statement.Signature(List.of(), List.of());
        if (expressions.expression(true) instanceof Expression.Call call) {
            return new Statement.CallBlock(call, signature, body("endcall"), place);
        }
        throw Fault.syntax("expected call", place);
    }

    private Statement print(Place place) {
        List<Expression> parts = new ArrayList<>();
        while (!tokens.current().is(Kind.BLOCK_END)) {
            if (!parts.isEmpty()) {
                tokens.expectOperator(",");
            }
            parts.add(expressions.expression(true));
        }
        return new Statement.Output(parts, place);
    }

    private Statement block(Place place) {
        String name = tokens.expect(Kind.NAME).text();
        boolean scoped = tokens.skipName("scoped");
        boolean required = tokens.skipName("required");
        throwIf(tokens.current().isOperator("-"),
                () -> Fault.syntax("Block names in Jinja have to be valid Python identifiers and may not contain hyphens, use an underscore instead.", place));
        List<Statement> body = body("endblock");
        throwIf(required && !body.stream().allMatch(Parser::isBlank),
                () -> Fault.syntax("Required blocks can only contain comments or whitespace", place));
        tokens.skipName(name);
        return new Statement.Block(name, scoped, required, body, place);
    }

    private static boolean isBlank(Statement statement) {
        return statement instanceof Statement.Output output && output.parts().stream()
                .allMatch(part -> part instanceof Expression.Const constant && constant.value() instanceof Markup text && Text.isBlank(text.text()));
    }

    /** The tags that load another template; they are understood, and refused when they are reached. */
    private Statement load(Token keyword) {
        Expression template = expressions.expression(true);
        List<String> names = new ArrayList<>();
        if (keyword.isName("import")) {
            tokens.expectName("as");
            names.add(assignable());
        } else if (keyword.isName("from")) {
            tokens.expectName("import");
            imported(names);
        } else if (keyword.isName("include") && tokens.current().isName("ignore") && tokens.following().isName("missing")) {
            tokens.next();
            tokens.next();
        }
        if (!keyword.isName("extends")) {
            context();
        }
        return new Statement.Load(keyword.text(), template, names, keyword.place());
    }

    private void imported(List<String> names) {
        do {
            if (!names.isEmpty() && context()) {
                return;
            }
            Place place = tokens.place();
            String name = assignable();
            throwIf(name.startsWith("_"), () -> Fault.syntax("names starting with an underline can not be imported", place));
            names.add(tokens.skipName("as") ? assignable() : name);
        } while (tokens.skipOperator(","));
    }

    private boolean context() {
        boolean found = (tokens.current().isName("with") || tokens.current().isName("without")) && tokens.following().isName("context");
        if (found) {
            tokens.next();
            tokens.next();
        }
        return found;
    }
}
