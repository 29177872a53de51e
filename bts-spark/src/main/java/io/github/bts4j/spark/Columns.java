package io.github.bts4j.spark;

import java.util.Arrays;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** Columns of data frames. */
final class Columns {
    private Columns() {}

    /** The number of a column of strings. */
    static int text(Dataset<Row> rows, String column) {
        StructType schema = rows.schema();
        if (!Arrays.asList(schema.fieldNames()).contains(column)) {
            throw new IllegalArgumentException("There is no column '" + column + "', only " + Arrays.toString(schema.fieldNames()));
        }
        int index = schema.fieldIndex(column);
        if (!schema.fields()[index].dataType().equals(DataTypes.StringType)) {
            throw new IllegalArgumentException("Column '" + column + "' has the type " + schema.fields()[index].dataType().simpleString() + ": string is needed, for example by cast(" + column + " as string)");
        }
        return index;
    }

    /** Refuses a name that the rows have already. */
    static void requireNone(Dataset<Row> rows, String... names) {
        for (String name : names) {
            if (Arrays.asList(rows.schema().fieldNames()).contains(name)) {
                throw new IllegalArgumentException("There is a column '" + name + "' already, in which the result would be: rename or drop it");
            }
        }
    }
}
