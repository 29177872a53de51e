package io.github.bts4j.core.constraint;

import java.util.List;

/** A JSON object: the declared properties in their order, then others. */
final class ObjectRule extends Composite {
    private static final int MOST_OTHERS = 256;

    /**
     * A declared property.
     *
     * @param entry its name, the colon and the value
     * @param required whether it must be there
     */
    record Property(Node entry, boolean required) {}

    /** Where the object is. */
    private enum Part { BEGIN, FIRST, AFTER, NEXT, VALUE }

    /**
     * A place.
     *
     * @param part which part is next
     * @param index the first declared property that may follow
     * @param count properties so far, as far as they matter
     * @param others names of other properties so far
     * @param closed whether no other property may follow, since the name of one is not known
     */
    private record Members(Part part, int index, int count, Names others, boolean closed) {
        Members at(Part next) {
            return new Members(next, index, count, others, closed);
        }
    }

    private final Node open;
    private final Node comma;
    private final Node close = Literals.of("}");
    private final Node closeAfterMember;
    private final KeyRule key = new KeyRule();
    private final List<Property> properties;
    private final Names declared;
    private final Node additional;
    private final Node value;
    private final int[] requiredFrom; // [index]: how many of the properties from there on are required
    private int[] availableFrom; // likewise, how many can be written
    private final long least;
    private final long most;

    /**
     * Describes an object.
     *
     * @param properties the declared properties
     * @param declared their names
     * @param additional the rule of the values of other properties
     * @param least the least number of properties
     * @param most the largest number of properties
     */
    ObjectRule(Node space, List<Property> properties, Names declared, Node additional, long least, long most) {
        this.open = new Sequence(Literals.of("{"), space);
        this.comma = new Sequence(Literals.of(","), space);
        this.closeAfterMember = new Sequence(space, close);
        this.properties = List.copyOf(properties);
        this.declared = declared;
        this.additional = additional;
        this.value = new Sequence(space, additional);
        this.requiredFrom = new int[properties.size() + 1];
        for (int i = properties.size() - 1; i >= 0; i--) {
            requiredFrom[i] = requiredFrom[i + 1] + (properties.get(i).required ? 1 : 0);
        }
        this.least = least;
        this.most = most;
    }

    List<Node> helpers() {
        return List.of(open, comma, closeAfterMember, value, key);
    }

    @Override
    Object begin() {
        return new Members(Part.BEGIN, 0, 0, Names.NONE, false);
    }

    /** The name of another property becomes known. */
    @Override
    Object resume(Object then, Object result) {
        Members at = (Members) then;
        if (at.part != Part.VALUE) {
            return then;
        }
        String name = (String) result;
        return name.isEmpty() ? new Members(Part.VALUE, at.index, at.count, at.others, true) : new Members(Part.VALUE, at.index, at.count, at.others.and(name), at.closed);
    }

    @Override
    void choices(Object place, Choices out) {
        Members at = (Members) place;
        switch (at.part) {
            case BEGIN -> out.call(open, open.begin(), at.at(Part.FIRST));
            case FIRST -> {
                members(at, out);
                if (mayClose(at)) {
                    out.last(close);
                }
            }
            case AFTER -> {
                if (hasNext(at)) {
                    out.call(comma, comma.begin(), at.at(Part.NEXT));
                }
                if (mayClose(at)) {
                    out.last(closeAfterMember);
                }
            }
            case NEXT -> members(at, out);
            case VALUE -> out.call(value, value.begin(), at.at(Part.AFTER));
            default -> throw new IllegalStateException(at.toString());
        }
    }

    private void members(Members at, Choices out) {
        for (int i = at.index; i < properties.size(); i++) {
            Property property = properties.get(i);
            if (mayTake(i, at)) {
                out.call(property.entry, property.entry.begin(), new Members(Part.AFTER, i + 1, counted(at.count + 1), at.others, at.closed));
            }
            if (property.required) {
                return;
            }
        }
        if (mayAdd(at)) {
            out.call(key, key.begin(declared.and(at.others)), new Members(Part.VALUE, properties.size(), counted(at.count + 1), at.others, at.closed));
        }
    }

    private int counted(int count) {
        return most == Long.MAX_VALUE ? (int) Math.min(count, least) : count;
    }

    private boolean mayTake(int index, Members at) {
        return properties.get(index).entry.isProductive() && at.count + 1 + required(index + 1) <= most
                && (additional.isProductive() || at.count + 1 + available(index + 1) >= least);
    }

    private boolean mayAdd(Members at) {
        return additional.isProductive() && !at.closed && at.count < most && at.others.size() < Math.max(MOST_OTHERS, least) && required(at.index) == 0;
    }

    private boolean hasNext(Members at) {
        for (int i = at.index; i < properties.size(); i++) {
            if (mayTake(i, at)) {
                return true;
            }
            if (properties.get(i).required) {
                return false;
            }
        }
        return mayAdd(at);
    }

    private boolean mayClose(Members at) {
        return at.count >= least && required(at.index) == 0;
    }

    private int required(int from) {
        return requiredFrom[from];
    }

    private int available(int from) {
        if (availableFrom == null) {
            availableFrom = available();
        }
        return availableFrom[from];
    }

    private int[] available() {
        int[] counts = new int[properties.size() + 1];
        for (int i = properties.size() - 1; i >= 0; i--) {
            counts[i] = counts[i + 1] + (properties.get(i).entry.isProductive() ? 1 : 0);
        }
        return counts;
    }

    @Override
    boolean canEnd() {
        boolean has = properties.stream().allMatch(property -> !property.required || property.entry.isProductive());
        return has && required(0) <= most && least <= most && (additional.isProductive() || available()[0] >= least);
    }
}
