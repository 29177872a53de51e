package io.github.bts4j.core.chat.jinja;

import static io.github.bts4j.core.support.Problems.throwIf;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Arguments in the order that Python allows. */
final class ArgumentList {
    private final Place place;
    private final List<Expression> positional = new ArrayList<>();
    private final List<Expression.Keyword> keywords = new ArrayList<>();
    private final Set<String> keys = new HashSet<>();
    private Expression star;
    private Expression doubleStar;

    ArgumentList(Place place) {
        this.place = place;
    }

    private void require(boolean valid) {
        throwIf(!valid, () -> Fault.syntax("invalid syntax for function call expression", place));
    }

    void star(Expression value) {
        require(star == null && doubleStar == null);
        star = value;
    }

    void doubleStar(Expression value) {
        require(doubleStar == null);
        doubleStar = value;
    }

    void keyword(String key, Expression value) {
        require(doubleStar == null);
        throwIf(!keys.add(key), () -> Fault.syntax("keyword argument repeated: " + key, place));
        keywords.add(new Expression.Keyword(key, value));
    }

    void positional(Expression value) {
        require(star == null && doubleStar == null && keywords.isEmpty());
        positional.add(value);
    }

    Expression.CallArguments arguments() {
        return new Expression.CallArguments(positional, keywords, star, doubleStar);
    }
}
