package io.github.bts4j.core.constraint;

import com.fasterxml.jackson.databind.JsonNode;

/**
 * A tool that a constraint allows to be called.
 *
 * @param name its name
 * @param parameters the JSON schema of its arguments
 */
public record CallableTool(String name, JsonNode parameters) {}
