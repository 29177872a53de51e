package io.github.bts4j.core.constraint;

import java.util.List;

/** A JSON array. A place is the number of items so far: {@code -1} at the beginning, {@code -2 - n} after the comma that follows n items. */
final class ArrayRule extends Composite {
    private static final int BEGIN = -1;

    private final Node open;
    private final Node comma;
    private final Node close = Literals.of("]");
    private final Node closeAfterItem;
    private final List<Node> first;
    private final Node rest;
    private final long least;
    private final long most;

    /**
     * Describes an array.
     *
     * @param first the rules of the first items
     * @param rest the rule of the others
     * @param least the least number of items
     * @param most the largest number of items
     */
    ArrayRule(Node space, List<Node> first, Node rest, long least, long most) {
        this.open = new Sequence(Literals.of("["), space);
        this.comma = new Sequence(Literals.of(","), space);
        this.closeAfterItem = new Sequence(space, close);
        this.first = List.copyOf(first);
        this.rest = rest;
        this.least = least;
        this.most = most;
    }

    List<Node> helpers() {
        return List.of(open, comma, closeAfterItem);
    }

    private Node item(long number) {
        return number < first.size() ? first.get((int) number) : rest;
    }

    /** Numbers from which on all items have the same rule and bounds count as one. */
    private int counted(int items) {
        return most == Long.MAX_VALUE ? (int) Math.min(items, Math.max(1, Math.max(first.size(), least))) : items;
    }

    @Override
    Object begin() {
        return BEGIN;
    }

    @Override
    void choices(Object place, Choices out) {
        int at = (Integer) place;
        if (at == BEGIN) {
            out.call(open, open.begin(), 0);
        } else if (at < BEGIN) {
            item(-2 - at, out);
        } else {
            if (at == 0) {
                item(0, out);
            } else if (at < most && item(at).isProductive()) {
                out.call(comma, comma.begin(), -2 - at);
            }
            if (at >= least) {
                out.last(at == 0 ? close : closeAfterItem);
            }
        }
    }

    private void item(int number, Choices out) {
        Node item = item(number);
        if (number < most && item.isProductive()) {
            out.call(item, item.begin(), counted(number + 1));
        }
    }

    @Override
    boolean canEnd() {
        if (least > most || least > first.size() && !rest.isProductive()) {
            return false;
        }
        for (int i = 0; i < Math.min(least, first.size()); i++) {
            if (!first.get(i).isProductive()) {
                return false;
            }
        }
        return true;
    }
}
