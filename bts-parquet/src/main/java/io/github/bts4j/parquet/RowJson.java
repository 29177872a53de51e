package io.github.bts4j.parquet;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.github.bts4j.core.DataException;
import java.nio.file.Path;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.Type;

/** Rows with lists, maps and structs as JSON; what is null is left out. */
record RowJson(Path file, String where) {
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    String of(Group row) {
        return struct(row).toString();
    }

    private ObjectNode struct(Group group) {
        ObjectNode object = NODES.objectNode();
        GroupType type = group.getType();
        for (int field = 0; field < type.getFieldCount(); field++) {
            Type of = type.getType(field);
            if (of.isRepetition(Type.Repetition.REPEATED)) {
                ArrayNode list = object.putArray(of.getName());
                for (int i = 0; i < group.getFieldRepetitionCount(field); i++) {
                    list.add(value(group, field, i));
                }
            } else if (group.getFieldRepetitionCount(field) > 0) {
                object.set(of.getName(), value(group, field, 0));
            }
        }
        return object;
    }

    private JsonNode value(Group group, int field, int index) {
        Type type = group.getType().getType(field);
        if (type.isPrimitive()) {
            return primitive(group, field, index);
        }
        Group inner = group.getGroup(field, index);
        LogicalTypeAnnotation meaning = type.getLogicalTypeAnnotation();
        if (meaning instanceof LogicalTypeAnnotation.ListLogicalTypeAnnotation) {
            return list(inner);
        }
        return meaning instanceof LogicalTypeAnnotation.MapLogicalTypeAnnotation ? map(inner) : struct(inner);
    }

    /** A group of one repeated field: of groups with one field, the element, or in older files of the elements themselves. */
    private ArrayNode list(Group group) {
        ArrayNode list = NODES.arrayNode();
        Type repeated = group.getType().getType(0);
        boolean wrapped = !repeated.isPrimitive() && repeated.asGroupType().getFieldCount() == 1;
        for (int i = 0; i < group.getFieldRepetitionCount(0); i++) {
            if (!wrapped) {
                list.add(value(group, 0, i));
                continue;
            }
            Group element = group.getGroup(0, i);
            list.add(element.getFieldRepetitionCount(0) > 0 ? value(element, 0, 0) : NODES.nullNode());
        }
        return list;
    }

    /** A group of repeated groups, each a key and perhaps a value. */
    private ObjectNode map(Group group) {
        ObjectNode object = NODES.objectNode();
        for (int i = 0; i < group.getFieldRepetitionCount(0); i++) {
            Group entry = group.getGroup(0, i);
            if (entry.getType().getFieldCount() > 1 && entry.getFieldRepetitionCount(1) > 0) {
                object.set(value(entry, 0, 0).asText(), value(entry, 1, 0));
            }
        }
        return object;
    }

    private JsonNode primitive(Group group, int field, int index) {
        Type type = group.getType().getType(field);
        return switch (type.asPrimitiveType().getPrimitiveTypeName()) {
            case BINARY -> NODES.textNode(ParquetDocuments.decode(file, type.getName(), group.getBinary(field, index).toByteBuffer(), where));
            case INT32 -> NODES.numberNode(group.getInteger(field, index));
            case INT64 -> NODES.numberNode(group.getLong(field, index));
            case FLOAT -> NODES.numberNode(group.getFloat(field, index));
            case DOUBLE -> NODES.numberNode(group.getDouble(field, index));
            case BOOLEAN -> NODES.booleanNode(group.getBoolean(field, index));
            case INT96, FIXED_LEN_BYTE_ARRAY -> throw new DataException(file, "Column '" + type.getName() + "' of Parquet file " + file + " is '" + type
                    + "': texts, numbers, booleans, lists, structs and maps of them are read");
        };
    }
}
