package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.github.bts4j.core.support.JsonReader;
import io.github.bts4j.core.tokenizer.LlamaTokenizer;
import java.util.List;
import java.util.Set;

/**
 * What a generated text must be: tokens with which it could no longer become so are not chosen. A text that ends by itself satisfies the constraint; one that ends
 * at a limit of its length may be incomplete.
 *
 * <p>Immutable and thread-safe. It keeps what it learns about a vocabulary, within about 16 MiB: use one constraint for many texts.
 */
public final class Constraint {
    /** Any text. */
    public static final Constraint NONE = new Constraint(null, "none");

    private static final long MOST_BYTES = 16L << 20;

    private final Automaton automaton;
    private final String description;

    private Constraint(Node root, String description) {
        this.automaton = root == null ? null : new Automaton(root, MOST_BYTES);
        this.description = description;
    }

    /**
     * A JSON object of any content.
     *
     * @return the constraint
     */
    public static Constraint jsonObject() {
        return jsonSchema(JsonNodeFactory.instance.objectNode().put("type", "object"));
    }

    /**
     * A JSON value that fits a JSON schema (2020-12). Supported are type, enum, const, properties, required, additionalProperties, minProperties, maxProperties, items,
     * prefixItems, minItems, maxItems, minLength, maxLength, pattern, format, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, anyOf, oneOf (whose schemas no
     * value fits together), allOf, and $ref to places in the schema. Properties come in the order of the schema, and others than the declared ones only where
     * additionalProperties allows them or none are declared.
     *
     * @param schema the schema
     * @return the constraint
     * @throws IllegalArgumentException naming what is not supported and its place, or if no value fits the schema or it is too complex
     */
    public static Constraint jsonSchema(JsonNode schema) {
        return new Constraint(new WholeText(SchemaCompiler.compile(schema)).rule(), "JSON schema");
    }

    /**
     * A JSON value that fits a JSON schema, see {@link #jsonSchema(JsonNode)}.
     *
     * @param schema the schema's JSON text
     * @return the constraint
     * @throws IllegalArgumentException if the text is not JSON, naming what is not supported and its place, or if no value fits the schema or it is too complex
     */
    public static Constraint jsonSchema(String schema) {
        return jsonSchema(JsonReader.STRICT.line(schema));
    }

    /**
     * Calls of tools, whose arguments fit the schemas.
     *
     * @param syntax how the model writes calls
     * @param tokenizer the model's tokenizer
     * @param tools the tools that may be called, at least one
     * @param must whether the text must be calls; otherwise it is any text, which may end with calls
     * @param several whether there may be more than one call
     * @return the constraint
     * @throws IllegalArgumentException naming the tool and what is not supported in its schema
     */
    public static Constraint toolCalls(CallSyntax syntax, LlamaTokenizer tokenizer, List<CallableTool> tools, boolean must, boolean several) {
        Node rule = new CallGrammar(syntax, tokenizer).rule(tools, must, several);
        return new Constraint(must ? new WholeText(rule).rule() : rule, "tool calls");
    }

    /**
     * Calls of tools whose arguments fit their schemas, or else a JSON value that fits another schema.
     *
     * @param syntax how the model writes calls
     * @param tokenizer the model's tokenizer
     * @param tools the tools that may be called, at least one
     * @param several whether there may be more than one call
     * @param answer the schema of an answer without calls
     * @return the constraint
     * @throws IllegalArgumentException naming what is not supported in a schema
     */
    public static Constraint toolCallsOr(CallSyntax syntax, LlamaTokenizer tokenizer, List<CallableTool> tools, boolean several, JsonNode answer) {
        Alternatives both = new Alternatives();
        both.productive();
        both.add(new CallGrammar(syntax, tokenizer).rule(tools, true, several));
        both.add(SchemaCompiler.compile(answer));
        return new Constraint(new WholeText(both).rule(), "tool calls or JSON schema");
    }

    /**
     * Whether any text is allowed.
     *
     * @return true for {@link #NONE}
     */
    public boolean isNone() {
        return automaton == null;
    }

    /**
     * Begins a text.
     *
     * @param tokenizer the model's tokenizer
     * @param endTokens the tokens that end the text
     * @return the text's guide
     */
    public Guide begin(LlamaTokenizer tokenizer, Set<Integer> endTokens) {
        return automaton == null ? Guide.FREE : new Guide(automaton, TokenTrie.of(tokenizer), endTokens);
    }

    /** For tests. */
    Guide begin(TokenTrie trie, Set<Integer> endTokens) {
        return new Guide(automaton, trie, endTokens);
    }

    @Override
    public String toString() {
        return "Constraint[" + description + "]";
    }
}
