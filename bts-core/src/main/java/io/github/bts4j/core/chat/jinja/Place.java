package io.github.bts4j.core.chat.jinja;

/** A place in the template's text: line and column from 1. */
record Place(int line, int column) {}
