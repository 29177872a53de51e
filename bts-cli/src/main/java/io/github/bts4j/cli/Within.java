package io.github.bts4j.cli;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The numbers that an option takes. {@link OptionRanges} checks them before the command runs, so that the message has the option's name. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
@interface Within {
    /** The most of whatever is counted: a thousand million. */
    double COUNT = 1e9;

    /** The smallest number. */
    double least();

    /** The largest number. */
    double most();

    /** Whether the smallest number itself is left out. */
    boolean above() default false;

    /** Whether the largest number itself is left out. */
    boolean below() default false;
}
