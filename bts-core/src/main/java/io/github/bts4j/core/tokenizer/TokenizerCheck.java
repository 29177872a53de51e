package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.checkpoint.ModelFormatException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Map;

/**
 * Checks a tokenizer.json before the native tokenizer reads it: a panic there aborts the process, so anything unexpected is refused here, with
 * the key and the value. It supports the components of the Rust crate {@code tokenizers} 0.21 and their parameters.
 */
final class TokenizerCheck {

    private static final double STEPS = 2.5e8; // of a search, about five seconds
    private static final int MAX_DEPTH = 24;

    private final Path file;
    private final Normalizers normalizers = new Normalizers();
    private int degree;
    private long factor = 1;
    private double preGrowth = 1;
    private double decodeGrowth = 1;

    private TokenizerCheck(Path file) {
        this.file = file;
    }

    /**
     * Checks the whole file. Truncation and padding, which are never used, are taken out of {@code root}.
     *
     * @throws ModelFormatException if the native tokenizer could panic or hang on it
     */
    static TextLimits check(Path file, ObjectNode root, Vocabulary vocabulary) {
        wellFormed(file, root, 0);
        root.putNull("truncation");
        root.putNull("padding");
        return new TokenizerCheck(file).parts(root, vocabulary);
    }

    private TextLimits parts(ObjectNode root, Vocabulary vocabulary) {
        Component whole = new Component(file, "tokenizer", root);
        whole.allow("version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model");
        throwIf(root.has("version") && !root.path("version").asText().equals("1.0"),
                () -> new ModelFormatException(file, "version = " + Component.shown(root.path("version")) + ", known is \"1.0\""));
        int longest = Models.check(component(root, "model", true));
        Component normalizer = component(root, "normalizer", false);
        if (normalizer != null) {
            normalizers.check(normalizer, 0);
        }
        AddedTokens.check(file, root.path("added_tokens"), root.path("model"), normalizers);
        Component pre = component(root, "pre_tokenizer", false);
        if (pre != null) {
            preTokenizer(pre, 0);
        }
        Component post = component(root, "post_processor", false);
        int added = post == null ? 0 : new PostProcessors(vocabulary).check(post, 0);
        Component decoder = component(root, "decoder", false);
        if (decoder != null) {
            decoder(decoder, 0);
        }
        return limits(longest, added);
    }

    private TextLimits limits(int longest, int added) {
        degree = Math.max(degree, normalizers.degree());
        factor = Math.max(factor, normalizers.factor());
        double growth = normalizers.growth() * preGrowth;
        double length = degree == 0 ? 10 * STEPS / factor : Math.sqrt(STEPS / factor);
        double byToken = 10 * STEPS / longest;
        int max = (int) Math.min(TextLimits.MAX_CHARS, Math.min(length, byToken) / normalizers.growth());
        throwIf(max < 1024,
                () -> new ModelFormatException(file, "has expressions or tokens so slow that texts could have at most " + max + " characters; at least 1024 are required"));
        String reason = max == TextLimits.MAX_CHARS ? "the limit of this library" : byToken < length ? "its longest token has " + longest + " bytes"
                : "its regular expressions can take long on longer ones";
        return new TextLimits(max, reason, growth, normalizers.unicodeGrowth(), added, decodeGrowth);
    }

    private Component component(ObjectNode root, String key, boolean required) {
        JsonNode node = root.path(key);
        if (!required && (node.isMissingNode() || node.isNull())) {
            return null;
        }
        return new Component(file, key, node);
    }

    private void preTokenizer(Component component, int depth) {
        switch (component.type()) {
            case "Sequence" -> {
                component.allow("type", "pretokenizers");
                throwIf(depth > 4, () -> component.problem("is nested deeper than 4"));
                component.inner("pretokenizers").forEach(inner -> preTokenizer(inner, depth + 1));
            }
            case "ByteLevel" -> {
                byteLevel(component);
                prepends(component, component.node().path("add_prefix_space").asBoolean());
            }
            case "Metaspace" -> {
                metaspace(component);
                prepends(component, true);
            }
            case "Split" -> split(component);
            case "Punctuation" -> {
                component.allow("type", "behavior");
                if (component.node().has("behavior")) {
                    behavior(component);
                }
            }
            case "Digits" -> {
                component.allow("type", "individual_digits");
                component.flag("individual_digits");
            }
            case "CharDelimiterSplit" -> {
                component.allow("type", "delimiter");
                component.character("delimiter");
            }
            case "BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts" -> component.allow("type");
            default -> throw component.problem("is not known: known pre-tokenizers are Sequence, ByteLevel, Metaspace, Split, Punctuation, Digits,"
                    + " CharDelimiterSplit, BertPreTokenizer, Whitespace, WhitespaceSplit and UnicodeScripts");
        }
    }

