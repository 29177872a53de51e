package io.github.bts4j.core.torch;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The TorchScript resource that defines the methods of an interface. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface KernelSource {
    /** {@return the name of a resource beside the interface} */
    String value();

    /**
     * {@return whether the methods call {@code linear}, {@code linear_silu} and {@code packed_product}, which compute products with
     * weights in the library that is fastest here}
     */
    boolean products() default false;
}
