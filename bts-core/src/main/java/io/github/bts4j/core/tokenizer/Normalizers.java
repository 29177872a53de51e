package io.github.bts4j.core.tokenizer;

import static io.github.bts4j.core.support.Problems.throwIf;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/** Checks the normalizers of a tokenizer.json, and by how much they can lengthen a text. */
final class Normalizers {

    private static final double MAX_GROWTH = 64;

    /** For each step, whether a text that holds this printable ASCII character is sure not to become empty. */
    private final List<Predicate<Character>> keeps = new ArrayList<>();
    private double growth = 1;
    private double unicodeGrowth = 1;
    private int degree;
    private long factor = 1;

    void check(Component component, int depth) {
        throwIf(depth > 4, () -> component.problem("is nested deeper than 4"));
        switch (component.type()) {
            case "Sequence" -> {
                component.allow("type", "normalizers");
                component.inner("normalizers").forEach(inner -> check(inner, depth + 1));
            }
            case "BertNormalizer" -> bert(component);
            case "Strip" -> {
                component.allow("type", "strip_left", "strip_right");
                component.flags("strip_left", "strip_right");
            }
            case "StripAccents", "Nmt" -> component.allow("type");
            case "NFC", "NFD", "Lowercase" -> {
                component.allow("type");
                unicode(component, 3);
            }
            case "NFKC", "NFKD" -> {
                component.allow("type");
                unicode(component, 11);
            }
            case "ByteLevel" -> {
                component.allow("type");
                grow(component, 2);
            }
            case "Prepend" -> prepend(component);
            case "Replace" -> replace(component);
            case "Precompiled" -> precompiled(component);
            default -> throw component.problem("is not known: known normalizers are Sequence, BertNormalizer, Strip, StripAccents, NFC, NFD, NFKC, NFKD,"
                    + " Lowercase, Nmt, Precompiled, Replace, Prepend and ByteLevel");
        }
    }

    private void bert(Component component) {
        component.allow("type", "clean_text", "handle_chinese_chars", "strip_accents", "lowercase");
        component.flags("clean_text", "handle_chinese_chars", "lowercase");
        component.optionalFlags("strip_accents");
        unicode(component, 8);
    }

    private void prepend(Component component) {
        component.allow("type", "prepend");
        String prefix = component.shortText("prepend", 16);
        component.require("prepend", !prefix.isEmpty(), "a text that is not empty");
        grow(component, 1 + utf8(prefix));
    }

    private void replace(Component component) {
        component.allow("type", "pattern", "content");
        RegexCheck.Cost cost = component.pattern();
        String content = component.shortText("content", 256);
        throwIf(cost.nullable(), () -> component.problem("has a pattern that matches the empty text, which would grow every text"));
        JsonNode literal = component.node().path("pattern").path("String");
        grow(component, Math.max(1, utf8(content) / (double) (literal.isTextual() ? utf8(literal.asText()) : 1)));
        if (content.isEmpty()) {
            keeps.add(c -> literal.isTextual() && literal.asText().indexOf(c) < 0);
        } else {
            keeps.add(c -> content.chars().anyMatch(kept -> kept > ' ' && kept < 127));
        }
        degree = Math.max(degree, cost.degree());
        factor = Math.max(factor, cost.factor());
    }

    private void precompiled(Component component) {
        component.allow("type", "precompiled_charsmap");
        try {
            Charsmap map = Charsmap.read(component.text("precompiled_charsmap"));
            grow(component, map.growth());
            keeps.add(c -> !map.deletes(c));
        } catch (IllegalArgumentException e) {
            throw component.problem("has a 'precompiled_charsmap' that " + e.getMessage());
        }
    }

    private void grow(Component component, double by) {
        growth *= by;
        refuseGrowth(component);
    }

    private void unicode(Component component, double by) {
        unicodeGrowth = Math.max(unicodeGrowth, by); // a normal form of a normal form grows no further
        refuseGrowth(component);
    }

    private void refuseGrowth(Component component) {
        throwIf(growth > MAX_GROWTH,
                () -> component.problem("lets a text grow " + Math.round(growth) + "-fold together with the normalizers before it, at most "
                        + Math.round(MAX_GROWTH) + "-fold is allowed"));
    }

    /** Whether the normalised text is certainly not empty; conservative. */
    boolean leaves(String content) {
        for (int i = 0; i < content.length(); i++) {
            char c = content.charAt(i);
            boolean plain = c > ' ' && c < 127 && (i + 1 == content.length() || content.charAt(i + 1) < 127);
            if (plain && keeps.stream().allMatch(step -> step.test(c))) {
                return true;
            }
        }
        return keeps.isEmpty() && content.codePoints().anyMatch(Character::isLetterOrDigit);
    }

    double growth() {
        return growth;
    }

    double unicodeGrowth() {
        return unicodeGrowth;
    }

    int degree() {
        return degree;
    }

    long factor() {
        return factor;
    }

    static int utf8(String text) {
        return text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
    }
}
