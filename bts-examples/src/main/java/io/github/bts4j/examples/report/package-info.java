/** The quick start's report: one HTML file with loss curves, the table of results and texts coloured by their gate weights; no external asset. */
package io.github.bts4j.examples.report;