    private void split(Component component) {
        component.allow("type", "pattern", "behavior", "invert");
        RegexCheck.Cost cost = component.pattern();
        throwIf(cost.nullable() && component.node().path("pattern").has("String"), () -> component.problem("has an empty pattern"));
        behavior(component);
        component.flag("invert");
        cost(component, cost);
    }

    private void cost(Component component, RegexCheck.Cost cost) {
        throwIf(cost.degree() > 1, () -> component.problem("has an expression that goes back over a text in several loops at once, '"
                + Component.shown(component.node().path("pattern").path("Regex").asText()) + "': it could hang"));
        degree = Math.max(degree, cost.degree());
        factor = Math.max(factor, cost.factor());
    }

    private void prepends(Component component, boolean prefix) {
        preGrowth *= prefix ? 2 : 1;
        throwIf(preGrowth > 16, () -> component.problem("is the fifth that puts a space before each word, at most four are taken"));
    }

    private static void behavior(Component component) {
        component.choice("behavior", "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous");
    }

    static void byteLevel(Component component) {
        component.allow("type", "add_prefix_space", "trim_offsets", "use_regex");
        component.flag("add_prefix_space");
        component.flag("trim_offsets");
        component.defaultFlag("use_regex");
    }

    private static void metaspace(Component component) {
        component.allow("type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep");
        component.character("replacement");
        component.optionalFlags("add_prefix_space", "split");
        component.optionalText("str_rep", 16);
        String scheme = component.node().has("prepend_scheme") ? component.choice("prepend_scheme", "first", "never", "always") : "always";
        JsonNode prefix = component.node().path("add_prefix_space");
        throwIf(prefix.isBoolean() && !prefix.asBoolean() && !scheme.equals("never"),
                () -> component.problem("has 'add_prefix_space' = false beside 'prepend_scheme' = '" + scheme + "'"));
    }

    private void decoder(Component component, int depth) {
        switch (component.type()) {
            case "Sequence" -> {
                component.allow("type", "decoders");
                throwIf(depth > 4, () -> component.problem("is nested deeper than 4"));
                component.inner("decoders").forEach(inner -> decoder(inner, depth + 1));
            }
            case "ByteLevel" -> byteLevel(component);
            case "Metaspace" -> metaspace(component);
            case "ByteFallback", "Fuse" -> component.allow("type");
            case "Strip" -> {
                component.allow("type", "content", "start", "stop");
                component.character("content");
                component.integer("start", 1024);
                component.integer("stop", 1024);
            }
            case "Replace" -> {
                component.allow("type", "pattern", "content");
                component.pattern();
                decodeGrowth *= Math.max(1, component.shortText("content", 64).length());
                throwIf(decodeGrowth > 64,
                        () -> component.problem("lets a token grow " + Math.round(decodeGrowth) + "-fold, at most 64-fold is allowed"));
            }
            default -> throw component.problem("cannot decode token by token");
        }
    }

    /** Refuses half surrogate pairs, deep nesting, and numbers that a double cannot hold. */
    private static void wellFormed(Path file, JsonNode node, int depth) {
        throwIf(depth > MAX_DEPTH, () -> new ModelFormatException(file, "is nested deeper than " + MAX_DEPTH + " levels, which no tokenizer needs"));
        if (node.isTextual()) {
            wellFormed(file, node.textValue());
        } else if (node.isNumber() && !Double.isFinite(node.doubleValue())) {
            throw new ModelFormatException(file, "holds the number " + Component.shown(node) + ", which is beyond the range of a double");
        }
        if (node.isObject()) {
            for (Iterator<Map.Entry<String, JsonNode>> fields = ((ObjectNode) node).properties().iterator(); fields.hasNext();) {
                Map.Entry<String, JsonNode> field = fields.next();
                wellFormed(file, field.getKey());
                wellFormed(file, field.getValue(), depth + 1);
            }
        } else {
            for (JsonNode inner : node) {
                wellFormed(file, inner, depth + 1);
            }
        }
    }

    private static void wellFormed(Path file, String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (Character.charCount(text.codePointAt(i)) == 1) {
                    throw new ModelFormatException(file, "holds half a surrogate pair, \\u" + Integer.toHexString(text.charAt(i)) + " in '"
                            + Component.shown(text) + "', which is not a character");
                }
                i++;
            }
        }
    }
}
