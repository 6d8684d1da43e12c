package app.pocketbokeh;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Uses what Android has only from a level on: whoever calls it looks at the level first. The check
 * of the API leaves out what has this, and holds it against the later level instead.
 */
@Retention(RetentionPolicy.CLASS)
@Target(ElementType.METHOD)
public @interface FromApi {
    int value();
}
