package io.github.bts4j.cli;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The range of an option's values. {@link OptionRanges} checks it before the command runs, so that the message has the option's name. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.FIELD)
@interface Within {
    /** The default limit of counts: one billion. */
    double COUNT = 1e9;

    /** The smallest number. */
    double least();

    /** The largest number. */
    double most();

    /** Whether the smallest number itself is excluded. */
    boolean above() default false;

    /** Whether the largest number itself is excluded. */
    boolean below() default false;
}
