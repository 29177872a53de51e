package io.github.bts4j.core.constraint;

import java.util.ArrayList;
import java.util.List;

/** One of several rules, which may be added later: a rule that refers to itself begins empty. */
final class Alternatives extends Composite {
    private final List<Node> rules = new ArrayList<>();

    void add(Node rule) {
        rules.add(rule);
    }

    @Override
    Object begin() {
        return 0;
    }

    @Override
    void choices(Object place, Choices out) {
        rules.stream().filter(Node::isProductive).forEach(out::last);
    }

    @Override
    boolean canEnd() {
        return rules.stream().anyMatch(Node::isProductive);
    }
}
