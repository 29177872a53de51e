package io.github.bts4j.core.constraint;

import java.util.List;

/** Rules one after the other. A place is the number of the next rule. */
final class Sequence extends Composite {
    private final List<Node> parts;

    Sequence(Node... parts) {
        this.parts = List.of(parts);
    }

    @Override
    Object begin() {
        return 0;
    }

    @Override
    void choices(Object place, Choices out) {
        int at = (Integer) place;
        if (at == parts.size() - 1) {
            out.last(parts.get(at));
        } else {
            out.call(parts.get(at), parts.get(at).begin(), at + 1);
        }
    }

    @Override
    boolean canEnd() {
        return parts.stream().allMatch(Node::isProductive);
    }
}
