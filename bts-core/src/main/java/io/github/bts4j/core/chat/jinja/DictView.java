package io.github.bts4j.core.chat.jinja;

import io.github.bts4j.core.chat.jinja.Sequence.PyTuple;
import java.util.ArrayList;
import java.util.List;

/** {@code dict.keys()}, {@code values()} or {@code items()}. */
record DictView(Kind kind, PyDict dict) {
    /** What is viewed. */
    enum Kind { KEYS, VALUES, ITEMS }

    List<Object> items(Budget budget) {
        budget.elements(kind == Kind.ITEMS ? 5L * dict.size() : dict.size());
        List<Object> items = new ArrayList<>(dict.size());
        for (PyDict.Entry entry : dict.entries()) {
            items.add(switch (kind) {
                case KEYS -> entry.key();
                case VALUES -> entry.value();
                case ITEMS -> pair(entry);
            });
        }
        return items;
    }

    static PyTuple pair(PyDict.Entry entry) {
        List<Object> pair = new ArrayList<>(2);
        pair.add(entry.key());
        pair.add(entry.value());
        return new PyTuple(pair);
    }

    String typeName() {
        return "dict_" + kind.name().toLowerCase(java.util.Locale.ROOT);
    }
}
