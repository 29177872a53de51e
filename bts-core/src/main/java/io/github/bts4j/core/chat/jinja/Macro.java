package io.github.bts4j.core.chat.jinja;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A macro, or the body of a call block: its parameters, and what runs. */
record Macro(String name, List<String> parameters, boolean catchesNamed, boolean catchesPositional, boolean usesCaller, Body body) implements Function {
    /** Renders, with values for the parameters and then for caller, kwargs and varargs as far as they are used. */
    interface Body {
        String render(Run run, List<Object> values);
    }

    @Override
    public String typeName() {
        return "Macro";
    }

    @Override
    public String repr() {
        return "<Macro " + (name == null ? "anonymous" : Repr.text(name)) + ">";
    }

    Object attribute(String attribute) {
        return switch (attribute) {
            case "name" -> name;
            case "arguments" -> new Sequence.PyTuple(new ArrayList<>(parameters));
            case "catch_kwargs" -> catchesNamed;
            case "catch_varargs" -> catchesPositional;
            case "caller" -> usesCaller;
            case "explicit_caller" -> parameters.contains("caller");
            default -> Arguments.MISSING;
        };
    }

    @Override
    public Object call(Run run, Arguments arguments) {
        String text = body.render(run, values(run, arguments));
        return run.autoescape() ? new Markup(text) : text;
    }

    private List<Object> values(Run run, Arguments arguments) {
        List<Object> given = arguments.positional();
        Map<String, Object> named = new LinkedHashMap<>(arguments.named());
        int taken = Math.min(given.size(), parameters.size());
        List<Object> values = new ArrayList<>(given.subList(0, taken));
        boolean foundCaller = taken == parameters.size() && parameters.contains("caller");
        for (String parameter : parameters.subList(taken, parameters.size())) {
            values.add(named.containsKey(parameter) ? named.remove(parameter) : Arguments.MISSING);
            foundCaller |= parameter.equals("caller");
        }
        if (usesCaller && !foundCaller) {
            Object caller = named.remove("caller");
            values.add(caller == null ? Undefined.because("No caller defined") : caller);
        }
        if (catchesNamed) {
            PyDict rest = new PyDict();
            named.forEach((key, value) -> rest.put(run.budget(), key, value));
            values.add(rest);
        } else if (!named.isEmpty()) {
            throw Fault.type("macro " + repr() + (named.containsKey("caller") ? " was invoked with two values for the special caller argument"
                    : " takes no keyword argument " + Repr.text(named.keySet().iterator().next())));
        }
        if (catchesPositional) {
            values.add(new Sequence.PyTuple(new ArrayList<>(given.subList(taken, given.size()))));
        } else if (given.size() > parameters.size()) {
            throw Fault.type("macro " + repr() + " takes not more than " + BigInteger.valueOf(parameters.size()) + " argument(s)");
        }
        return values;
    }
}
