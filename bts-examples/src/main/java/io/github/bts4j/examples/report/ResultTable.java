package io.github.bts4j.examples.report;

import java.util.List;

/**
 * Results of several models.
 *
 * @param caption what was measured
 * @param unit its unit
 * @param columns names of the columns
 * @param rows one row per model
 */
public record ResultTable(String caption, String unit, List<String> columns, List<Row> rows) {
    /**
     * The best value of a column.
     *
     * @param column the column's index
     * @return the smallest value; NaN without rows
     */
    public double best(int column) {
        return rows.stream().mapToDouble(row -> row.values()[column]).min().orElse(Double.NaN);
    }
}
