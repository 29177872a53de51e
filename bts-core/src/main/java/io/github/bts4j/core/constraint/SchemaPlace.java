package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A schema at its place in the document; places are compared by their pointers.
 *
 * @param schema the schema
 * @param pointer to it, such as {@code #/properties/name}
 */
record SchemaPlace(JsonNode schema, String pointer) {
    SchemaPlace child(String keyword) {
        return new SchemaPlace(schema.path(keyword), pointer + "/" + escaped(keyword));
    }

    SchemaPlace child(String keyword, String name) {
        return new SchemaPlace(schema.path(keyword).path(name), pointer + "/" + keyword + "/" + escaped(name));
    }

    SchemaPlace child(String keyword, int index) {
        return new SchemaPlace(schema.path(keyword).path(index), pointer + "/" + keyword + "/" + index);
    }

    private static String escaped(String name) {
        return name.replace("~", "~0").replace("/", "~1");
    }

    /** A refusal that names a keyword and this place. */
    IllegalArgumentException problem(String keyword, String what) {
        String shown = pointer.length() > 200 ? pointer.substring(0, 200) + ".." : pointer;
        return new IllegalArgumentException("schema: '" + (keyword.length() > 60 ? keyword.substring(0, 60) + ".." : keyword) + "' at " + shown + " " + what);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SchemaPlace place && pointer.equals(place.pointer);
    }

    @Override
    public int hashCode() {
        return pointer.hashCode();
    }
}
