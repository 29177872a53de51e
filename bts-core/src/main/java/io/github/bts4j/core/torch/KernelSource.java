package io.github.bts4j.core.torch;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Where the methods of an interface are written, in TorchScript. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
public @interface KernelSource {
    /**
     * The file.
     *
     * @return name of a resource beside the interface
     */
    String value();

    /**
     * Whether the methods call {@code linear}, {@code linear_silu} and {@code packed_product}, which compute products with weights in the library that is
     * fastest here.
     *
     * @return true if they do
     */
    boolean products() default false;
}
