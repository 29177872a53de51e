package io.github.bts4j.core.chat.jinja;

import java.util.Map;

/** {@code self}: the blocks of the template by name. */
record TemplateSelf(Map<String, Function> blocks) {
    /** One block, which can be called. */
    record BlockReference(BoundMethod.Body body) implements Function {
        @Override
        public String typeName() {
            return "BlockReference";
        }

        @Override
        public Object call(Run run, Arguments arguments) {
            return body.call(run, arguments);
        }
    }

    Object block(String name) {
        return blocks.getOrDefault(name, null) == null ? Arguments.MISSING : blocks.get(name);
    }
}
